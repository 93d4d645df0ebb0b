from pathlib import Path

import pytest
from starlette.testclient import TestClient

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import ReorderDecision
from infra.contracts.shop import Item
from infra.contracts.topics import DECISIONS, FORECASTS, ITEMS, STOCK_LEVELS
from serving.board.board import Board
from serving.board.kept_skus import DECISIONS_KEPT
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import board_of, client, shop_log
from tests.unit.serving.records import DAY_MS, EPOCH, LOCATION, MemoryLog, forecast, level


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return shop_log()


@pytest.fixture(scope="module")
def board(log: MemoryLog) -> Board:
    return board_of(log.entries)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, board: Board) -> TestClient:
    return client(tmp_path_factory.mktemp("tokens"), board)


def decisions(log: MemoryLog) -> dict[str, ReorderDecision]:
    return {each.sku: each for each in log.messages(DECISIONS)}


def test_skus_come_in_pages_that_together_are_the_whole_list(http: TestClient) -> None:
    whole = http.get("/v1/skus", params={"sort": "-on_hand"}).json()
    pages = [
        http.get("/v1/skus", params={"sort": "-on_hand", "limit": 1, "offset": n}).json() for n in range(4)
    ]

    assert whole["total"] == 4
    assert [page["items"][0] for page in pages] == whole["items"]
    stock = [row["on_hand"] for row in whole["items"]]
    assert stock == sorted(stock, reverse=True)


def test_a_list_sorts_what_is_unknown_last_either_way(tmp_path: Path, log: MemoryLog) -> None:
    without_stock = board_of([each for each in log.entries if getattr(each.message, "on_hand", None) is None])
    http = client(tmp_path, without_stock)
    for sort in ("on_hand", "-on_hand"):
        assert {row["on_hand"] for row in http.get("/v1/skus", params={"sort": sort}).json()["items"]} == {
            None
        }


@pytest.mark.parametrize(
    ("params", "skus"),
    [
        ({"q": "a"}, {"A"}),
        ({"q": "nothing has this"}, set()),
        ({"location": LOCATION}, {"A", "B", "C", "D"}),
        ({"location": "elsewhere"}, set()),
        ({"category": "none"}, {"A", "B", "C", "D"}),
        ({"category": "non"}, set()),
        ({"supplier": "supplier-1", "q": "B"}, {"B"}),
        ({"status": "blocked"}, set()),
    ],
)
def test_filters_choose_rows(http: TestClient, params: dict[str, str], skus: set[str]) -> None:
    answer = http.get("/v1/skus", params=params).json()

    assert {row["sku"] for row in answer["items"]} == skus
    assert answer["total"] == len(skus)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/skus?limit=501", "query.limit"),
        ("/v1/skus?limit=0", "query.limit"),
        ("/v1/skus?offset=-1", "query.offset"),
        ("/v1/skus?sort=password", "query.sort"),
        ("/v1/skus?kind=bored", "query.kind"),
        ("/v1/exceptions?sort=sku", "query.sort"),
        ("/v1/decisions?history=true", "query.history"),
        ("/v1/skus/gb-main/A/days?days=181", "query.days"),
        ("/v1/skus/gb-main/A/history?horizon_days=3", "query.horizon_days"),
        ("/v1/overrides?sku=A", "query.sku"),
    ],
)
def test_an_unusable_parameter_is_a_problem_that_names_it(http: TestClient, path: str, field: str) -> None:
    answer = http.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["detail"].startswith(field)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/skus/gb-main/Z",
        "/v1/skus/gb-main/Z/days",
        "/v1/skus/gb-main/Z/projection",
        "/v1/forecasts/gb-main/Z",
        "/v1/positions/elsewhere/A",
        "/v1/decisions/unknown",
        "/v1/decisions/unknown/steps",
    ],
)
def test_what_is_not_known_is_a_problem(http: TestClient, path: str) -> None:
    assert http.get(path).status_code == 404
    assert http.get(path).json()["title"] == "Not Found"


def test_a_decision_and_a_forecast_are_answered_as_they_were_published(
    http: TestClient, log: MemoryLog
) -> None:
    made = decisions(log)["A"]
    (published,) = [each for each in log.messages(FORECASTS) if each.sku == "A"]

    assert http.get(f"/v1/decisions/{made.decision_id}").json() == made.model_dump(mode="json")
    assert http.get(f"/v1/forecasts/{LOCATION}/A").json() == published.model_dump(mode="json")
    assert http.get("/v1/decisions", params={"sku": "A"}).json()["items"] == [made.model_dump(mode="json")]


