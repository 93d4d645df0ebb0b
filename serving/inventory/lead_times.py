"""Lead times in calendar days: what a supplier's receipts say, and draws from it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from infra.contracts import identity
from infra.contracts.inventory import LeadTimeCount
from infra.contracts.message import Delivery

PRIOR_RECEIPTS = 5
MAX_LEAD_DAYS = 365


def lead_time_counts(observed_days: Iterable[int], agreed_days: int) -> list[LeadTimeCount]:
    """How often each lead time occurred.

    Until a supplier has made `PRIOR_RECEIPTS` receipts, the agreed lead time stands in for the missing ones.
    """
    counts = Counter(min(max(days, 0), MAX_LEAD_DAYS) for days in observed_days)
    missing = PRIOR_RECEIPTS - counts.total()
    if missing > 0:
        counts[agreed_days] += missing
    return [LeadTimeCount(days=days, receipts=counts[days]) for days in sorted(counts)]


def stratified_uniforms(count: int, *keyed_by: object) -> NDArray[np.float64]:
    """`count` numbers in [0, 1), one in each of `count` equal strata, shuffled.

    The draws depend on nothing but what they are keyed by, so that another order's draws never shift them.
    """
    rng = np.random.default_rng(identity.seed(*keyed_by))
    drawn: NDArray[np.float64] = (rng.permutation(count) + rng.random(count)) / count
    return drawn


def draw_lead_days(counts: Sequence[LeadTimeCount], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
    """Lead times of an order placed now, by inverse distribution function."""
    if len(counts) == 1:
        return np.full(len(uniforms), counts[0].days)
    days = np.array([count.days for count in counts])
    cumulative = np.array(list(accumulate(count.receipts for count in counts)), dtype=np.float64)
    drawn: NDArray[np.int64] = days.take(cumulative.searchsorted(uniforms * cumulative[-1], side="right"))
    return drawn


def draw_residual_days(
    counts: Sequence[LeadTimeCount], age_days: int, uniforms: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Days until an order that is still open at `age_days` arrives, at least 1.

    The distribution is that of the lead times longer than the age; an order older than all of them is
    expected the next day.
    """
    longer = [count for count in counts if count.days > age_days]
    if not longer:
        return np.ones(len(uniforms), dtype=np.int64)
    return draw_lead_days(longer, uniforms) - age_days


def draw_arrival_days(
    counts: Sequence[LeadTimeCount],
    open_ages_days: Sequence[int],
    delivery: Delivery,
    uniforms: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Days until each open order and, last, an order placed now arrive, jointly [open orders + 1, paths].

    First in, first out: the oldest open order is late by its own lead time; any other one comes when its own
    lead time is over, but not before the order ahead of it. That it is still open says nothing of its own
    lead time, since it may only have been waiting.

    Args:
        counts: the lead times of an order that nothing holds up.
        open_ages_days: ages of the open orders, oldest first.
        delivery: of the supplier.
        uniforms: numbers in [0, 1) [open orders + 1, paths].
    """
    own = [draw_residual_days(counts, age, u) for age, u in zip(open_ages_days, uniforms[:-1], strict=True)]
    own.append(draw_lead_days(counts, uniforms[-1]))
    if delivery == "independent":
        return np.array(own)
    unconditional = [
        draw_lead_days(counts, u) - age for age, u in zip(open_ages_days[1:], uniforms[1:-1], strict=True)
    ]
    ahead = [own[0], *unconditional, own[-1]] if open_ages_days else own
    return np.maximum.accumulate(np.array(ahead), axis=0)


def median_lead_days(counts: Sequence[LeadTimeCount]) -> int:
    """The lead time that half of the receipts met."""
    cumulative = list(accumulate(count.receipts for count in counts))
    return counts[bisect_right(cumulative, cumulative[-1] / 2)].days
