"""From launch to end of life: no demand before an item's launch date, none once its end date has come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from batch.forecaster.windows import DemandWindow, Flags
from infra.contracts.shop import Item
from serving.inventory.local_days import local_date


def within_life(window: DemandWindow, items: Sequence[Item | None], time_zone: str) -> DemandWindow:
    """The window with closed days before each item's launch and after its end; without an item all stays.

    The day of the launch is sold on, and every day that starts before the end.
    """
    past = _sold(items, window.last_day, -window.units.shape[1] + 1, 1, time_zone)
    ahead = _sold(items, window.last_day, 1, window.future_open.shape[1] + 1, time_zone)
    return replace(
        window,
        units=np.where(past, window.units, 0.0),
        observed=window.observed & past,
        open=window.open & past,
        future_open=window.future_open & ahead,
    )


def _sold(items: Sequence[Item | None], day: date, first: int, stop: int, time_zone: str) -> Flags:
    """(items, days) whether each is in the assortment, on the days `first` to `stop` - 1 after `day`."""
    numbers = np.arange(first, stop)
    launch = [item.launch_ms if item else None for item in items]
    # An end at midnight is the end of the day before.
    last = [item.end_ms - 1 if item and item.end_ms is not None else None for item in items]
    begins = np.array([_days_after(day, each, time_zone, -np.inf) for each in launch])
    ends = np.array([_days_after(day, each, time_zone, np.inf) for each in last])
    sold: Flags = (begins[:, None] <= numbers) & (numbers <= ends[:, None])
    return sold


def _days_after(day: date, time_ms: int | None, time_zone: str, unknown: float) -> float:
    return unknown if time_ms is None else (local_date(time_ms, time_zone) - day) / timedelta(days=1)


def is_awaited(item: Item, origin_ms: int, until_ms: int) -> bool:
    """Whether an item has its launch ahead, but within the horizon: it is ordered for before it sells."""
    return item.launch_ms is not None and origin_ms < item.launch_ms < until_ms
