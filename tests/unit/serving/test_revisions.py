"""Decisions between reviews, from the topics to the decision that supersedes."""

from decimal import Decimal
from typing import Any

import pytest

from infra.contracts.inventory import Proposal, ReorderDecision
from infra.contracts.shop import StockMovement
from infra.contracts.topics import (
    DECISION_ACTIONS,
    DECISIONS,
    FORECASTS,
    OVERRIDES,
    POLICIES,
    PROPOSALS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)
from serving.inventory.decision_words import explain_decision
from serving.planner_stage import PlannerStage
from tests.unit.serving.planners import action, override
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    LOCATION,
    PLANNER_TOPICS,
    MemoryLog,
    close_epoch,
    feed,
    forecast,
    heartbeats,
    level,
    opened_shop,
    order,
    partition_of,
    policy,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import restarted as planner
from tests.unit.serving.test_reproduction import Recorded, replayed

HOUR_MS = 3_600_000
SKUS = ["A", "B", "C"]
CLOCKED = (*PLANNER_TOPICS, POLICIES, DECISION_ACTIONS, STOCK_MOVEMENTS)
TUESDAY, WEDNESDAY = EPOCH + DAY_MS + 9 * HOUR_MS, EPOCH + 2 * DAY_MS + 15 * HOUR_MS
NEXT_EPOCH = EPOCH + 7 * DAY_MS


def settle(log: MemoryLog) -> None:
    """Fresh stages again and again, until they have nothing to say."""
    before = -1
    while before != len(log.entries):
        before = len(log.entries)
        run(planner(log), log, now=0.0)
        run(allocator(log), log, now=0.0)


def reviewed(budget: str | None = None) -> MemoryLog:
    """A shop after its Monday review, with the forecasts of every day until the next."""
    log = opened_shop(SKUS, on_hand=100)
    if budget is not None:
        log.append(POLICIES, 0, policy(budget))
    list(close_epoch(log, SKUS))
    settle(log)
    for days in range(1, 8):
        for sku in SKUS:
            log.append(FORECASTS, partition_of(sku), forecast(sku, EPOCH + days * DAY_MS))
    return log


def advance(log: MemoryLog, until_ms: int) -> MemoryLog:
    heartbeats(log, CLOCKED, until_ms)
    settle(log)
    return log


def count(sku: str, at_ms: int, on_hand: int) -> list[tuple[str, Any]]:
    """A stock count and the level that it has found."""
    movement = StockMovement(
        event_type="stock_count",
        event_id=f"count-{sku}",
        event_time_ms=at_ms,
        sku=sku,
        location=LOCATION,
        quantity=1,
    )
    return [(STOCK_LEVELS, level(sku, on_hand, at_ms)), (STOCK_MOVEMENTS, movement)]


def happen(log: MemoryLog, *records: tuple[str, Any]) -> MemoryLog:
    for topic, record in records:
        log.append(topic, partition_of(getattr(record, "sku", "A")), record)
    return advance(log, max(record.event_time_ms for _, record in records))


def decisions(log: MemoryLog, sku: str = "A") -> list[ReorderDecision]:
    found = [each for each in log.messages(DECISIONS) if each.sku == sku]
    assert len({each.decision_id for each in found}) == len(found)
    return found


def set_quantity(value: float, at_ms: int = TUESDAY, **changes: Any) -> tuple[str, Any]:
    made = override("order_quantity", value, event_time_ms=at_ms, **changes)
    return OVERRIDES, made.model_copy(update={"expires_ms": at_ms + 21 * DAY_MS})


def placed(decision: ReorderDecision, at_ms: int = EPOCH + 600_000) -> tuple[str, Any]:
    event = order("placed", f"po-{decision.sku}", at_ms, decision.quantity, decision_id=decision.decision_id)
    return PURCHASE_ORDERS, event.model_copy(update={"sku": decision.sku})


