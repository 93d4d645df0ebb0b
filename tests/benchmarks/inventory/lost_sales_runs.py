"""Runs of lost-sales policies on common demand: many independent shelves side by side."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
DecideOnDay = Callable[[int, Integers], Integers]
"""Orders [shelves] on a day in states (on hand, arriving next day, ..) [shelves, lead time]."""
_SIDE_BY_SIDE = 16


def run_costs(
    decide: DecideOnDay, demand: Integers, lead_time: int, day_costs: Floats, warm_up: int
) -> Floats:
    """Average cost a day of each shelf after the warm-up [shelves].

    A day's cost is the expected one given the stock with which it opens; demand only moves the stock.

    Args:
        decide: the policy.
        demand: units [shelves, days].
        lead_time: days.
        day_costs: expected cost [days of a cycle, units]; beyond the last unit the last step goes on.
        warm_up: days that are not counted.
    """
    shelves, days = demand.shape
    states = np.full((shelves, lead_time), round(float(demand.mean())), dtype=np.int64)
    total = np.zeros(shelves)
    for day in range(days):
        if day >= warm_up:
            total += _cost(day_costs[day % len(day_costs)], states[:, 0])
        orders = decide(day, states)
        left = np.maximum(states[:, 0] - demand[:, day], 0)
        pipeline = np.column_stack([states[:, 1:], orders])
        states = np.column_stack([left + pipeline[:, 0], pipeline[:, 1:]])
    total /= days - warm_up
    return total


def _cost(costs: Floats, on_hand: Integers) -> Floats:
    last = len(costs) - 1
    step = costs[last] - costs[last - 1]
    found: Floats = costs[np.minimum(on_hand, last)] + np.maximum(on_hand - last, 0) * step
    return found


def cheapest(
    policy: Callable[[Floats], DecideOnDay],
    grid: Floats,
    demand: Integers,
    lead_time: int,
    day_costs: Floats,
    warm_up: int,
) -> Floats:
    """The parameters that cost least on demand set aside for choosing.

    Args:
        policy: decides for shelves that each have parameters of their own [shelves, parameters].
        grid: candidates [candidates, parameters].
        demand: units [shelves, days]; every candidate meets all of it.
        lead_time: days.
        day_costs: as in `run_costs`.
        warm_up: days that are not counted.
    """
    shelves, means = len(demand), []
    for start in range(0, len(grid), _SIDE_BY_SIDE):
        part = grid[start : start + _SIDE_BY_SIDE]
        decide = policy(np.repeat(part, shelves, axis=0))
        costs = run_costs(decide, np.tile(demand, (len(part), 1)), lead_time, day_costs, warm_up)
        means.append(costs.reshape(len(part), shelves).mean(axis=1))
    best: Floats = grid[int(np.concatenate(means).argmin())]
    return best
