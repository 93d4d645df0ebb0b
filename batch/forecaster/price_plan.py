"""What the catalogue's price plans say of local days: one rule for the history and for the stream.

A plan counts for a day as it was known at the day's end, and for the days ahead of an origin as it was known
at the origin. A `Promotion` says nothing of the price outside of it, so only a `PricePlan` gives prices.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.windows import Floats
from infra.contracts.shop import PricePlan, Promotion

Instants = NDArray[np.int64]
Plan = Promotion | PricePlan
Span = tuple[int, int, float, float]
"""From (inclusive), until (exclusive), price or NaN, 1 under a promotion or else 0."""

FOREVER_MS = 2**53


@dataclass(frozen=True)
class PlannedDays:
    """What was planned of successive days.

    Attributes:
        price: (days,) mean price of a base unit over the part of the day that it is known of; NaN if of none.
        promotion: (days,) share of the day under a promotion, 0 to 1.
    """

    price: Floats
    promotion: Floats


def planned_days(plan: Plan | None, bounds_ms: Instants) -> PlannedDays:
    """What one plan says of the days between successive instants (days + 1,), which ascend."""
    days = len(bounds_ms) - 1
    price, promotion, known = np.full(days, np.nan), np.zeros(days), np.zeros(days)
    for start, end, amount, promoted in () if plan is None else _spans(plan):
        held = np.minimum(bounds_ms[1:], end) - np.maximum(bounds_ms[:-1], start)
        share = np.maximum(held, 0) / np.diff(bounds_ms)
        promotion += share * promoted
        if not np.isnan(amount):
            known += share
            # A running mean: a day at one price has exactly that price.
            weight = np.divide(share, known, out=np.zeros(days), where=share > 0)
            price = np.where(share > 0, _blended(price, amount, weight), price)
    return PlannedDays(price, np.minimum(promotion, 1.0))


def days_as_known(versions: Sequence[tuple[int, Plan]], bounds_ms: Instants) -> PlannedDays:
    """Each day as the latest plan of its end says; `versions` are (known from, plan), ascending.

    Of two versions known from the same instant, the later in the sequence holds.
    """
    starts = [known_ms for known_ms, _ in versions]
    price, promotion = np.full(len(bounds_ms) - 1, np.nan), np.zeros(len(bounds_ms) - 1)
    version_of = np.array([bisect_right(starts, end) for end in bounds_ms[1:]])
    for number, (_, plan) in enumerate(versions, start=1):
        days = np.flatnonzero(version_of == number)
        if days.size:
            span = slice(days[0], days[-1] + 1)
            planned = planned_days(plan, bounds_ms[days[0] : days[-1] + 2])
            price[span], promotion[span] = planned.price, planned.promotion
    return PlannedDays(price, promotion)


def day_promotion(planned: Floats | float, promotion_on: Floats | float) -> Floats:
    """Promotion of a day that has ended: as planned, or on where a customer was shown or bought under one."""
    promotion: Floats = np.maximum(planned, promotion_on)
    return promotion


def _spans(plan: Plan) -> list[Span]:
    if isinstance(plan, Promotion):
        return [(plan.starts_ms, plan.ends_ms, np.nan, 1.0)]
    ends = [later.starts_ms for _, later in pairwise(plan.prices)] + [FOREVER_MS]
    return [
        (each.starts_ms, end, float(each.price.amount), float(each.promotion_id is not None))
        for each, end in zip(plan.prices, ends, strict=True)
    ]


def _blended(price: Floats, amount: float, weight: Floats) -> Floats:
    blended: Floats = np.where(np.isnan(price) | (weight == 1), amount, price + weight * (amount - price))
    return blended
