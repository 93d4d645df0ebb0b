"""One item whose unmet demand waits: exact optimal levels, from the cost of an inventory position.

With backorders everything that an order decides is the inventory position after it: the stock level a lead
time later is that position less the demand until then, whatever the open orders are (Snyder & Shen,
Fundamentals of Supply Chain Theory, chapters 4 and 5).
"""

from dataclasses import dataclass

import numpy as np

from infra.errors import StockstreamError
from serving.inventory.exact.lost_sales_model import Floats

_MAX_SWEEPS = 100_000


@dataclass(frozen=True)
class PositionCosts:
    """Expected holding and backorder cost of a period for each inventory position.

    Attributes:
        lowest: the first position.
        costs: at `lowest`, `lowest` + 1, ..
    """

    lowest: int
    costs: Floats

    @property
    def positions(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The positions that the costs belong to."""
        return np.arange(self.lowest, self.lowest + len(self.costs))

    @property
    def best(self) -> tuple[int, float]:
        """The optimal base-stock level without ordering cost, and its cost."""
        index = int(self.costs.argmin())
        return self.lowest + index, float(self.costs[index])


def position_costs(covered: Floats, holding_cost: float, backorder_cost: float) -> PositionCosts:
    """Costs of positions from the probabilities 0, 1, .. of demand over the lead time and the period charged.

    >>> from scipy import stats
    >>> level, cost = position_costs(stats.poisson(50).pmf(np.arange(200)), 0.18, 0.70).best
    >>> level, round(cost, 6)  # stockpyl: newsvendor_poisson(0.18, 0.70, 50)
    (56, 1.797235)
    """
    units = np.arange(len(covered))
    lowest = -4 * len(covered)
    positions = np.arange(lowest, 2 * len(covered))
    left = np.maximum(positions[:, None] - units, 0) @ covered
    short = left - (positions - float(units @ covered))
    return PositionCosts(lowest, holding_cost * left + backorder_cost * short)


def best_reorder_levels(demand: Floats, at: PositionCosts, ordering_cost: float) -> tuple[int, int, float]:
    """Optimal (s, S) with a fixed cost per order, and its average cost, by dynamic programming.

    Args:
        demand: probabilities of 0, 1, .. units in a period.
        at: cost of the position after ordering.
        ordering_cost: per order.

    Returns:
        Reorder point, order-up-to level, cost per period.

    Raises:
        StockstreamError: value iteration came to no end, or no position is so low that an order pays.
    """
    values, after = np.zeros(len(at.costs)), np.zeros(len(at.costs))
    index = np.arange(len(values))
    step = np.maximum(index[:, None] - np.arange(len(demand)), 0)
    for _ in range(_MAX_SWEEPS):
        after = at.costs + values[step] @ demand
        cheapest_above = np.minimum.accumulate(after[::-1])[::-1]
        updated = np.minimum(after, ordering_cost + cheapest_above)
        low, high = float((updated - values).min()), float((updated - values).max())
        values = updated - updated[-1]
        if high - low <= 1e-12 * abs(low):
            ordering = after > ordering_cost + cheapest_above
            if not ordering.any():
                raise StockstreamError(
                    f"ordering cost {ordering_cost!r}: too high for positions down to {at.lowest}"
                )
            return at.lowest + int(index[ordering].max()), at.lowest + int(after.argmin()), (low + high) / 2
    raise StockstreamError(f"no (s, S) after {_MAX_SWEEPS} sweeps")


def best_fixed_quantity(
    at: PositionCosts, mean_demand: float, ordering_cost: float
) -> tuple[int, int, float]:
    """Optimal (r, Q) under continuous review with unit demands, and its average cost.

    The Q cheapest neighbouring positions, as long as one more lowers the average (Federgruen & Zheng 1992).

    Args:
        at: cost of a position, from demand over the lead time.
        mean_demand: per unit of time.
        ordering_cost: per order.

    Returns:
        Reorder point, order quantity, cost per unit of time.
    """
    low = high = int(at.costs.argmin())
    total = ordering_cost * mean_demand + at.costs[low]
    while min(at.costs[low - 1], at.costs[high + 1]) < total / (high - low + 1):
        if at.costs[low - 1] < at.costs[high + 1]:
            low -= 1
            total += at.costs[low]
        else:
            high += 1
            total += at.costs[high]
    return at.lowest + low - 1, high - low + 1, float(total / (high - low + 1))
