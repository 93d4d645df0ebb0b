from datetime import date
from pathlib import Path

import pytest

from infra.contracts.codec import decode
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISIONS
from infra.errors import StockstreamError
from serving.simulation.scenario import Scenario
from serving.simulation.shop import parse_day, place_decided, replay_days

GOLDEN = Path(__file__).parents[3] / "golden" / "v1"
REVIEW = date(2011, 9, 26)


def decision(sku: str, status: str, quantity: int) -> ReorderDecision:
    golden = decode(DECISIONS, (GOLDEN / f"{DECISIONS}.jsonl").read_bytes().splitlines()[0])
    changed = {"sku": sku, "status": status, "quantity": quantity, "decision_id": f"decision-{sku}"}
    return ReorderDecision.model_validate({**golden.model_dump(), **changed})


def test_a_decision_seen_twice_places_one_order(scenario: Scenario) -> None:
    warehouse, decided = scenario.warehouse(), {"decision-10001": decision("10001", "order", 24)}

    placed = [place_decided(scenario, warehouse, REVIEW, decided) for _ in range(2)]

    assert [(order.order_id, order.quantity) for order in placed[0]] == [("po-decision-10001", 24)]
    assert placed[1] == []
    assert warehouse.on_order("10001") == 70 + 24


@pytest.mark.parametrize("status", ["no_order", "blocked"])
def test_decisions_not_to_order_place_nothing(scenario: Scenario, status: str) -> None:
    decided = {"decision-10001": decision("10001", status, 0)}

    assert place_decided(scenario, scenario.warehouse(), REVIEW, decided) == []


def test_what_supersedes_a_placed_decision_is_not_placed_too(scenario: Scenario) -> None:
    warehouse, first = scenario.warehouse(), decision("10001", "order", 24)
    second = first.model_copy(update={"decision_id": "second", "supersedes": first.decision_id})

    (placed,) = place_decided(scenario, warehouse, REVIEW, {first.decision_id: second})

    assert (placed.order_id, placed.decision_id) == ("po-decision-10001", "second")
    assert place_decided(scenario, warehouse, REVIEW, {first.decision_id: first}) == []


def test_the_replay_runs_to_the_end_of_the_sample_by_default(scenario: Scenario) -> None:
    days = replay_days(scenario, None)

    assert (days[0], days[-1]) == (date(2011, 9, 19), date(2011, 10, 16))
    assert replay_days(scenario, 3) == days[:3]


def test_more_days_than_there_are_is_an_error_that_says_so(scenario: Scenario) -> None:
    with pytest.raises(StockstreamError, match=r"--days 99: the sample has 28 days from 2011-09-19 on"):
        replay_days(scenario, 99)


def test_a_first_day_that_is_no_date_is_named() -> None:
    with pytest.raises(StockstreamError, match="--from tomorrow: a day like 2011-09-19 is expected"):
        parse_day("tomorrow")