def test_the_steps_lead_from_the_wanted_to_the_ordered_quantity(http: TestClient, log: MemoryLog) -> None:
    for made in decisions(log).values():
        steps = http.get(f"/v1/decisions/{made.decision_id}/steps").json()
        assert [step["reason"] for step in steps["steps"]] == [step.reason for step in made.adjustments]
        assert (steps["wanted"], steps["ordered"]) == (made.unconstrained_quantity, made.quantity)
        assert steps["words"].startswith(f"wanted {made.unconstrained_quantity}")


def test_a_budget_that_binds_is_an_exception_worth_the_margin_it_cost(
    http: TestClient, log: MemoryLog
) -> None:
    cut = {
        sku: sum(step.before - step.after for step in made.adjustments if step.reason == "BUDGET")
        for sku, made in decisions(log).items()
    }
    found = http.get("/v1/exceptions", params={"kind": "budget_cut"}).json()

    expected = {sku: units * (2.95 - 1.30) for sku, units in cut.items() if units}
    assert {row["sku"]: row["money_at_risk"] for row in found["items"]} == pytest.approx(expected)
    assert found["counts"]["budget_cut"] == len(expected)
    assert found["money"]["budget_cut"] == pytest.approx(sum(expected.values()), abs=0.01)
    assert all("budget left out" in row["reason"] for row in found["items"])


def test_exceptions_come_by_the_money_at_stake(http: TestClient) -> None:
    answer = http.get("/v1/exceptions").json()
    money = [row["money_at_risk"] for row in answer["items"]]

    assert money == sorted(money, reverse=True)
    assert answer["total"] == sum(answer["counts"].values()) > 0


def test_days_mark_stock_outs_and_show_the_stock_at_their_start(http: TestClient) -> None:
    (day,) = http.get(f"/v1/skus/{LOCATION}/B/days").json()["items"]
    a_days = http.get(f"/v1/skus/{LOCATION}/A/days").json()["items"]

    assert (day["units"], day["in_stock_share"], day["censored"]) == (0.0, 0.25, True)
    assert [(each["units"], each["on_hand"]) for each in a_days] == [(12.0, None), (None, 38)]
    assert a_days[0]["censored"] is False


def test_a_count_in_the_course_of_a_day_keeps_the_days_row(tmp_path: Path) -> None:
    log, hour_ms = shop_log(), 3_600_000
    for sku, hour in (("A", 9), ("A", 15), ("B", 17)):
        count = level(sku, 50 + hour, EPOCH + hour * hour_ms)
        log.append(STOCK_LEVELS, 0, count.model_copy(update={"event_type": "snapshot"}))
    http = client(tmp_path, board_of(log.entries))

    a_days = http.get(f"/v1/skus/{LOCATION}/A/days").json()["items"]
    b_days = http.get(f"/v1/skus/{LOCATION}/B/days").json()["items"]

    assert [(each["units"], each["on_hand"]) for each in a_days] == [(12.0, 59), (None, 38)]
    assert [(each["day_ms"], each["units"], each["on_hand"]) for each in b_days] == [(EPOCH, 0.0, 67)]


def test_past_forecasts_meet_what_happened(http: TestClient) -> None:
    (past,) = http.get(f"/v1/skus/{LOCATION}/A/history").json()["items"]

    assert (past["origin_ms"], past["day_ms"], past["actual"], past["censored"]) == (
        EPOCH,
        EPOCH,
        12.0,
        False,
    )
    assert past["q10"] < past["q50"] < past["q90"]


def test_projected_stock_starts_with_the_decision_and_widens(http: TestClient, log: MemoryLog) -> None:
    made = decisions(log)["A"]
    answer = http.get(f"/v1/skus/{LOCATION}/A/projection").json()

    assert len(answer["items"]) == 28
    assert answer["arrivals"][-1]["quantity"] == made.quantity
    assert all(day["q05"] <= day["q50"] <= day["q95"] <= 40 + made.quantity for day in answer["items"])
    assert all(0 <= day["stock_out_probability"] <= 1 for day in answer["items"])


