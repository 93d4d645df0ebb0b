"""What the Planner's `order-up-to` orders up to, for SKUs with nothing on hand and nothing on order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import DecisionInputs, LeadTimeCount
from infra.contracts.message import Money
from infra.contracts.replenishment import OrderUpTo, Replenishment, Target
from serving.inventory.arrivals import arrival_days
from serving.inventory.cover import lead_within
from serving.inventory.named_policies import policy_group, wanted_quantities
from serving.inventory.order_up_to import Supply
from serving.inventory.outlook import Outlook

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

AT_ONCE = 16
"""SKUs that the Planner decides together."""

EPOCH_MS = 1_316_991_600_000
COST = Money(amount="1.00", currency="GBP")


@dataclass(frozen=True)
class Known:
    """What a planner knows of SKUs.

    Attributes:
        demand: joint paths, units [skus, paths, days].
        lead_times: of each SKU.
    """

    demand: Floats
    lead_times: Sequence[list[LeadTimeCount]]


def planned_levels(known: Known, target: Target, supply: Supply) -> Integers:
    """The level of one decision of each SKU [skus], by the function that `decide` calls."""
    policy = OrderUpTo(policy="order-up-to", target=target)
    inputs = [item_inputs(counts, supply, policy) for counts in known.lead_times]
    groups: dict[str, list[int]] = {}
    for sku, each in enumerate(inputs):
        groups.setdefault(policy_group(each), []).append(sku)
    levels = np.zeros(len(inputs), dtype=np.int64)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            skus = group[start : start + AT_ONCE]
            levels[skus] = wanted_quantities(
                _outlook([inputs[sku] for sku in skus], known.demand[skus], skus)
            )
    return levels


def _outlook(inputs: list[DecisionInputs], demand: Floats, skus: list[int]) -> Outlook:
    """As the Planner makes it; in memory the paths of a day lie together, as there."""
    count, paths, days = demand.shape
    by_day = np.ascontiguousarray(demand.swapaxes(1, 2)).swapaxes(1, 2)
    ids = [f"decision-{sku}" for sku in skus]
    asked = zip(inputs, ids, strict=True)
    lead_days = np.stack([arrival_days(each, name, EPOCH_MS, paths)[-1] for each, name in asked])
    review_days = np.array([each.review_period_days for each in inputs])
    return Outlook(
        inputs,
        by_day,
        np.zeros(count),
        np.zeros(demand.shape),
        lead_within(lead_days, review_days, days),
        ids,
        [EPOCH_MS] * count,
    )


def item_inputs(
    counts: list[LeadTimeCount], supply: Supply, policy: Replenishment | None = None
) -> DecisionInputs:
    """Of an item with nothing on hand and nothing on order that any quantity can be ordered of."""
    return DecisionInputs(
        forecast=None,
        on_hand=0,
        unmet_demand=supply.unmet,
        open_orders=[],
        lead_times=counts,
        delivery=supply.delivery,
        review_period_days=supply.review_days,
        cycle_service_level=0.95,
        min_order_quantity=1,
        case_pack=1,
        maximum_stock=None,
        supplier="supplier",
        unit_cost=COST,
        price=COST,
        planning_group="main",
        time_zone="UTC",
        end_ms=None,
        input_stale=False,
        replenishment=policy,
    )
