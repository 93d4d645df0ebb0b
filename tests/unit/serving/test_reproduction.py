import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.contracts.codec import encode
from infra.contracts.inventory import DecisionInputs, ReorderDecision
from infra.contracts.topics import (
    ALLOCATION_RUNS,
    DECISIONS,
    FORECASTS,
    INTRADAY_FORECASTS,
    ITEMS,
    STOCK_LEVELS,
)
from infra.errors import StockstreamError
from serving.replay import FolderSource, replay_records
from serving.reproduction import Reproduction
from tests.unit.serving.records import (
    EPOCH,
    MemoryLog,
    close_epoch,
    feed,
    item,
    level,
    opened_shop,
    partition_of,
    run,
)
from tests.unit.serving.test_allocator_stage import allocated
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_named_policies import POLICIES
from tests.unit.serving.test_planner_stage import DEADLINE, planner


@cache
def budgeted_log() -> MemoryLog:
    return allocated(budget="150.00")


class Recorded:
    """The values of a log, one of which may have been altered."""

    def __init__(self, log: MemoryLog) -> None:
        self.records: dict[str, list[dict[str, Any]]] = {
            topic: [json.loads(encode(topic, message)) for message in log.messages(topic)]
            for topic in (DECISIONS, FORECASTS, INTRADAY_FORECASTS, ALLOCATION_RUNS)
        }

    def values(self, topic: str) -> Iterator[bytes]:
        return (json.dumps(record).encode() for record in self.records[topic])


def replayed(recorded: Recorded) -> Reproduction:
    return replay_records(recorded)


def test_every_decision_is_reproduced_exactly() -> None:
    recorded = Recorded(budgeted_log())

    result = replayed(recorded)

    assert (result.differences, result.reproduced, result.verified) == ([], 4, 0)
    assert dict(result.runs) == {"optimal": 1}


def ordered(recorded: Recorded) -> dict[str, Any]:
    return next(each for each in recorded.records[DECISIONS] if each["quantity"] > 0)


CHANGED_INPUTS: dict[str, Any] = {
    "forecast": {"origin_ms": EPOCH, "model_id": "lstm-1", "digest": "f" * 64},
    "on_hand": 41,
    "backordered": 3,
    "reserved": 4,
    "unmet_demand": "backordered",
    "open_orders": [{"order_id": "po-1", "supplier": "supplier-1", "outstanding": 3, "placed_ms": EPOCH - 1}],
    "lead_times": [{"days": 9, "receipts": 10}],
    "delivery": "fifo",
    "review_period_days": 6,
    "cycle_service_level": 0.9,
    "min_order_quantity": 500,
    "case_pack": 7,
    "maximum_stock": 60,
    "supplier": "supplier-2",
    "unit_cost": {"amount": "1.31", "currency": "GBP"},
    "price": {"amount": "2.96", "currency": "GBP"},
    "planning_group": "gb-other",
    "time_zone": "Europe/Berlin",
    "end_ms": EPOCH + 86_400_000,
    "input_stale": True,
    "overrides": [
        {
            "override_id": "override-1",
            "scope": "sku:A",
            "target": "forecast_factor",
            "value": 1.5,
            "from_ms": EPOCH,
            "to_ms": EPOCH + 86_400_000,
            "author": "ada",
            "reason": "magazine cover",
        }
    ],
    "replenishment": {"policy": "base-stock", "level": 500},
    "limits": {"minimum_stock": 5000},
    "unit_volume": "0.5",
    "supplier_calendar": {
        "event_id": "c1",
        "event_time_ms": EPOCH,
        "supplier": "supplier-1",
        "no_order_weekdays": [0],
    },
}


def test_every_input_has_a_changed_value() -> None:
    assert set(CHANGED_INPUTS) == set(DecisionInputs.model_fields)


@pytest.mark.parametrize("name", CHANGED_INPUTS)
def test_a_changed_input_is_found(name: str) -> None:
    recorded = Recorded(budgeted_log())
    decision = ordered(recorded)
    decision["inputs"][name] = CHANGED_INPUTS[name]

    assert [each for each in replayed(recorded).differences if each.subject == decision["decision_id"]]


CHANGED_FIELDS: dict[str, Any] = {
    "decision_id": "another-id",
    "sku": "Z",
    "location": "gb-north",
    "epoch_ms": EPOCH + 86_400_000,
    "cause": "stock-correction-1",
    "sequence": 2,
    "supersedes": "another-id",
    "status": "no_order",
    "quantity": 1,
    "unconstrained_quantity": 1,
    "adjustments": [],
    "supplier": "supplier-2",
    "order_group_id": "another-group",
    "cost": {"amount": "0.01", "currency": "GBP"},
    "expected_receipt_ms": EPOCH,
    "forecaster": "empirical_56_open_days",
    "input_digest": "f" * 64,
    "allocation_run_id": "another-run",
    "allocation_digest": "f" * 64,
    "unspent_budget": {"amount": "1.00", "currency": "GBP"},
    "action": {
        "event_type": "hold",
        "decision_id": "another-id",
        "event_time_ms": EPOCH,
        "author": "ada",
        "reason": "supplier strike",
    },
}