def test_a_closed_day_leaves_the_chance_of_a_stock_out_as_it_was(http: TestClient) -> None:
    items = http.get(f"/v1/skus/{LOCATION}/A/projection").json()["items"]
    chances = [day["stock_out_probability"] for day in items]
    saturdays = range(5, len(chances), 7)  # closed; the decision was made on a Monday

    assert [chances[day] for day in saturdays] == [chances[day - 1] for day in saturdays]
    assert chances[saturdays[0]] > 0


def test_the_scorecard_counts_days_stock_outs_and_scores(http: TestClient) -> None:
    card = http.get("/v1/scorecard").json()

    assert (card["sku_days"], card["stock_out_days"], card["cycle_service"]) == (2, 1, 0.5)
    assert 0 < card["fill_rate"] < 1
    assert card["cycle_service_target"] == pytest.approx(0.95)
    assert {(each["abc_class"], each["scored"]) for each in card["accuracy"]} == {("all", 1), ("A", 1)}
    assert card["accuracy"][0]["pit"][6] == 1.0


def test_a_repeated_record_counts_once(http: TestClient, log: MemoryLog, tmp_path: Path) -> None:
    again = client(tmp_path, board_of([*log.entries, *log.entries]))

    for path in ("/v1/skus", "/v1/exceptions", "/v1/decisions"):
        assert again.get(path).json() == http.get(path).json()
    assert again.get("/v1/scorecard").json()["sku_days"] == 2


def test_models_and_topics_are_counted(http: TestClient, log: MemoryLog) -> None:
    (model,) = http.get("/v1/models").json()["items"]
    system = http.get("/v1/system").json()

    assert (model["model_id"], model["forecasts"]) == ("lstm-1", len(log.messages(FORECASTS)))
    assert system["ready"] is True
    counted = {topic["topic"]: topic["records"] for topic in system["topics"]}
    assert counted[DECISIONS] == 4


def test_the_latest_forecast_answers_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    log = MemoryLog()
    board = board_of([log.append(FORECASTS, 0, forecast("A", origin)) for origin in (EPOCH, EPOCH - DAY_MS)])

    assert client(tmp_path, board).get(f"/v1/forecasts/{LOCATION}/A").json()["origin_ms"] == EPOCH


def test_a_decision_with_another_content_is_a_conflict_and_the_first_stays(log: MemoryLog) -> None:
    first = decisions(log)["A"]
    other = first.model_copy(update={"quantity": first.quantity + 1})
    board = board_of(
        [Entry(DECISIONS, 0, 0, first), Entry(DECISIONS, 0, 1, other), Entry(DECISIONS, 0, 2, first)]
    )

    assert board.conflicts == 1
    assert board.decision(first.decision_id) == first


def test_old_decisions_and_forecasts_leave_but_not_the_forecast_that_the_latest_decision_names(
    log: MemoryLog,
) -> None:
    made = decisions(log)["A"]
    board = board_of(log.entries)
    for number in range(1, DECISIONS_KEPT + 3):
        earlier = {"decision_id": f"earlier-{number}", "epoch_ms": EPOCH - number * DAY_MS}
        board.apply(Entry(DECISIONS, 0, number, made.model_copy(update=earlier)))
        later = forecast("A", EPOCH + number * DAY_MS)
        board.apply(Entry(FORECASTS, 0, number, later))
        list(board.due(float(number)))

    kept = board.sku(("A", LOCATION))
    assert kept is not None
    assert len(kept.decisions) == DECISIONS_KEPT
    assert board.decision(f"earlier-{DECISIONS_KEPT + 2}") is None
    named: DemandForecast | None = kept.read_forecast(EPOCH)
    assert named is not None
    assert len(kept.forecasts) == 2


def test_what_lists_can_be_filtered_by_is_what_the_catalogue_names(http: TestClient, log: MemoryLog) -> None:
    items = [each for each in log.messages(ITEMS) if isinstance(each, Item)]
    labels = http.get("/v1/labels").json()

    assert labels["supplier"] == sorted({each.supplier for each in items})
    assert labels["location"] == [LOCATION]
    whole = {each.category for each in items}
    assert whole | {path.split(":")[0] for path in whole} <= set(labels["category"])
    for category in labels["category"]:
        assert http.get("/v1/skus", params={"category": category}).json()["total"] > 0
