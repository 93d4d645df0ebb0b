"""What an order must hold so that stock lasts until the next review's order can arrive.

Days count from 1, the day that starts at the epoch. An order placed at the epoch with lead time L is received
at the midnight that starts day L + 1 and has to last for days L + 1 .. L + R, R being the review period.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def lead_within(lead_days: Integers, review_days: Integers, horizon: int) -> Integers:
    """Lead times; one that leaves no room for a review period within the horizon is the longest that does.

    Args:
        lead_days: [skus, paths].
        review_days: [skus].
        horizon: days; beyond it no demand is forecast.
    """
    return np.minimum(lead_days, np.maximum(horizon - review_days, 0)[:, None])


def required_quantities(
    demand: Floats,
    net_stock: Floats,
    arrivals: Floats,
    lead_days: Integers,
    review_days: Integers,
    waits: NDArray[np.bool_] | bool = False,
) -> Floats:
    """The least quantity per path with which no day of the window runs out of stock.

    Until the order arrives, demand that stock cannot serve is lost, or owed where customers wait; what is
    owed is served first from whatever arrives. Lead times are cut to `lead_within` the days that are given.

    Args:
        demand: units [skus, paths, days].
        net_stock: units free at the epoch, less what is owed then [skus].
        arrivals: units of open orders received before each day opens [skus, paths, days].
        lead_days: lead time of the new order [skus, paths].
        review_days: days to the next review [skus].
        waits: whether unmet demand waits, of all SKUs or of each [skus].

    Returns:
        units [skus, paths], fractional where demand is.
    """
    days = demand.shape[2]
    lead = lead_within(lead_days, review_days, days)
    window_end = lead + review_days[:, None]
    is_lost = ~np.reshape(waits, (-1, 1))
    lost = _Limit(np.where(is_lost, lead, 0), days, 0.0, -np.inf)
    arrived, ended = _Limit(lead, days, 0.0, -np.inf), _Limit(window_end, days, -np.inf, 0.0)
    stock = np.repeat(net_stock[:, None], demand.shape[1], axis=1)
    lowest, is_owing = np.zeros_like(stock), bool((net_stock < 0).any())
    may_owe_before = is_owing or not is_lost.all()
    for day in range(min(days, ended.last)):
        stock += arrivals[:, :, day]
        owed = np.minimum(stock, 0.0) if is_owing else 0.0
        stock -= demand[:, :, day]
        if day < lost.last:
            np.maximum(stock, lost.at(day) + owed if is_owing else lost.at(day), out=stock)
        if day >= arrived.first:
            counted = stock if day < ended.first else np.maximum(stock, ended.at(day))
            if may_owe_before and day < arrived.last:
                counted = np.maximum(counted, arrived.at(day))
            np.minimum(lowest, counted, out=lowest)
    return 0.0 - lowest


class _Limit:
    """A limit for each path that changes on a day of its own.

    It is looked up, as no processor predicts branches on random lead times.
    """

    def __init__(self, changes: Integers, days: int, before: float, afterwards: float) -> None:
        self.first, self.last = int(changes.min()), int(changes.max())
        self._values, self._places = np.repeat([before, afterwards], days), days - changes
        self._scratch = np.empty(changes.shape)

    def at(self, day: int) -> Floats:
        """The limits of a day [skus, paths], which the next call overwrites."""
        return self._values[day:].take(self._places, out=self._scratch, mode="clip")


def service_quantity(required: Floats, cycle_service_level: Floats) -> Integers:
    """The least whole quantity that suffices on a share of paths of at least the service level.

    Args:
        required: units, ascending [skus, paths].
        cycle_service_level: target probability of a cycle without stock-out [skus].

    Returns:
        units [skus].
    """
    paths = required.shape[1]
    rank = np.ceil(cycle_service_level * paths - 1e-9).astype(np.int64) - 1
    chosen = np.take_along_axis(required, np.clip(rank, 0, paths - 1)[:, None], axis=1)[:, 0]
    whole: Integers = np.ceil(chosen).astype(np.int64)
    return whole


def chances_needed(required: Floats, bounds: Integers) -> Floats:
    """Mean probability, for each block of units between neighbouring bounds, that a unit of it is needed.

    Args:
        required: units per path of one SKU, ascending [paths].
        bounds: units, ascending [blocks + 1].
    """
    needed = np.ceil(required)
    sum_of_greatest = np.zeros(len(needed) + 1)
    np.cumsum(needed[::-1], out=sum_of_greatest[1:])
    beyond = len(needed) - needed.searchsorted(bounds, side="right")
    excess = sum_of_greatest[beyond] - bounds * beyond
    chances: Floats = (excess[:-1] - excess[1:]) / (len(needed) * (bounds[1:] - bounds[:-1]))
    return chances
