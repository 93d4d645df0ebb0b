"""Two planners as shops know them, for comparison: what they would order up to, from a 28-day window.

They see their own served sales only, as a real planner would, and know the suppliers' true mean lead times.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from types import MappingProxyType

from infra.contracts.shop import Item
from serving.inventory.order_rules import round_up

WINDOW_DAYS = 28
REVIEW_DAYS = 7
EXTRA_COVER_DAYS = 7


@dataclass(frozen=True)
class StockView:
    """What a planner knows of a SKU at a review; `sold` are daily units, the newest last."""

    sold: tuple[int, ...]
    on_hand: int
    on_order: int
    lead_time_days: float
    item: Item


Target = Callable[[StockView], float]
"""Up to how many units, on hand and on order, a planner orders."""


def mean_and_deviation(view: StockView) -> float:
    """Mean * (L + R) + z * s * sqrt(L + R): the textbook's order-up-to level for the service target."""
    days = view.lead_time_days + REVIEW_DAYS
    z = NormalDist().inv_cdf(view.item.cycle_service_level)
    return fmean(view.sold) * days + z * stdev(view.sold) * math.sqrt(days)


def days_of_cover(view: StockView) -> float:
    """Mean * (L + R + 7): as many days of cover as an order must last, and a week to be safe."""
    return fmean(view.sold) * (view.lead_time_days + REVIEW_DAYS + EXTRA_COVER_DAYS)


COMPARISON_PLANNERS: Mapping[str, Target] = MappingProxyType(
    {"mean and deviation": mean_and_deviation, "days of cover": days_of_cover}
)


def order_quantity(target: float, view: StockView) -> int:
    """Units that lift the stock position to the target, as whole packs and at least the minimum order."""
    lacking = math.ceil(target - view.on_hand - view.on_order)
    if lacking <= 0:
        return 0
    return round_up(max(lacking, view.item.min_order_quantity), view.item.case_pack)
