"""Levels that reach a target, from draws of demand: cycle service or fill rate. Vectorised over SKUs.

`covered` is demand from the epoch until the next review's order can be on hand (days t + 1 .. t + L + R), and
`before` the part of it until this review's order is on hand (days t + 1 .. t + L), on the same draws: L is
drawn too, so that their quantiles hold for a random lead time, and days are summed within a draw, because the
quantile of a sum is not the sum of quantiles. They count for orders that do not cross; else see
`order_up_to`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from serving.inventory.policies import Floats, Integers, newsvendor

Truths = NDArray[np.bool_]


def demand_over(demand: Floats, lead_days: Integers, review_days: int | Integers) -> tuple[Floats, Floats]:
    """Demand until this order and until the next can be on hand: `before` and `covered` [skus, paths].

    Args:
        demand: joint paths [skus or 1, paths, days], days at least as many as the longest L + R.
        lead_days: drawn per path [skus or 1, paths].
        review_days: R, of all SKUs or of each [skus].
    """
    until = np.concatenate([np.zeros((*demand.shape[:2], 1)), np.cumsum(demand, axis=2)], axis=2)
    skus = max(len(demand), len(lead_days))
    until = np.broadcast_to(until, (skus, *until.shape[1:]))
    lead = np.broadcast_to(lead_days, until.shape[:2])[:, :, None]
    before: Floats = np.take_along_axis(until, lead, axis=2)[:, :, 0]
    covered: Floats = np.take_along_axis(until, lead + np.reshape(review_days, (-1, 1, 1)), axis=2)[:, :, 0]
    return before, covered


def level_for_cycle_service(covered: Floats, target: Floats) -> Integers:
    """Type 1: the least level with which a share of cycles of at least the target sees no unmet demand."""
    return newsvendor(covered, target)


def level_for_fill_rate(before: Floats, covered: Floats, target: Floats) -> Integers:
    """Type 2: the least level with which a share of demand of at least the target is served from the shelf.

    With backorders, 1 - (E(covered - S)+ - E(before - S)+) / E(covered - before) (Silver, Pyke & Thomas).
    """

    def reaches(level: Integers) -> Truths:
        short = _excess(covered, level) - _excess(before, level)
        mean = (covered - before).mean(axis=1)
        enough: Truths = short <= (1 - target) * mean + 1e-12
        return enough

    return _least(reaches, np.ceil(covered.max(axis=1)).astype(np.int64))


def reorder_point_for_fill_rate(before: Floats, quantity: Integers, target: Floats) -> Integers:
    """(s,Q), continuous review: the least s >= 0 with 1 - (E(X - s)+ - E(X - s - Q)+) / Q >= the target."""

    def reaches(level: Integers) -> Truths:
        short = _excess(before, level) - _excess(before, level + quantity)
        enough: Truths = short <= (1 - target) * quantity + 1e-12
        return enough

    return _least(reaches, np.ceil(before.max(axis=1)).astype(np.int64))


def _least(reaches: Callable[[Integers], Truths], highest: Integers) -> Integers:
    """The least level up to `highest` that reaches its target, by bisection; every higher one does too."""
    low, high = np.zeros_like(highest), highest
    while (low < high).any():
        middle = (low + high) // 2
        enough = reaches(middle)
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
        low = np.minimum(low, high)
    return high


def _excess(demand: Floats, level: Integers) -> Floats:
    mean: Floats = np.maximum(demand - level[:, None], 0).mean(axis=1)
    return mean
