"""Oracles: the examples that stockpyl publishes in the documentation of its functions (version 1.0.2)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from serving.inventory.exact.backorders import best_fixed_quantity, best_reorder_levels, position_costs


def test_the_newsvendor_example() -> None:
    level, cost = position_costs(poisson(50).pmf(np.arange(200)), 0.18, 0.70).best

    assert level == 56
    assert cost == pytest.approx(1.797235211809178)


def test_the_s_s_example() -> None:
    demand = poisson(6).pmf(np.arange(60))
    point, level, cost = best_reorder_levels(demand, position_costs(demand, 1, 4), 5)

    assert (point, level) == (4, 10)
    assert cost == pytest.approx(8.034111561471642)


def test_the_r_q_example() -> None:
    over_lead_time = position_costs(poisson(1.5 * 2).pmf(np.arange(60)), 20, 150)
    point, quantity, cost = best_fixed_quantity(over_lead_time, 1.5, 100)

    assert (point, quantity) == (3, 5)
    assert cost == pytest.approx(107.92358063314975)


def average_of(
    point: int, level: int, demand: list[float], costs: dict[int, float], ordering: float
) -> float:
    """Long-run average of an (s, S) policy by the renewal recursion, position by position."""
    visits = {level: 1 / (1 - demand[0])}
    for position in range(level - 1, point, -1):
        flow = sum(
            visits[above] * demand[above - position]
            for above in range(position + 1, level + 1)
            if above - position < len(demand)
        )
        visits[position] = flow / (1 - demand[0])
    total = sum(visits.values())
    return (ordering + sum(visits[position] * costs[position] for position in visits)) / total


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=5),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(1, 40),
)
@settings(max_examples=30, deadline=None)
def test_no_other_reorder_point_and_level_are_cheaper(
    weights: list[int], holding: int, backorder: int, ordering: int
) -> None:
    demand = np.array(weights) / sum(weights)
    at = position_costs(np.convolve(demand, demand), holding, backorder)
    known = dict(zip(at.positions.tolist(), at.costs.tolist(), strict=True))

    point, level, cost = best_reorder_levels(demand, at, ordering)
    others = [
        average_of(s, upper, demand.tolist(), known, ordering)
        for upper in range(level - 3, min(level + 4, max(known)))
        for s in range(max(upper - 8, min(known) + 1), upper)
    ]

    assert average_of(point, level, demand.tolist(), known, ordering) == pytest.approx(cost)
    assert cost <= min(others) + 1e-9
