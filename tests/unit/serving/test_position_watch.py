"""Positions watched between reviews: stock used up too fast, and orders later than their suppliers are."""

from typing import Any

import pytest

from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import PURCHASE_ORDERS, STOCK_LEVELS
from serving.inventory.nervousness import Nervousness
from serving.planner_stage import PlannerStage, planner_partitions
from tests.unit.serving.between_reviews import (
    CLOCKED,
    HOUR_MS,
    NEXT_EPOCH,
    TUESDAY,
    decisions,
    reviewed,
)
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    EPOCH,
    PARTITIONS,
    MemoryLog,
    Tally,
    feed,
    heartbeats,
    level,
    order,
    partition_of,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import DEADLINE


def watching(log: MemoryLog, watch: bool = True) -> PlannerStage:
    owned = frozenset(range(PARTITIONS))
    stage = PlannerStage(owned, PARTITIONS, BOUND_MS, DEADLINE, Tally(), Nervousness(watch=watch))
    assigned = set(planner_partitions(owned, PARTITIONS))
    feed(stage, [each for each in log.entries if (each.topic, each.partition) in assigned])
    return stage


def snapshot(day: int, on_hand: int) -> tuple[str, Any]:
    """Stock of A at the midnight that begins a day after the review."""
    made = level("A", on_hand, EPOCH + day * DAY_MS)
    return STOCK_LEVELS, made.model_copy(update={"event_type": "snapshot"})


def watched(log: MemoryLog, *records: tuple[str, Any], watch: bool = True) -> list[ReorderDecision]:
    for topic, record in records:
        log.append(topic, partition_of("A"), record)
        heartbeats(log, CLOCKED, record.event_time_ms)
        for _ in range(3):
            run(watching(log, watch), log, now=0.0)
            run(allocator(log), log, now=0.0)
    return decisions(log)


def test_stock_that_falls_below_what_was_projected_is_decided_at_once() -> None:
    first, second = watched(reviewed(), snapshot(1, 62), snapshot(2, 58), snapshot(3, 50))

    assert second.cause == f"surge:level-A-{EPOCH + DAY_MS}"
    assert (second.epoch_ms, second.supersedes) == (EPOCH + DAY_MS, first.decision_id)
    assert second.inputs.on_hand == 62
    assert second.quantity > first.quantity


def test_nobody_is_nervous_about_usual_demand() -> None:
    usual = [snapshot(day, 100 - 10 * day) for day in range(1, 5)]

    assert len(watched(reviewed(), *usual)) == 1


def test_positions_are_watched_only_where_that_is_asked_for() -> None:
    assert len(watched(reviewed(), snapshot(1, 62), snapshot(2, 58), watch=False)) == 1


def test_a_shelf_that_empties_early_does_not_wait_for_midnight() -> None:
    _, second = watched(reviewed(), (STOCK_LEVELS, level("A", 0, TUESDAY)))

    assert (second.cause, second.epoch_ms) == (f"surge:level-A-{TUESDAY}", TUESDAY)


def test_a_shelf_that_is_all_reserved_is_as_empty_and_what_is_owed_goes_on_falling() -> None:
    _, reserved = watched(reviewed(), (STOCK_LEVELS, level("A", 60, TUESDAY, reserved=60)))
    _, owed = watched(reviewed(), (STOCK_LEVELS, level("A", 0, TUESDAY, backordered=30)))

    assert reserved.cause == owed.cause == f"surge:level-A-{TUESDAY}"
    assert owed.quantity >= reserved.quantity


@pytest.mark.parametrize(("arrived", "causes"), [(0, []), (60, [f"surge:level-A-{EPOCH + DAY_MS}"])])
def test_what_has_arrived_is_projected_too(arrived: int, causes: list[str]) -> None:
    receipt = [(PURCHASE_ORDERS, order("received", "po-late", EPOCH + HOUR_MS, arrived))] if arrived else []
    found = watched(reviewed(), *receipt, snapshot(1, 70))

    assert [each.cause for each in found[1:]] == causes


def test_an_order_that_is_later_than_its_supplier_usually_is_is_decided_upon_once() -> None:
    late = order("placed", "po-late", EPOCH - 12 * DAY_MS, 60)
    found = watched(reviewed(), (PURCHASE_ORDERS, late), *(snapshot(day, 30) for day in (3, 4, 5)))

    assert [each.cause for each in found][1:] == ["late_order:po-late"]
    assert (found[1].epoch_ms, found[1].supersedes) == (EPOCH + 3 * DAY_MS, found[0].decision_id)


def test_watching_stages_that_restart_decide_what_one_that_lives_does() -> None:
    records = [snapshot(1, 90), (STOCK_LEVELS, level("A", 0, TUESDAY)), snapshot(3, 0), snapshot(7, 0)]
    expected = watched(reviewed(), *records)
    log = reviewed()
    for topic, record in records:
        log.append(topic, partition_of("A"), record)
    heartbeats(log, CLOCKED, NEXT_EPOCH)
    for _ in range(4):
        run(watching(log), log, now=0.0)
        run(allocator(log), log, now=0.0)

    assert decisions(log) == expected
    assert [each.is_revision() for each in expected] == [False, True, False]