def test_an_override_between_reviews_supersedes_what_has_not_been_placed() -> None:
    log = happen(reviewed(), set_quantity(50))
    first, second = decisions(log)

    assert (second.supersedes, second.sequence, second.quantity) == (first.decision_id, 2, 50)
    assert (second.epoch_ms, second.cause) == (TUESDAY, "override:override-1")
    assert second.adjustments[-1].reason == "OVERRIDE_QUANTITY"
    assert explain_decision(second).startswith("because of override:override-1: wanted ")
    assert [len(decisions(log, sku)) for sku in ("B", "C")] == [1, 1]


def test_a_superseded_decision_is_not_on_order_and_the_rest_of_today_is_what_is_still_to_sell() -> None:
    morning, evening = (
        decisions(happen(reviewed(), set_quantity(50, TUESDAY + hours * HOUR_MS)))[1] for hours in (0, 12)
    )

    assert morning.inputs.open_orders == []
    assert morning.inputs.review_period_days == 6
    assert morning.unconstrained_quantity > evening.unconstrained_quantity


def test_an_override_of_a_category_revises_each_of_its_skus() -> None:
    log = happen(reviewed(), set_quantity(50, scope="category:none"))

    assert [decisions(log, sku)[-1].quantity for sku in SKUS] == [50, 50, 50]


def test_what_has_been_placed_keeps_its_order_and_the_next_review_uses_the_override() -> None:
    log = reviewed()
    happen(log, placed(decisions(log)[0]), set_quantity(50))
    assert len(decisions(log)) == 1

    advance(log, NEXT_EPOCH)
    assert decisions(log)[1].quantity == 50


@pytest.mark.parametrize("kind", ["approve", "hold", "reject"])
def test_what_a_planner_has_approved_or_stopped_is_frozen(kind: str) -> None:
    log = reviewed()
    happen(log, (DECISION_ACTIONS, action(kind, decisions(log)[0])))
    before = decisions(log)
    happen(log, set_quantity(50), *count("A", WEDNESDAY, 0))

    assert decisions(log) == before


def test_a_stock_count_that_finds_less_orders_more_and_supersedes() -> None:
    log = happen(reviewed(), *count("B", TUESDAY, 10))
    first, second = decisions(log, "B")

    assert (second.supersedes, second.cause) == (first.decision_id, "stock_count:count-B")
    assert second.inputs.on_hand == 10
    assert second.quantity > first.quantity


def test_a_stock_count_after_the_order_was_placed_orders_what_is_missing_besides_it() -> None:
    log = reviewed()
    first = decisions(log, "B")[0]
    happen(log, placed(first), *count("B", TUESDAY, 0))
    second = decisions(log, "B")[1]

    assert (second.supersedes, second.sequence) == (None, 1)
    assert [each.order_id for each in second.inputs.open_orders] == ["po-B"]
    assert 0 < second.quantity < first.quantity


def test_a_count_that_changes_little_changes_nothing() -> None:
    log = happen(reviewed(), *count("B", TUESDAY, 95))

    assert len(decisions(log, "B")) == 1


def test_after_a_revision_a_sku_is_left_alone_for_a_day_but_not_by_its_planner() -> None:
    log = happen(reviewed(), *count("A", TUESDAY, 10))
    hour_later = [
        (topic, record.model_copy(update={"event_id": "again", "event_time_ms": TUESDAY + HOUR_MS}))
        for topic, record in count("A", TUESDAY, 90)
    ]
    happen(log, *hour_later)
    assert len(decisions(log)) == 2

    happen(log, set_quantity(50, TUESDAY + 2 * HOUR_MS))
    assert [each.sequence for each in decisions(log)] == [1, 2, 3]


def test_a_revision_draws_on_the_unspent_budget_at_the_last_shadow_price() -> None:
    log = reviewed(budget="330.00")
    happen(log, *count("A", TUESDAY, 0))
    first, second = decisions(log)
    newest = [decisions(log, sku)[-1] for sku in SKUS]
    spent = sum(Decimal(each.cost.amount) for each in newest)

    assert second.unconstrained_quantity > first.quantity
    assert second.unspent_budget is not None
    assert Decimal(second.cost.amount) <= Decimal(second.unspent_budget.amount)
    assert spent <= Decimal("330.00")
    assert second.adjustments[-1].reason == "BUDGET"
    assert "of the budget unspent, λ = " in second.adjustments[-1].detail


