from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.message import Money
from infra.contracts.shop import Item
from serving.simulation.comparison_planners import (
    StockView,
    days_of_cover,
    mean_and_deviation,
    order_quantity,
)


def view(
    sold: tuple[int, ...], on_hand: int = 0, on_order: int = 0, pack: int = 1, least: int = 1
) -> StockView:
    item = Item(
        event_id="item",
        event_time_ms=0,
        sku="10001",
        location="gb-main",
        supplier="supplier-01",
        planning_group="gb-main",
        unit_cost=Money(amount="1.00", currency="GBP"),
        price=Money(amount="2.00", currency="GBP"),
        min_order_quantity=least,
        case_pack=pack,
        lead_time_days=9,
        cycle_service_level=0.95,
    )
    return StockView(sold, on_hand, on_order, 9.0, item)


def test_the_textbook_planner_adds_safety_stock_for_lead_time_and_review() -> None:
    """Sales of 8 and 12 in turn over 28 days: mean 10, sample deviation sqrt(28 * 4 / 27); L + R = 16."""
    expected = 10 * 16 + 1.6448536 * sqrt(28 * 4 / 27) * 4

    assert mean_and_deviation(view((8, 12) * 14)) == pytest.approx(expected)


def test_days_of_cover_is_lead_time_review_and_a_week() -> None:
    assert days_of_cover(view((10,) * 28)) == 10 * (9 + 7 + 7)


def test_steady_demand_needs_no_safety_stock() -> None:
    assert mean_and_deviation(view((10,) * 28)) == 160


@given(
    target=st.floats(0, 5000),
    on_hand=st.integers(0, 2000),
    on_order=st.integers(0, 2000),
    pack=st.integers(1, 48),
    least=st.integers(1, 200),
)
def test_orders_are_the_fewest_packs_that_reach_target_and_minimum(
    target: float, on_hand: int, on_order: int, pack: int, least: int
) -> None:
    quantity = order_quantity(target, view((1, 1), on_hand, on_order, pack, least))

    if on_hand + on_order >= target:
        assert quantity == 0
    else:
        assert quantity % pack == 0
        assert quantity >= least
        assert on_hand + on_order + quantity >= target
        fewer = quantity - pack
        assert fewer < least or on_hand + on_order + fewer < target
