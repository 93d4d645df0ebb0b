"""Demand of days with stock-outs: what would have been sold, estimated from sales and stock status alone.

Expectation and maximisation in turn: `batch.stockout_day` fills the hours out of stock under the present
parameters; from the filled days follow each series' level around each day, its hours' shares and the factors
of the weekdays. Shares are drawn to those of all series; weekdays and the memory of hours are of all series.

The estimate assumes that the stock at hand does not foresee the day's demand beyond its series, weekday and
weeks. It is used to mark and to evaluate, never as an observation.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from batch.stockout_day import DayModel, Flags, Floats, Ints, StockedHours, expected_hours

ROUNDS = 12
LEVEL_DAYS = 7.0
"""Other days count for a day's level by exp(-distance / LEVEL_DAYS)."""

LEVEL_PRIOR_DAYS = 2.0
"""The series' mean counts for a day's level as much as so many days next to it."""

PRIOR_UNITS = 20.0
"""What all series have in common counts for a series as much as so many units sold."""


@dataclass(frozen=True)
class RecordedDays:
    """Days whose stock status is known, one row each; no two rows of one series and day.

    Attributes:
        series: number of the SKU and location in ascending order, none left out from 0 on, shape (days,).
        day: days since 1970-01-01, shape (days,).
        sales: recorded units by hour of day, shape (days, 24).
        out: whether the hour was wholly or partly out of stock, shape (days, 24).
    """

    series: Ints
    day: Ints
    sales: Floats
    out: Flags

    @property
    def recorded(self) -> Floats:
        """Units sold of each day."""
        return np.asarray(self.sales.sum(1))

    @property
    def censored(self) -> Flags:
        """Whether any hour of the day was out of stock."""
        return np.asarray(self.out.any(1))


@dataclass(frozen=True)
class _Parameters:
    level: Floats  # of each row
    share: Floats  # of each series and hour
    spread: Floats  # of each series
    unit: Floats  # of each series
    weekday: Floats
    memory: Floats


def estimate_demand(days: RecordedDays) -> Floats:
    """Estimated demand of each day, never below what was recorded, and equal to it on days without stock-out.

    Args:
        days: all days of all series that are to learn from each other.

    Returns:
        Units, shape (days,). They scale with the unit of the sales.
    """
    if not days.censored.any() or not days.sales.any():
        return days.recorded
    hours = StockedHours(days.sales, ~days.out, days.out & (days.sales > 0), days.out & (days.sales <= 0))
    now, demand = _start(days, hours), days.sales
    for _ in range(ROUNDS):
        demand, memory = expected_hours(hours, _model(days, now))
        now = replace(_refit(days, hours, demand, now), memory=memory)
    return np.where(days.censored, np.maximum(demand.sum(1), days.recorded), days.recorded)


def _model(days: RecordedDays, now: _Parameters) -> DayModel:
    """Hours that vary far less than their smallest sale allows are sold in steps too small to be seen."""
    unit = np.where(now.unit <= 2 * now.spread, now.unit, now.spread)
    spread = np.maximum(now.spread, unit)[days.series]
    mean = np.maximum(now.level * now.weekday[_weekday(days)], 1e-9 * spread)
    return DayModel(mean, now.share[days.series], spread, unit[days.series], now.memory)


def _start(days: RecordedDays, hours: StockedHours) -> _Parameters:
    """Parameters that take what was sold for demand; but the hours' shares are of hours in stock."""
    count, unit = np.bincount(days.series), _unit(days)
    level = (_by_series(days, days.recorded) / count)[days.series]
    sold = np.where(hours.exact, hours.sales, 0).sum(0)
    usual = (hours.exact * level[:, None]).sum(0)
    rate = np.divide(sold, usual, out=np.zeros(24), where=usual > 0) + 1e-9
    share = np.tile(rate / rate.sum(), (len(count), 1))
    return _Parameters(level, share, _spread(days, hours, share, unit), unit, np.ones(7), np.ones(24))


def _refit(days: RecordedDays, hours: StockedHours, demand: Floats, before: _Parameters) -> _Parameters:
    total, weekday = demand.sum(1), _weekday(days)
    level = _level(days, total, before.weekday[weekday])
    tiny = 1e-9 * total.sum()
    factor = (np.bincount(weekday, total, 7) + tiny) / (np.bincount(weekday, level, 7) + tiny)
    units = _by_series(days, demand) / before.unit[:, None]
    common = demand.sum(0) / demand.sum()
    share = (units + PRIOR_UNITS * common) / (units.sum(1, keepdims=True) + PRIOR_UNITS)
    spread = _spread(days, hours, share, before.unit)
    return replace(before, level=level, share=share, spread=spread, weekday=factor / factor[weekday].mean())


def _level(days: RecordedDays, total: Floats, factor: Floats) -> Floats:
    """Demand around each day had all weekdays been average, from the other days of its series."""
    day = days.day - days.day.min()
    distance = np.arange(day.max() + 1)
    kernel = np.exp(-np.abs(distance[:, None] - distance) / LEVEL_DAYS)
    np.fill_diagonal(kernel, 0)
    demand, weight = np.zeros((2, days.series[-1] + 1, len(distance)))
    demand[days.series, day], weight[days.series, day] = total, factor
    mean = demand.sum(1, keepdims=True) / weight.sum(1, keepdims=True)
    around = (demand @ kernel + LEVEL_PRIOR_DAYS * mean) / (weight @ kernel + LEVEL_PRIOR_DAYS)
    return np.asarray(around[days.series, day])


def _unit(days: RecordedDays) -> Floats:
    """Smallest usual step of each series' sales: the 5th percentile of its hours in stock with sales."""
    row, hour = np.nonzero(days.sales > 0)
    sold = pd.DataFrame({"series": days.series[row], "units": days.sales[row, hour]})
    stocked = sold[~days.out[row, hour]].groupby("series")["units"].quantile(0.05, interpolation="lower")
    unit = stocked.reindex(range(days.series[-1] + 1)).fillna(sold.groupby("series")["units"].min())
    return np.asarray(unit.fillna(1.0))


def _spread(days: RecordedDays, hours: StockedHours, share: Floats, unit: Floats) -> Floats:
    """Variance of hourly sales per unit sold, given the day's sales in stock; drawn to all series' value."""
    part = np.where(hours.exact, share[days.series], 0)
    part /= np.maximum(part.sum(1, keepdims=True), 1e-12)
    sold = np.where(hours.exact, hours.sales, 0).sum(1)
    error = np.where(hours.exact, hours.sales - part * sold[:, None], 0)
    squares = _by_series(days, (error**2).sum(1)) / unit**2
    units = _by_series(days, sold * (1 - (part**2).sum(1))) / unit
    common = max(squares.sum(), 1e-9) / max(units.sum(), 1e-9)
    relative: Floats = (squares + PRIOR_UNITS * common) / (units + PRIOR_UNITS)
    return unit * relative


def _by_series(days: RecordedDays, values: Floats) -> Floats:
    """Sums over the days of each series."""
    first = np.flatnonzero(np.diff(days.series, prepend=-1))
    return np.asarray(np.add.reduceat(values, first, axis=0))


def _weekday(days: RecordedDays) -> Ints:
    weekday: Ints = (days.day + 3) % 7  # 1970-01-01 was a Thursday
    return weekday