def test_what_a_planner_stops_frees_its_money_for_others() -> None:
    log = reviewed(budget="300.00")
    happen(log, (DECISION_ACTIONS, action("reject", decisions(log, "C")[0])), *count("A", TUESDAY, 0))
    without = happen(reviewed(budget="300.00"), *count("A", TUESDAY, 0))

    assert decisions(log)[-1].quantity > decisions(without)[-1].quantity


SCRIPT: list[list[tuple[str, Any]]] = [
    [set_quantity(50)],
    count("B", TUESDAY + HOUR_MS, 5),
    [set_quantity(70, WEDNESDAY, scope="category:none", override_id="override-2")],
    count("C", WEDNESDAY + HOUR_MS, 0),
    [set_quantity(50, WEDNESDAY + 2 * HOUR_MS)],
]
"""Overrides and stock counts of three days."""


def scripted(log: MemoryLog) -> dict[str, ReorderDecision]:
    advance(log, NEXT_EPOCH)
    return {each.decision_id: each for each in log.messages(DECISIONS)}


def played() -> MemoryLog:
    log = reviewed(budget="600.00")
    for step in SCRIPT:
        happen(log, *step)
    return log


def test_the_same_script_gives_the_same_decisions_whatever_is_killed_in_between() -> None:
    undisturbed = played()
    expected = scripted(undisturbed)
    assert len(expected) > 2 * len(SKUS) + 3
    inputs = played().entries
    for killed_after in range(len(reviewed("600.00").entries), len(inputs)):
        log = MemoryLog()
        log.entries = list(inputs[:killed_after])
        settle(log)
        known = {each.decision_id for each in log.messages(PROPOSALS) if isinstance(each, Proposal)}
        known |= {each.decision_id for each in log.messages(DECISIONS)}
        for entry in inputs[killed_after:]:
            if getattr(entry.message, "decision_id", "") not in known or entry.topic == PURCHASE_ORDERS:
                log.entries.append(entry)
        assert scripted(log) == expected, killed_after


def test_stages_that_live_through_the_script_decide_what_restarted_ones_do() -> None:
    log = reviewed(budget="600.00")
    stages: tuple[PlannerStage, Any] = planner(log), allocator(log)
    read = len(log.entries)
    for step in [*SCRIPT, []]:
        for topic, record in step:
            log.append(topic, partition_of(getattr(record, "sku", "A")), record)
        heartbeats(log, CLOCKED, max((r.event_time_ms for _, r in step), default=NEXT_EPOCH))
        for _ in range(12):
            entries, read = log.entries[read:], len(log.entries)
            for stage in stages:
                feed(stage, entries)
            for stage in stages:
                for batch in stage.due(0.0):
                    for outgoing in batch:
                        log.append(outgoing.topic, _partition(outgoing), outgoing.message)

    assert {each.decision_id: each for each in log.messages(DECISIONS)} == scripted(played())


def _partition(outgoing: Any) -> int:
    key = outgoing.key.decode()
    return partition_of(key.partition("|")[0] if "|" in key else "")


def test_every_revision_of_the_script_is_reproduced_from_its_inputs() -> None:
    recorded = Recorded(played())
    result = replayed(recorded)

    assert result.differences == []
    assert result.reproduced == len(recorded.records[DECISIONS])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unspent_budget", {"amount": "1.00", "currency": "GBP"}),
        ("quantity", 3),
        ("supersedes", "another-id"),
        ("sequence", 9),
        ("cause", "override:another"),
        ("epoch_ms", TUESDAY + 1),
        ("allocation_digest", "f" * 64),
        ("adjustments", []),
    ],
)
def test_a_changed_revision_is_found(name: str, value: object) -> None:
    recorded = Recorded(happen(reviewed(budget="330.00"), *count("A", TUESDAY, 0)))
    revision = next(each for each in recorded.records[DECISIONS] if each["supersedes"])
    revision[name] = value

    assert replayed(recorded).differences
