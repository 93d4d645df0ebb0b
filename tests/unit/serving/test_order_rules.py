from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.inventory import DecisionInputs, LeadTimeCount, OpenOrder
from infra.contracts.message import Money
from serving.inventory.order_rules import MAX_UNITS, Steps, apply_order_rules
from tests.unit.serving.records import OPENING, ZONE


def inputs(**changes: Any) -> DecisionInputs:
    return DecisionInputs(
        **{
            "forecast": None,
            "on_hand": 0,
            "open_orders": [],
            "lead_times": [LeadTimeCount(days=6, receipts=5)],
            "review_period_days": 7,
            "cycle_service_level": 0.95,
            "min_order_quantity": 1,
            "case_pack": 1,
            "maximum_stock": None,
            "supplier": "supplier-1",
            "unit_cost": Money(amount="1.30", currency="GBP"),
            "price": Money(amount="2.95", currency="GBP"),
            "planning_group": "gb-main",
            "time_zone": ZONE,
            "end_ms": None,
            "input_stale": False,
            **changes,
        }
    )


def ordered(wanted: int, cover_units: int = MAX_UNITS, **changes: Any) -> Steps:
    steps = Steps(wanted)
    apply_order_rules(steps, inputs(**changes), cover_units)
    return steps


@given(
    st.integers(0, 500),
    st.integers(1, 60),
    st.integers(1, 30),
    st.none() | st.integers(0, 300),
    st.integers(0, 200),
)
def test_orders_are_whole_packs_of_at_least_the_minimum_and_never_pass_the_maximum(
    wanted: int, minimum: int, pack: int, maximum: int | None, on_hand: int
) -> None:
    quantity = ordered(
        wanted, min_order_quantity=minimum, case_pack=pack, maximum_stock=maximum, on_hand=on_hand
    ).quantity

    assert quantity % pack == 0
    assert quantity == 0 or quantity >= minimum
    assert maximum is None or quantity == 0 or on_hand + quantity <= maximum
    assert wanted > 0 or quantity == 0
    if maximum is None and wanted > 0:
        assert max(wanted, minimum) <= quantity < max(wanted, minimum) + pack


@given(st.integers(0, 500), st.integers(1, 60), st.integers(1, 30), st.none() | st.integers(0, 300))
def test_the_adjustments_lead_from_the_wanted_to_the_ordered_quantity(
    wanted: int, minimum: int, pack: int, maximum: int | None
) -> None:
    steps = ordered(wanted, min_order_quantity=minimum, case_pack=pack, maximum_stock=maximum)

    path = [wanted, *(step.after for step in steps.adjustments)]
    assert path[-1] == steps.quantity
    assert [step.before for step in steps.adjustments] == path[:-1]
    assert all(step.before != step.after for step in steps.adjustments)


def test_packs_are_rounded_down_and_flagged_where_rounding_up_passes_the_maximum() -> None:
    steps = ordered(20, case_pack=12, maximum_stock=22)

    assert steps.quantity == 12
    assert [(step.reason, step.before, step.after) for step in steps.adjustments] == [
        ("CASE_PACK", 20, 24),
        ("MAXIMUM_STOCK", 24, 12),
    ]


def test_nothing_is_ordered_where_the_minimum_order_does_not_fit_under_the_maximum() -> None:
    steps = ordered(20, min_order_quantity=30, maximum_stock=25)

    assert steps.quantity == 0
    assert steps.adjustments[-1].reason == "MAXIMUM_STOCK"


@pytest.mark.parametrize("outstanding", [10, 30])
def test_open_orders_count_towards_the_maximum(outstanding: int) -> None:
    coming = OpenOrder(order_id="po-1", supplier="supplier-1", outstanding=outstanding, placed_ms=OPENING)

    assert ordered(50, maximum_stock=40, on_hand=5, open_orders=[coming]).quantity == 40 - 5 - outstanding
