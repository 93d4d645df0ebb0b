from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.contracts.codec import encode
from infra.contracts.topics import ALLOCATION_RUNS, DECISIONS
from serving.api.what_if import live_plan, with_forecasts
from serving.board.board import Board
from serving.what_if import Change, plan
from tests.unit.serving.api.small_api import board_of, client, shop_log
from tests.unit.serving.records import LOCATION, MemoryLog


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return shop_log()


@pytest.fixture(scope="module")
def board(log: MemoryLog) -> Board:
    return board_of(log.entries)


@pytest.fixture(scope="module")
def http(board: Board, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client(tmp_path_factory.mktemp("tokens"), board)


def ask(http: TestClient, **asked: Any) -> dict[str, Any]:
    answer = http.post("/v1/what-if", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("budget", ["150.00", None])
def test_with_nothing_changed_the_answer_is_the_live_plan_byte_for_byte(budget: str | None) -> None:
    log = shop_log(budget)
    board = board_of(log.entries)
    (run,) = log.messages(ALLOCATION_RUNS)
    live = live_plan(board, run)
    live = with_forecasts(board, live, list(live.decisions))

    made = plan(live, list(live.decisions), Change())

    published = {(each.sku, each.location): encode(DECISIONS, each) for each in log.messages(DECISIONS)}
    assert {key: encode(DECISIONS, each) for key, each in made.decisions.items()} == published
    assert encode(ALLOCATION_RUNS, made.run) == encode(ALLOCATION_RUNS, run)


def test_the_answer_to_no_change_has_no_lines_and_equal_totals(http: TestClient) -> None:
    answer = ask(http)

    assert (answer["recomputed"], answer["changed"], answer["lines"]) == (4, 0, [])
    assert answer["scenario"] == answer["baseline"]
    assert answer["curve"] is None


def test_more_demand_asks_for_more_and_without_a_budget_gets_it(http: TestClient) -> None:
    more = ask(http, demand_factor=2.0, budget="unlimited")

    assert more["scenario"]["units"] > more["baseline"]["units"]
    assert {line["sku"] for line in more["lines"]} == {"A", "B", "C", "D"}
    assert all(line["quantity"] > line["baseline_quantity"] for line in more["lines"])


def test_a_smaller_budget_is_kept(http: TestClient) -> None:
    less = ask(http, budget={"amount": "60.00", "currency": "GBP"})

    assert float(less["scenario"]["cash"]["amount"]) <= 60 < float(less["baseline"]["cash"]["amount"])
    assert less["scenario"]["fill_rate"] < less["baseline"]["fill_rate"]


def test_a_change_in_one_sku_leaves_the_others_to_the_shared_budget(http: TestClient) -> None:
    one = ask(http, scope=f"sku:A|{LOCATION}", lead_time_days_added=7, budget="unlimited")

    assert one["recomputed"] == 1
    assert one["scenario"]["units"] > one["baseline"]["units"]


def test_the_curve_costs_more_the_more_service_it_promises(http: TestClient) -> None:
    curve = ask(http, budget="unlimited", curve=True)["curve"]
    costs = [float(point["cost"]["amount"]) for point in curve]

    assert costs == sorted(costs)
    assert costs[0] < costs[-1]
    assert [point["cycle_service"] for point in curve] == sorted(point["cycle_service"] for point in curve)


def test_asking_changes_nothing_that_is_shown(http: TestClient) -> None:
    before = http.get("/v1/decisions").text
    ask(http, demand_factor=3.0, budget="unlimited", price_factor=0.5, cycle_service_level=0.8)

    assert http.get("/v1/decisions").text == before


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"scope": "sku:Z"}, 422),
        ({"scope": "everything"}, 422),
        ({"demand_factor": -1}, 422),
        ({"demand_factor": 21}, 422),
        ({"cycle_service_level": 1.5}, 422),
        ({"lead_time_days_added": 181}, 422),
        ({"budget": "much"}, 422),
        ({"planning_group": "unknown"}, 404),
    ],
)
def test_what_cannot_be_asked_is_refused(http: TestClient, asked: dict[str, Any], status: int) -> None:
    assert http.post("/v1/what-if", json=asked).status_code == status


def test_before_the_first_plan_there_is_nothing_to_change(tmp_path: Path) -> None:
    assert client(tmp_path, Board()).post("/v1/what-if", json={}).status_code == 404


def test_a_plan_of_which_decisions_are_missing_is_not_answered_in_part(
    tmp_path: Path, log: MemoryLog
) -> None:
    missing = next(each for each in log.entries if each.topic == DECISIONS)
    half = board_of([each for each in log.entries if each is not missing])

    assert client(tmp_path, half).post("/v1/what-if", json={}).status_code == 409
