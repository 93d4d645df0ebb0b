"""What SKUs want by the policy that their inputs name; vectorised over SKUs that share the kind of policy.

Levels come from joint paths of demand and lead time and cover the demand until the next review's order can be
on hand: those of `order-up-to` hold for random lead times too, found by simulating the arrivals, all others
for orders that do not cross (see `order_up_to`). A lead time that leaves no room for a review period within
the horizon counts as the longest that does, but where arrivals are simulated.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from infra.contracts.inventory import DecisionInputs
from infra.contracts.replenishment import (
    BaseStock,
    CappedBaseStock,
    CoverUntilNextArrival,
    Lookahead,
    MinMax,
    Newsvendor,
    OrderUpTo,
    ProjectedInventoryLevel,
    ReorderQuantity,
    Replenishment,
)
from serving.inventory.cover import service_quantity
from serving.inventory.lead_times import median_lead_days
from serving.inventory.lookahead import follow_up_policy, lookahead_orders, usual_shape
from serving.inventory.order_rules import MAX_UNITS
from serving.inventory.outlook import Outlook
from serving.inventory.policies import (
    Floats,
    Integers,
    base_stock,
    capped_base_stock,
    critical_ratio,
    fixed_quantity,
    min_max,
    newsvendor,
    projected_inventory_level,
    projected_stock,
)
from serving.inventory.rollout import DayCosts, Situation
from serving.inventory.targets import (
    DAYS_A_YEAR,
    cycle_service_levels,
    lot_sizes,
    order_up_to_levels,
    reorder_points,
    simulated_order_up_to_levels,
    simulation_group,
)

DEFAULT_POLICY = "cover-until-next-arrival"
FOR_LOST_SALES = ("capped-base-stock", "projected-inventory-level", "lookahead")
"""Policies that take unmet demand as lost; where customers wait the default decides."""


def policy_of(inputs: DecisionInputs) -> Replenishment | None:
    """The policy that decides a SKU; None is the default."""
    named = inputs.replenishment
    if named is not None and named.policy in FOR_LOST_SALES and inputs.unmet_demand == "backordered":
        return None
    return named


def policy_name(inputs: DecisionInputs) -> str:
    """The policy that decides a SKU."""
    policy = policy_of(inputs)
    return policy.policy if policy else DEFAULT_POLICY


def policy_words(inputs: DecisionInputs) -> str:
    """The policy that decides a SKU, and why where it is not the one that its planner has named."""
    name, named = policy_name(inputs), inputs.replenishment
    if named is None or name == named.policy:
        return name
    return f"{name}, since {named.policy} is for lost sales"


def needs_whole_horizon(inputs: DecisionInputs) -> bool:
    """Whether a policy looks beyond the day on which the next review's order can be on hand."""
    return policy_name(inputs) != DEFAULT_POLICY


def simulates_arrivals(inputs: DecisionInputs) -> bool:
    """Whether the order-up-to level is found by simulation: no formula is exact for what is known."""
    has_formula = len(inputs.lead_times) == 1 and inputs.unmet_demand == "backordered"
    return isinstance(inputs.replenishment, OrderUpTo) and not has_formula


def policy_group(inputs: DecisionInputs) -> str:
    """What SKUs must share to be asked together: kinds of policy, target and lot; to look ahead also days."""
    policy = policy_of(inputs)
    parts = (getattr(policy, name, None) for name in ("target", "lot"))
    kinds = [policy_name(inputs), *(part.kind for part in parts if part)]
    if isinstance(policy, Lookahead):
        kinds += [str(median_lead_days(inputs.lead_times)), str(inputs.review_period_days)]
    if simulates_arrivals(inputs):
        kinds.append(simulation_group(inputs))
    return " ".join(kinds)


def wanted_quantities(outlook: Outlook) -> Integers:
    """What each SKU wants, before the rules of its supplier [skus]; the others do not change it.

    Args:
        outlook: of SKUs with one `policy_group`.
    """
    wanted: Integers = np.clip(_ASKED[policy_name(outlook.inputs[0])](outlook), 0, MAX_UNITS)
    return wanted


def _cover(outlook: Outlook) -> Integers:
    policies = [policy_of(each) for each in outlook.inputs]
    targets = [each.target for each in policies if isinstance(each, CoverUntilNextArrival) and each.target]
    if targets:
        levels = cycle_service_levels(outlook, targets, outlook.review_days.astype(float))
    else:
        levels = np.array([each.cycle_service_level for each in outlook.inputs])
    return service_quantity(outlook.required, levels)


