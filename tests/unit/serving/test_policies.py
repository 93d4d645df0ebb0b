import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from serving.inventory.policies import (
    base_stock,
    capped_base_stock,
    critical_ratio,
    fixed_quantity,
    min_max,
    newsvendor,
    projected_inventory_level,
    projected_stock,
)

positions = st.lists(st.integers(-50, 100), min_size=1, max_size=20)


@given(positions, st.integers(0, 60), st.integers(1, 40))
def test_a_fixed_quantity_is_the_least_multiple_that_lifts_the_position_above_the_reorder_point(
    position: list[int], point: int, quantity: int
) -> None:
    at = np.array(position)
    orders = fixed_quantity(at, np.array([point]), np.array([quantity]))

    assert np.all(orders % quantity == 0)
    assert np.all(at + orders > point)
    assert np.all((orders == 0) | (at + orders - quantity <= point))


@given(positions, st.integers(0, 60), st.integers(1, 40))
def test_a_cap_without_effect_leaves_base_stock_and_min_max_without_a_gap_is_base_stock(
    position: list[int], level: int, gap: int
) -> None:
    at, up_to = np.array(position), np.array([level])

    assert np.array_equal(capped_base_stock(at, up_to, np.array([1000])), base_stock(at, up_to))
    assert np.array_equal(min_max(at, up_to - 1, up_to), base_stock(at, up_to))
    ordered = min_max(at, up_to - gap, up_to)
    assert np.all((ordered == 0) | (ordered >= gap))


def test_the_newsvendor_covers_demand_with_the_critical_ratio_and_one_unit_less_does_not() -> None:
    """Poisson 50, holding 0.18, stockout 0.70: stockpyl's example orders 56."""
    demand = poisson(50).ppf((np.arange(20_000) + 0.5) / 20_000)[None]

    assert newsvendor(demand, critical_ratio(np.array([0.70]), np.array([0.18]))).tolist() == [56]


def test_projected_stock_counts_lost_demand_once_and_every_arrival() -> None:
    demand = np.array([[[8.0, 2, 5], [0, 9, 1]]])
    arrivals = np.zeros((2, 1, 3))
    arrivals[:, 0, 1] = [4, 0]

    # sku 0: 5 -> 0 + 4 -> 2 and 5 -> 5 + 4 -> 0; sku 1: 10 -> 2 -> 0 and 10 -> 10 -> 1
    assert projected_stock(np.array([5.0, 10]), arrivals, demand, 2).tolist() == [1.0, 0.5]


def test_the_projected_inventory_level_orders_what_lifts_the_expectation_to_the_level() -> None:
    orders = projected_inventory_level(np.array([3.0, 3.6, 20.0]), np.array([10.75]))

    assert orders.tolist() == [8, 7, 0]


def test_critical_ratio_of_one_to_four() -> None:
    assert critical_ratio(np.array([4.0]), np.array([1.0])) == pytest.approx([0.8])
