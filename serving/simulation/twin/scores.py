"""What a run comes to: sums per row, from which every metric is a ratio of sums over rows and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.inventory.cover import Floats, Integers
from serving.simulation.twin.costs import Costs
from serving.simulation.twin.loop import Trace
from serving.simulation.twin.world import World

DAYS_A_YEAR = 365
METRICS = {
    "total_cost": "holding, shortage, ordering and waste, money",
    "holding_cost": "money",
    "shortage_cost": "money",
    "ordering_cost": "money",
    "waste_cost": "money",
    "fill_rate": "units served on their day / units wanted",
    "cycle_service": "share of review periods without unmet demand",
    "turns": "cost of the units served in a year / average stock value",
    "average_stock_value": "of the closes, money",
    "orders": "order lines",
    "bullwhip": "variance of orders / of demand, per review period; rows weighted by 1 / mean demand squared",
    "nervousness": "cost of the change of the order from one review to the next / cost of the orders",
}


@dataclass(frozen=True)
class Sums:
    """A numerator and a denominator of every metric, for each row (metrics, rows)."""

    numerators: Floats
    denominators: Floats

    def values(self) -> Floats:
        """Each metric over all rows (metrics,)."""
        values: Floats = _ratio(self.numerators.sum(axis=1), self.denominators.sum(axis=1))
        return values


def _ratio(numerators: Floats, denominators: Floats) -> Floats:
    return np.divide(numerators, denominators, out=np.zeros_like(numerators), where=denominators > 0)


def mean_of(runs: Sequence[Sums]) -> Sums:
    """The mean of every sum over the runs."""
    return Sums(
        np.mean([run.numerators for run in runs], axis=0),
        np.mean([run.denominators for run in runs], axis=0),
    )


def sums_of(trace: Trace, world: World, costs: Costs, days: slice) -> Sums:
    """The sums of a run's days, counted from the first simulated one."""
    counted = Trace(*(each[:, days] for each in vars(trace).values()))
    unmet = counted.demand - counted.served
    value = (counted.on_hand * world.unit_costs[:, None]).sum(axis=1)
    margin = np.maximum(costs.shortage_of_margin * world.unit_margins, costs.shortage_floor)
    holding = value * costs.holding_per_year / DAYS_A_YEAR
    shortage = unmet.sum(axis=1) * margin
    ordering = (counted.ordered > 0).sum(axis=1) * costs.order_line
    waste = counted.wasted.sum(axis=1) * world.unit_costs * costs.waste_of_cost
    periods = _Periods(counted, world, world.start + days.start)
    rows, count = counted.demand.shape
    one = np.full(rows, 1 / rows)
    served, wanted = counted.served.sum(axis=1), counted.demand.sum(axis=1)
    pairs = [
        (holding + shortage + ordering + waste, one),
        (holding, one),
        (shortage, one),
        (ordering, one),
        (waste, one),
        (served, wanted),
        (periods.full, periods.count),
        (DAYS_A_YEAR * served * world.unit_costs, value),
        (value / count, one),
        ((counted.ordered > 0).sum(axis=1), one),
        (periods.order_variance, periods.demand_variance),
        (periods.changes * world.unit_costs, counted.ordered.sum(axis=1) * world.unit_costs),
    ]
    return Sums(
        np.stack([np.asarray(over, dtype=float) for over, _ in pairs]),
        np.stack([np.asarray(under, dtype=float) for _, under in pairs]),
    )


class _Periods:
    """A run cut at its reviews: whole review periods only."""

    def __init__(self, trace: Trace, world: World, first: int) -> None:
        days = trace.demand.shape[1]
        starts = np.array([each - first for each in world.review_columns() if 0 <= each - first < days])
        if len(starts) < 2:
            starts = np.array([0, days])
        whole = slice(starts[0], starts[-1])
        cuts = starts[:-1] - starts[0]
        unmet = np.add.reduceat((trace.demand - trace.served)[:, whole], cuts, axis=1)
        demand, orders = _sums(trace.demand[:, whole], cuts), _sums(trace.ordered[:, whole], cuts)
        weight = _ratio(np.ones(len(demand)), demand.mean(axis=1) ** 2)
        self.full = (unmet == 0).sum(axis=1)
        self.count = np.full(len(unmet), len(cuts))
        self.demand_variance = demand.var(axis=1) * weight
        self.order_variance = orders.var(axis=1) * weight
        self.changes = np.abs(np.diff(orders, axis=1)).sum(axis=1)


def _sums(units: Integers, cuts: Integers) -> Floats:
    total: Floats = np.add.reduceat(units, cuts, axis=1).astype(float)
    return total
