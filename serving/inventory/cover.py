"""What an order must hold so that stock lasts until the next review's order can arrive.

Days count from 1, the day that starts at the epoch. An order placed at the epoch with lead time L is received
at the midnight that starts day L + 1 and has to last for days L + 1 .. L + R, R being the review period.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def required_quantities(
    demand: Floats, on_hand: Floats, arrivals: Floats, lead_days: Integers, review_days: Integers
) -> Floats:
    """The least quantity per path with which no day of the window runs out of stock.

    Until the order arrives, demand that stock cannot serve is lost. The window is cut at the horizon: a lead
    time that leaves no room for a review period within it counts as the longest that does, because beyond
    the horizon no demand is forecast.

    Args:
        demand: units [skus, paths, horizon].
        on_hand: units at the epoch [skus].
        arrivals: units of open orders received before each day opens [skus, paths, horizon].
        lead_days: lead time of the new order [skus, paths].
        review_days: days to the next review [skus].

    Returns:
        units [skus, paths], fractional where demand is.
    """
    horizon = demand.shape[2]
    lead = np.minimum(lead_days, np.maximum(horizon - review_days, 0)[:, None])
    window_end = lead + review_days[:, None]
    stock = np.repeat(on_hand[:, None], demand.shape[1], axis=1)
    required = np.zeros_like(stock)
    for day in range(horizon):
        stock = stock + arrivals[:, :, day] - demand[:, :, day]
        stock = np.where(day < lead, np.maximum(stock, 0.0), stock)
        in_window = (lead <= day) & (day < window_end)
        required = np.where(in_window, np.maximum(required, -stock), required)
    return required


def service_quantity(required: Floats, cycle_service_level: Floats) -> Integers:
    """The least whole quantity that suffices on a share of paths of at least the service level.

    Args:
        required: units [skus, paths].
        cycle_service_level: target probability of a cycle without stock-out [skus].

    Returns:
        units [skus].
    """
    paths = required.shape[1]
    rank = np.ceil(cycle_service_level * paths - 1e-9).astype(np.int64) - 1
    ordered = np.sort(required, axis=1)
    chosen = np.take_along_axis(ordered, np.clip(rank, 0, paths - 1)[:, None], axis=1)[:, 0]
    whole: Integers = np.ceil(chosen).astype(np.int64)
    return whole


def chance_needed(required: Floats, units_from: int, units_to: int) -> float:
    """Mean probability that a unit of the block `units_from + 1 .. units_to` is needed; one SKU's paths."""
    needed = np.clip(np.ceil(required) - units_from, 0, units_to - units_from)
    return float(needed.sum() / (len(required) * (units_to - units_from)))
