"""Levels, reorder points and lots that targets ask for; vectorised over SKUs with one kind of target and lot.

Costs are in unit costs: a unit of unmet demand costs its stockout rate, a unit held for a day the holding
rate divided by the days of a year.
"""

from collections.abc import Sequence

import numpy as np

from infra.contracts.inventory import DecisionInputs
from infra.contracts.replenishment import (
    CycleService,
    EconomicLot,
    FillRate,
    FixedLot,
    GroupFillRate,
    LeastCost,
    Lot,
    Target,
)
from serving.inventory.arrivals import lead_times_of_now
from serving.inventory.money import decimal_of
from serving.inventory.order_rules import MAX_UNITS
from serving.inventory.order_up_to import (
    RealisedService,
    Supply,
    simulated_levels,
    warm_up_reviews,
    whole_level,
)
from serving.inventory.outlook import Outlook
from serving.inventory.policies import Floats, Integers, critical_ratio
from serving.inventory.stock_levels import (
    level_for_cycle_service,
    level_for_fill_rate,
    reorder_point_for_fill_rate,
)

DAYS_A_YEAR = 365
_SMALLEST_AMOUNT = 0.0001


def simulation_group(inputs: DecisionInputs) -> str:
    """What SKUs must share to be simulated together."""
    days = inputs.review_period_days
    return f"{days} {_warm_up(inputs)} {inputs.delivery} {inputs.unmet_demand}"


def _warm_up(inputs: DecisionInputs) -> int:
    return warm_up_reviews(inputs.lead_times[-1].days, inputs.review_period_days)


def simulated_order_up_to_levels(outlook: Outlook, targets: Sequence[Target]) -> Integers:
    """S of (R,S) by simulating the arrivals [skus]; demand and lead times are taken to go on as they are.

    What the days that the order covers ask for beyond the usual is added.

    Args:
        outlook: of SKUs with one `simulation_group`.
        targets: of each SKU.
    """
    first = outlook.inputs[0]
    review_days = min(first.review_period_days, outlook.demand.shape[2])
    supply, warm_up = Supply(first.delivery, first.unmet_demand, review_days), _warm_up(first)
    asked = zip(outlook.inputs, outlook.decision_ids, outlook.epochs_ms, strict=True)
    lead_times = [lead_times_of_now(*each) for each in asked]
    if rates := [target.level for target in targets if isinstance(target, FillRate)]:
        asked_for, service = np.array(rates), _fill_rate
    else:
        review = outlook.review_days.astype(float)
        asked_for, service = cycle_service_levels(outlook, targets, review), _cycle_service
    exact = simulated_levels(outlook.demand, lead_times, supply, warm_up, asked_for, service)
    exact += _beyond_usual(outlook.demand, outlook.lead_days, review_days)
    keyed = zip(exact.tolist(), outlook.decision_ids, strict=True)
    return np.array([whole_level(level, decision_id, "level") for level, decision_id in keyed])


def _fill_rate(found: RealisedService) -> Floats:
    return found.fill_rate


def _cycle_service(found: RealisedService) -> Floats:
    return found.cycle_service


def _beyond_usual(demand: Floats, lead_days: Integers, review_days: int) -> Floats:
    """Mean demand until the next order can arrive, less that of as many simulated days [skus]."""
    mean = demand.mean(axis=1)
    whole = mean.shape[1] // review_days * review_days
    beyond = np.cumsum(mean - mean[:, :whole].mean(axis=1, keepdims=True), axis=1)
    expected: Floats = np.take_along_axis(beyond, lead_days + review_days - 1, axis=1).mean(axis=1)
    return expected


def order_up_to_levels(outlook: Outlook, targets: Sequence[Target]) -> Integers:
    """S of (R,S) for orders that do not cross [skus]: exact for constant lead times and backorders."""
    before, covered = outlook.periods
    if service := [target.level for target in targets if isinstance(target, FillRate)]:
        return level_for_fill_rate(before, covered, np.array(service))
    levels = cycle_service_levels(outlook, targets, outlook.review_days.astype(float))
    return level_for_cycle_service(covered, levels)


def reorder_points(outlook: Outlook, targets: Sequence[Target], lots: Integers) -> Integers:
    """The reorder point s of (s,Q), and of (s,S) with S = s + Q, for stock that a lot replenishes [skus].

    A quantile of demand over L + R days, L as drawn: of orders that cross, or that wait for each other, it
    knows nothing.
    """
    _, covered = outlook.periods
    if service := [target.level for target in targets if isinstance(target, FillRate)]:
        return reorder_point_for_fill_rate(covered, lots, np.array(service))
    cycle_days = np.maximum(lots / _daily_demand(outlook), outlook.review_days)
    return level_for_cycle_service(covered, cycle_service_levels(outlook, targets, cycle_days))


def cycle_service_levels(outlook: Outlook, targets: Sequence[Target], cycle_days: Floats) -> Floats:
    """As asked for, or those that balance a unit short against a unit held for a cycle [skus].

    For the group's fill rate that is Lagrange's condition: served units less stock value over the exchange
    are greatest where a unit more of any item serves as much as the money in it would elsewhere.
    """
    if service := [target.level for target in targets if isinstance(target, CycleService)]:
        return np.array(service)
    if exchanges := [float(target.exchange) for target in targets if isinstance(target, GroupFillRate)]:
        return critical_ratio(np.array(exchanges), _unit_costs(outlook) / DAYS_A_YEAR * cycle_days)
    costs = [target for target in targets if isinstance(target, LeastCost)]
    stockout = np.array([target.stockout_rate for target in costs])
    holding = np.array([target.holding_rate for target in costs]) / DAYS_A_YEAR * cycle_days
    return critical_ratio(stockout, holding)


def _unit_costs(outlook: Outlook) -> Floats:
    costs = [float(decimal_of(each.unit_cost)) for each in outlook.inputs]
    return np.maximum(np.array(costs), _SMALLEST_AMOUNT)


def lot_sizes(outlook: Outlook, lots: Sequence[Lot]) -> Integers:
    """Q: as fixed, or sqrt(2 K demand / holding) of the forecast's mean demand, at least 1 [skus]."""
    if fixed := [lot.quantity for lot in lots if isinstance(lot, FixedLot)]:
        return np.array(fixed)
    economic = [lot for lot in lots if isinstance(lot, EconomicLot)]
    ordering = np.array([float(lot.ordering_cost) for lot in economic])
    rates = np.array([lot.holding_rate for lot in economic])
    holding = rates * _unit_costs(outlook)
    exact = np.sqrt(2 * ordering * _daily_demand(outlook) * DAYS_A_YEAR / holding)
    sizes: Integers = np.clip(np.round(exact), 1, MAX_UNITS).astype(np.int64)
    return sizes


def _daily_demand(outlook: Outlook) -> Floats:
    mean: Floats = outlook.demand.mean(axis=2).mean(axis=1)
    return np.maximum(mean, 1e-9)
