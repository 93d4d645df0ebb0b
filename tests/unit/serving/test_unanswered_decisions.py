"""A decision is on its way to being an order: until purchasing answers, it counts as one."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from infra.contracts.inventory import OpenOrder, Proposal, ReorderDecision
from infra.contracts.topics import CALENDARS, DECISIONS, FORECASTS, POLICIES, PROPOSALS, PURCHASE_ORDERS
from serving.inventory.ledger import Ledger
from serving.inventory.unanswered import LAPSES_AFTER_MS
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    LOCATION,
    PLANNER_TOPICS,
    MemoryLog,
    calendar,
    close_epoch,
    forecast,
    heartbeats,
    opened_shop,
    order,
    partition_of,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as restarted_allocator
from tests.unit.serving.test_planner_stage import DEADLINE
from tests.unit.serving.test_planner_stage import restarted as restarted_planner

KEY = ("A", LOCATION)
NEXT = EPOCH + DAY_MS


def decided(allocate: bool = True) -> MemoryLog:
    """A shop with daily reviews, its first epoch decided."""
    log = opened_shop(["A"], on_hand=20)
    log.append(CALENDARS, 0, calendar(review_weekdays=list(range(7)), event_id="daily"))
    list(close_epoch(log, ["A"]))
    run(restarted_planner(log), log, now=0.0)
    run(restarted_planner(log), log, now=0.0)  # the partition without SKUs follows the other
    if allocate:
        run(restarted_allocator(log), log, now=0.0)
    return log


def the_decision(log: MemoryLog) -> ReorderDecision:
    decision: ReorderDecision = log.messages(DECISIONS)[0]
    return decision


def close_next(log: MemoryLog) -> MemoryLog:
    log.append(FORECASTS, partition_of("A"), forecast("A", NEXT))
    list(heartbeats(log, (*PLANNER_TOPICS, POLICIES), NEXT))
    return log


def next_proposals(log: MemoryLog) -> list[Proposal]:
    made = [each for each in log.messages(PROPOSALS) if isinstance(each, Proposal)]
    return [each for each in made if each.epoch_ms == NEXT]


def answer(log: MemoryLog, kind: Any, quantity: int, at_ms: int = EPOCH + 600_000) -> None:
    event = order(kind, "po-new", at_ms, quantity, decision_id=the_decision(log).decision_id)
    log.append(PURCHASE_ORDERS, partition_of("A"), event)


def planned(log: MemoryLog) -> Proposal:
    run(restarted_planner(log), log, now=0.0)
    (proposal,) = next_proposals(log)
    return proposal


def test_what_was_decided_yesterday_is_not_ordered_again_today_although_no_order_has_come() -> None:
    log = decided()
    first = the_decision(log)
    assert first.quantity > 0

    second = planned(close_next(log))

    waiting = OpenOrder(
        order_id=first.decision_id,
        supplier=first.supplier,
        outstanding=first.quantity,
        placed_ms=EPOCH,
    )
    declined = decided()
    answer(declined, "cancelled", first.quantity)
    assert second.inputs.open_orders == [waiting]
    assert second.quantity < planned(close_next(declined)).quantity


def test_an_order_takes_the_place_of_its_decision_and_is_not_counted_beside_it() -> None:
    log = decided()
    answer(log, "placed", the_decision(log).quantity + 4)

    (only,) = planned(close_next(log)).inputs.open_orders

    assert (only.order_id, only.outstanding) == ("po-new", the_decision(log).quantity + 4)


def test_an_order_that_is_placed_after_the_epoch_leaves_the_decision_counted_at_it() -> None:
    log = decided()
    answer(log, "placed", the_decision(log).quantity, at_ms=NEXT + 1)

    (only,) = planned(close_next(log)).inputs.open_orders

    assert only.order_id == the_decision(log).decision_id


def test_a_decision_that_purchasing_cancels_is_no_longer_expected() -> None:
    log = decided()
    answer(log, "cancelled", the_decision(log).quantity)

    assert planned(close_next(log)).inputs.open_orders == []


def test_the_next_epoch_waits_until_the_one_before_has_its_decision() -> None:
    log = close_next(decided(allocate=False))
    stage = restarted_planner(log)
    run(stage, log, now=0.0)
    assert next_proposals(log) == []

    run(restarted_allocator(log), log, now=0.0)

    (only,) = planned(log).inputs.open_orders
    assert only.order_id == the_decision(log).decision_id


def test_an_allocator_that_never_decides_holds_the_planner_no_longer_than_the_deadline() -> None:
    log = close_next(decided(allocate=False))
    stage = restarted_planner(log)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE)

    (late,) = next_proposals(log)
    assert late.inputs.input_stale


def test_the_ledger_does_not_depend_on_the_order_of_decisions_and_orders() -> None:
    log = decided()
    first = the_decision(log)
    later = first.model_copy(
        update={"decision_id": "later", "epoch_ms": NEXT, "supersedes": first.decision_id, "quantity": 7}
    )
    events: list[Callable[[Ledger], None]] = [
        lambda ledger: ledger.apply_decision(first),
        lambda ledger: ledger.apply_decision(later),
        lambda ledger: ledger.apply_order(order("placed", "po-1", NEXT + 5, 7, decision_id="later")),
    ]
    for arrival in itertools.permutations([*events, events[0]]):
        ledger = Ledger()
        for apply in arrival:
            apply(ledger)
        names = [
            [each.order_id for each in ledger.on_order(KEY, at_ms)]
            for at_ms in (EPOCH, EPOCH + 1, NEXT, NEXT + 1, NEXT + 5)
        ]
        assert names == [[], [first.decision_id], [], ["later"], ["po-1"]]


@pytest.mark.parametrize(("age_ms", "expected"), [(LAPSES_AFTER_MS, 1), (LAPSES_AFTER_MS + 1, 0)])
def test_a_decision_that_nobody_answers_lapses_after_a_week(age_ms: int, expected: int) -> None:
    ledger = Ledger()
    ledger.apply_decision(the_decision(decided()))
    ledger.forget_before(EPOCH + age_ms)

    assert len(ledger.on_order(KEY, EPOCH + age_ms)) == expected


def test_an_order_whose_placing_was_lost_is_known_by_its_acknowledgement() -> None:
    ledger = Ledger()
    ledger.apply_order(order("acknowledged", "po-1", NEXT, 9, decision_id="d-1"))
    ledger.apply_order(order("received", "po-1", NEXT + 1, 4))

    assert [each.outstanding for each in ledger.open_orders(KEY, NEXT + 1)] == [5]


def test_what_arrives_beyond_an_order_leaves_nothing_to_come() -> None:
    ledger = Ledger()
    ledger.apply_order(order("placed", "po-1", EPOCH, 5))
    ledger.apply_order(order("received", "po-1", NEXT, 8))

    assert ledger.open_orders(KEY, NEXT) == []
