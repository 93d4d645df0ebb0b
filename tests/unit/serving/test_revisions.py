"""Decisions between reviews, from the topics to the decision that supersedes."""

from decimal import Decimal

import pytest

from infra.contracts.topics import (
    DECISION_ACTIONS,
)
from serving.inventory.decision_words import explain_decision
from tests.unit.serving.between_reviews import (
    HOUR_MS,
    NEXT_EPOCH,
    SKUS,
    TUESDAY,
    WEDNESDAY,
    advance,
    count,
    decisions,
    happen,
    placed,
    reviewed,
    set_quantity,
)
from tests.unit.serving.planners import action
from tests.unit.serving.records import run
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import DEADLINE
from tests.unit.serving.test_planner_stage import restarted as planner


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


def test_an_override_waits_for_inputs_until_the_deadline_and_then_says_that_one_was_stale() -> None:
    log = reviewed()
    topic, said = set_quantity(50)
    log.append(topic, 0, said)
    stage = planner(log)
    for now in (0.0, DEADLINE - 1):
        run(stage, log, now)
        run(allocator(log), log, now)
    assert len(decisions(log)) == 1

    run(stage, log, DEADLINE)
    run(allocator(log), log, DEADLINE)
    assert [step.reason for step in decisions(log)[1].adjustments] == ["OVERRIDE_QUANTITY", "INPUT_STALE"]
    assert len(decisions(advance(log, TUESDAY + HOUR_MS))) == 2


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
    log = happen(reviewed(), *count("B", TUESDAY, 105))

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
