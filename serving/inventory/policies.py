"""The textbook policies by name: what to order, given the inventory position. All vectorised over SKUs.

The inventory position is on hand + on order - backorders. A policy with a review period R, such as (R,S) or
(R,s,S), is its continuous namesake asked only at reviews; its levels then cover R + L days, not L.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def base_stock(position: Integers, level: Integers) -> Integers:
    """(R,S): orders up to the level; nothing where the position is above it.

    >>> base_stock(np.array([3, 12]), np.array([10])).tolist()
    [7, 0]
    """
    return np.maximum(level - position, 0)


def capped_base_stock(position: Integers, level: Integers, cap: Integers) -> Integers:
    """Base stock with orders no larger than the cap (for lost sales: Xin, Operations Research 69, 2021).

    >>> capped_base_stock(np.array([3, 8, 12]), np.array([10]), np.array([5])).tolist()
    [5, 2, 0]
    """
    return np.minimum(base_stock(position, level), cap)


def min_max(position: Integers, reorder_point: Integers, level: Integers) -> Integers:
    """(s,S) and (R,s,S): orders up to the level once the position has come down to the reorder point.

    >>> min_max(np.array([5, 4, 1]), np.array([4]), np.array([10])).tolist()
    [0, 6, 9]
    """
    return np.where(position <= reorder_point, base_stock(position, level), 0)


def fixed_quantity(position: Integers, reorder_point: Integers, quantity: Integers) -> Integers:
    """(s,Q): at or below the reorder point, the fewest multiples that lift the position above it.

    >>> fixed_quantity(np.array([5, 4, -3]), np.array([4]), np.array([6])).tolist()
    [0, 6, 12]
    """
    short = np.maximum(reorder_point - position + 1, 0)
    return -(-short // quantity) * quantity


def projected_inventory_level(projected: Floats, level: Floats) -> Integers:
    """Orders what lifts the stock expected at the order's arrival to the level, rounded to whole units.

    For lost sales: van Jaarsveld & Arts, Operations Research 72 (2024), doi 10.1287/opre.2021.0032.

    Args:
        projected: `projected_stock` at the order's arrival [skus].
        level: units [skus].
    """
    rounded: Integers = np.floor(np.maximum(level - projected, 0) + 0.5).astype(np.int64)
    return rounded


def projected_stock(net_stock: Floats, arrivals: Floats, demand: Floats, lead_days: int | Integers) -> Floats:
    """Stock expected when an order of today comes in, unmet demand being lost: the mean over demand paths.

    Args:
        net_stock: units free, less what is owed and served first [skus].
        arrivals: units of open orders before each day opens [skus, paths or 1, days].
        demand: units [skus or 1, paths, days].
        lead_days: the order is on hand when this day opens, counted from 0, for all or for each
        [skus, paths]; what else comes in then counts too.
    """
    stock = net_stock[:, None] + arrivals[:, :, 0]
    at_arrival = stock
    for day in range(int(np.max(lead_days))):
        stock = np.maximum(stock - demand[:, :, day], np.minimum(stock, 0)) + arrivals[:, :, day + 1]
        at_arrival = np.where(np.greater(lead_days, day), stock, at_arrival)
    paths = max(at_arrival.shape[1], demand.shape[1])
    mean: Floats = np.broadcast_to(at_arrival, (len(net_stock), paths)).mean(axis=1)
    return mean


def critical_ratio(underage: Floats, overage: Floats) -> Floats:
    """The probability of meeting demand that balances a unit too few against a unit too many.

    >>> critical_ratio(np.array([39.0]), np.array([1.0])).tolist()
    [0.975]
    """
    return underage / (underage + overage)


def newsvendor(demand: Floats, ratio: Floats) -> Integers:
    """The least quantity that covers demand with the critical ratio [skus].

    Args:
        demand: draws of what one order has to cover [skus, draws].
        ratio: above 0 and below 1 [skus].
    """
    draws = demand.shape[1]
    rank = np.clip(np.ceil(ratio * draws - 1e-9).astype(np.int64) - 1, 0, draws - 1)
    covered: Floats = np.take_along_axis(np.sort(demand, axis=1), rank[:, None], axis=1)[:, 0]
    quantity: Integers = np.ceil(covered).astype(np.int64)
    return quantity