def test_every_field_of_a_decision_has_a_changed_value() -> None:
    assert set(CHANGED_FIELDS) | {"version", "inputs"} == set(ReorderDecision.model_fields)


@pytest.mark.parametrize("name", CHANGED_FIELDS)
def test_a_changed_result_is_found(name: str) -> None:
    recorded = Recorded(budgeted_log())
    cut = next(each for each in recorded.records[DECISIONS] if each["quantity"] and each["adjustments"])
    cut[name] = CHANGED_FIELDS[name]

    assert replayed(recorded).differences


@pytest.mark.parametrize("name", ["quantiles", "seed", "paths", "copula"])
def test_a_changed_forecast_message_is_refused(name: str) -> None:
    recorded = Recorded(budgeted_log())
    message = recorded.records[FORECASTS][0]
    message[name] = {
        "quantiles": [[value * 2 for value in row] for row in message["quantiles"]],
        "seed": 1,
        "paths": 100,
        "copula": {"level": 0.9, "decay": 0.1},
    }[name]

    assert {each.field for each in replayed(recorded).differences} >= {"inputs.forecast.digest"}


@pytest.mark.parametrize(
    "name", ["budget", "proposals_digest", "missing_partitions", "objective", "spent", "lines"]
)
def test_a_changed_allocation_run_is_found(name: str) -> None:
    recorded = Recorded(budgeted_log())
    stored = recorded.records[ALLOCATION_RUNS][0]
    stored[name] = {
        "budget": {"amount": "100.00", "currency": "GBP"},
        "proposals_digest": "f" * 64,
        "missing_partitions": [1],
        "objective": stored["objective"] + 1,
        "spent": {"amount": "1.00", "currency": "GBP"},
        "lines": stored["lines"][1:],
    }[name]

    assert replayed(recorded).differences


def test_a_missing_forecast_or_decision_is_found() -> None:
    for topic in (FORECASTS, DECISIONS, ALLOCATION_RUNS):
        recorded = Recorded(budgeted_log())
        recorded.records[topic].pop()

        assert replayed(recorded).differences


def test_the_same_decision_twice_is_fine_and_with_another_content_it_is_not() -> None:
    recorded = Recorded(budgeted_log())
    recorded.records[DECISIONS] *= 2
    assert replayed(recorded).differences == []

    recorded.records[DECISIONS].append(ordered(recorded) | {"quantity": 1})
    assert replayed(recorded).differences


def test_a_solve_that_ended_at_its_time_limit_is_verified_and_counted_apart() -> None:
    recorded = Recorded(allocated())
    for stored in recorded.records[ALLOCATION_RUNS]:
        stored["status"] = "feasible_time_limit"
    result = replayed(recorded)
    assert dict(result.runs) == {"feasible_time_limit": 1}
    assert {each.field for each in result.differences} == {"allocation_digest"}

    recorded.records[ALLOCATION_RUNS][0]["objective"] += 1
    assert "objective" in {each.field for each in replayed(recorded).differences}


def test_blocked_decisions_are_reproduced_with_their_reasons() -> None:
    log = opened_shop(["A", "B"])
    log.append(ITEMS, partition_of("E"), item("E"))
    entries = [*log.entries, *close_epoch(log, ["B", "E"])]
    stage = planner()
    feed(stage, entries)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE)
    run(allocator(log), log, now=0.0)

    assert {each.sku: each.status for each in log.messages(DECISIONS)} == {
        "A": "blocked", "B": "order", "E": "blocked",
    }  # fmt: skip
    assert replayed(Recorded(log)).differences == []


def test_decisions_can_be_replayed_from_files(tmp_path: Path) -> None:
    recorded = Recorded(budgeted_log())
    for topic in recorded.records:
        (tmp_path / f"{topic}.jsonl").write_bytes(b"\n".join(recorded.values(topic)) + b"\n")

    assert replay_records(FolderSource(tmp_path)).reproduced == 4
    with pytest.raises(StockstreamError, match=r"inventory\.reorder-decisions\.v1\.jsonl"):
        replay_records(FolderSource(tmp_path / "nowhere"))


def test_decisions_by_every_named_policy_are_reproduced() -> None:
    log = opened_shop([])
    skus = [f"P{number}" for number in range(len(POLICIES))]
    for sku, replenishment in zip(skus, POLICIES, strict=True):
        log.append(ITEMS, partition_of(sku), item(sku, replenishment=replenishment))
        log.append(STOCK_LEVELS, partition_of(sku), level(sku, 20))
    stage = planner()
    feed(stage, [*log.entries, *close_epoch(log, skus)])
    run(stage, log, now=0.0)
    run(allocator(log), log, now=0.0)

    decided = {each.sku: each.inputs.replenishment for each in log.messages(DECISIONS)}
    assert decided == dict(zip(skus, POLICIES, strict=True))
    result = replayed(Recorded(log))
    assert (result.differences, result.reproduced) == ([], len(skus))
