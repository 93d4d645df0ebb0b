"""What the Planner's `order-up-to` orders up to, for SKUs with nothing on hand and nothing on order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import DecisionInputs, LeadTimeCount
from infra.contracts.message import Money
from infra.contracts.replenishment import OrderUpTo, Replenishment, Target
from serving.inventory.arrivals import arrival_days, arriving_units
from serving.inventory.cover import lead_within
from serving.inventory.named_policies import policy_group, wanted_quantities
from serving.inventory.order_rules import net_stock
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
            asked, ids = [inputs[sku] for sku in skus], [f"decision-{sku}" for sku in skus]
            levels[skus] = wanted_quantities(outlook(asked, known.demand[skus], ids, EPOCH_MS))
    return levels


def outlook(inputs: list[DecisionInputs], demand: Floats, ids: list[str], epoch_ms: int) -> Outlook:
    """As the Planner makes it; in memory the paths of a day lie together, as there.

    Args:
        inputs: of each SKU.
        demand: joint paths, units [skus, paths, days].
        ids: of the decisions.
        epoch_ms: of all of them.
    """
    paths, days = demand.shape[1:]
    arrives = [
        arrival_days(each, made_id, epoch_ms, paths) for each, made_id in zip(inputs, ids, strict=True)
    ]
    review_days = np.array([each.review_period_days for each in inputs])
    return Outlook(
        inputs,
        np.ascontiguousarray(demand.swapaxes(1, 2)).swapaxes(1, 2),
        np.array([float(net_stock(each)) for each in inputs]),
        arriving_units(inputs, arrives, days),
        lead_within(np.stack([each[-1] for each in arrives]), review_days, days),
        ids,
        [epoch_ms] * len(inputs),
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