def _order_up_to(outlook: Outlook) -> Integers:
    targets = [policy.target for policy in outlook.policies(OrderUpTo)]
    find = simulated_order_up_to_levels if simulates_arrivals(outlook.inputs[0]) else order_up_to_levels
    return base_stock(outlook.position, find(outlook, targets))


def _base_stock(outlook: Outlook) -> Integers:
    return base_stock(outlook.position, np.array([policy.level for policy in outlook.policies(BaseStock)]))


def _min_max(outlook: Outlook) -> Integers:
    policies = outlook.policies(MinMax)
    lots = lot_sizes(outlook, [policy.lot for policy in policies])
    points = reorder_points(outlook, [policy.target for policy in policies], lots)
    return min_max(outlook.position, points, points + lots)


def _reorder_quantity(outlook: Outlook) -> Integers:
    policies = outlook.policies(ReorderQuantity)
    lots = lot_sizes(outlook, [policy.lot for policy in policies])
    points = reorder_points(outlook, [policy.target for policy in policies], lots)
    return fixed_quantity(outlook.position, points, lots)


def _newsvendor(outlook: Outlook) -> Integers:
    policies = outlook.policies(Newsvendor)
    underage = np.array([policy.underage_rate for policy in policies])
    overage = np.array([policy.overage_rate for policy in policies])
    level = newsvendor(outlook.demand.sum(axis=2), critical_ratio(underage, overage))
    return base_stock(outlook.position, level)


def _capped_base_stock(outlook: Outlook) -> Integers:
    policies = outlook.policies(CappedBaseStock)
    before, covered = outlook.periods
    caps = newsvendor(covered - before, np.array([policy.cap for policy in policies]))
    levels = order_up_to_levels(outlook, [policy.target for policy in policies])
    return capped_base_stock(outlook.position, levels, caps)


def _projected_inventory_level(outlook: Outlook) -> Integers:
    before, covered = outlook.periods
    ratios = np.array([policy.level for policy in outlook.policies(ProjectedInventoryLevel)])
    levels = newsvendor(covered - before, ratios).astype(float)
    projected = projected_stock(outlook.net_stock, outlook.arrivals, outlook.demand, outlook.lead_days)
    return projected_inventory_level(projected, levels)


def _lookahead(outlook: Outlook) -> Integers:
    policies, first = outlook.policies(Lookahead), outlook.inputs[0]
    review = first.review_period_days
    lead = min(median_lead_days(first.lead_times), max(outlook.demand.shape[2] - review, 0))
    holding = np.array([policy.holding_rate for policy in policies]) / DAYS_A_YEAR
    stockout = np.array([policy.stockout_rate for policy in policies])
    shapes = [usual_shape(ratio, lead, review) for ratio in (stockout / holding).tolist()]
    demand, owed = outlook.demand.astype(np.float32), np.maximum(-outlook.net_stock, 0)
    free, on_order = np.maximum(outlook.net_stock, 0), np.maximum(outlook.on_order - owed, 0)
    situation = Situation(
        free, on_order, _after_owed(outlook.arrivals, owed), outlook.lead_days, lead, review
    )
    follow_up = follow_up_policy(shapes, demand, lead, review)
    orders = lookahead_orders(situation, demand, DayCosts(holding, stockout), follow_up)
    return orders + np.maximum(owed - outlook.on_order, 0).astype(np.int64)


def _after_owed(arrivals: Floats, owed: Floats) -> Floats:
    """What is left of arrivals [skus, paths, days] once the units owed [skus] have been handed out."""
    left = np.maximum(np.cumsum(arrivals, axis=2) - owed[:, None, None], 0)
    return np.diff(left, axis=2, prepend=0.0)


_ASKED: Mapping[str, Callable[[Outlook], Integers]] = MappingProxyType(
    {
        DEFAULT_POLICY: _cover,
        "order-up-to": _order_up_to,
        "base-stock": _base_stock,
        "min-max": _min_max,
        "reorder-quantity": _reorder_quantity,
        "newsvendor": _newsvendor,
        "capped-base-stock": _capped_base_stock,
        "projected-inventory-level": _projected_inventory_level,
        "lookahead": _lookahead,
    }
)
