"""Causal inputs of the forecaster: every value of a day depends on that day and earlier ones only.

Arrays are (series, days). A day is *known* when the location was open and the SKU in stock all day; only
known days enter levels and empirical quantiles. Days before a SKU's launch are neither open nor observed.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.config import ForecasterConfig

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL_FLOOR = 0.1
DAY_FEATURES = 20


NEUTRAL = {"price": 1.0, "promotion": 0.0, "future_price": 1.0, "future_promotion": 0.0}
"""What a covariate is where nothing is known of it: the usual price, no promotion."""


def fill_neutral(holder: object, shapes: dict[str, tuple[int, ...]]) -> None:
    """Sets the covariates that a frozen dataclass was made without."""
    for name, shape in shapes.items():
        if getattr(holder, name) is None:
            object.__setattr__(holder, name, np.full(shape, NEUTRAL[name]))


@dataclass(frozen=True)
class DemandWindow:
    """What is known about n series at the close of one local day.

    Attributes:
        last_day: the last closed local day; step 1 of the horizon is the day after.
        units: (n, days) demand in base units, ending on `last_day`.
        observed: (n, days) false where a stock-out may have cut demand off, and before the launch.
        open: (n, days) whether the location sold; false before the launch.
        future_open: (n, horizon) the open days known ahead.
        price: (n, days) price in multiples of the series' usual price; 1 everywhere where it is left out.
        promotion: (n, days) from 0, none, to 1, on all day; 0 everywhere where it is left out.
        future_price: (n, horizon) prices known ahead, as `price`. future_promotion: as `promotion`.
    """

    last_day: date
    units: Floats
    observed: Flags
    open: Flags
    future_open: Flags
    price: Floats = None  # type: ignore[assignment]  # filled in below, so that readers need no check
    promotion: Floats = None  # type: ignore[assignment]
    future_price: Floats = None  # type: ignore[assignment]
    future_promotion: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        past, ahead = self.units.shape, self.future_open.shape
        shapes = {"price": past, "promotion": past, "future_price": ahead, "future_promotion": ahead}
        fill_neutral(self, shapes)


def trailing_mean(units: Floats, known: Flags, days: int) -> Floats:
    """Mean over the known days of the last `days` calendar days, today included; 0 where there is none."""
    total = np.cumsum(np.where(known, units, 0.0), axis=1)
    count = np.cumsum(known, axis=1, dtype=np.float64)
    total[:, days:] -= total[:, :-days].copy()
    count[:, days:] -= count[:, :-days].copy()
    mean: Floats = np.maximum(total, 0.0) / np.maximum(count, 1.0)
    return mean


def demand_level(units: Floats, known: Flags) -> Floats:
    """The scale of each series as of each day: mean of its 56- and 112-day means, at least 0.1 units."""
    slow, fast = trailing_mean(units, known, 112), trailing_mean(units, known, 56)
    return np.maximum((slow + fast) / 2, LEVEL_FLOOR)


def fill_censored(units: Floats, observed: Flags, open_days: Flags) -> Floats:
    """Replaces demand of censored open days by the level of the day before where that is higher."""
    level = demand_level(units, observed & open_days)
    before = np.concatenate([np.zeros_like(level[:, :1]), level[:, :-1]], axis=1)
    return np.where(open_days & ~observed, np.maximum(units, before), units)


def calendar_features(days: NDArray[np.datetime64]) -> Floats:
    """(days, 13): weekday one-hot, two harmonics of the year, nearness of Christmas."""
    day = days.astype("datetime64[D]")
    weekday = (day.astype(np.int64) + 3) % 7
    year = day.astype("datetime64[Y]")
    phase = 2 * np.pi * (day - year).astype(np.float64) / 365.25
    to_christmas = (year.astype("datetime64[D]") + 358 - day).astype(np.float64)
    waves = [np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase)]
    nearness = [np.clip(to_christmas, -1, 90) / 90, ((to_christmas >= 0) & (to_christmas < 70)).astype(float)]
    return np.concatenate([np.eye(7)[weekday], np.stack(waves + nearness, axis=1)], axis=1)


def day_features(units: Floats, observed: Flags, open_days: Flags, last_day: date) -> Floats:
    """Encoder inputs (series, days, 20) from filled units, relative to the level of each day."""
    known = observed & open_days
    level = demand_level(units, known)
    last = np.datetime64(last_day, "D")
    days = np.arange(last - (units.shape[1] - 1), last + 1)
    own = [
        np.log1p(units / level),
        np.log(level) / 3 - 1,
        np.log1p(trailing_mean(units, known, 7) / level),
        np.log1p(trailing_mean(units, known, 28) / level),
        (units > 0).astype(float),
        observed.astype(float),
        open_days.astype(float),
    ]
    calendar = np.broadcast_to(calendar_features(days), (*units.shape, 13))
    return np.concatenate([np.stack(own, axis=2), calendar], axis=2)


def empirical_quantiles(units: Floats, known: Flags, levels: tuple[float, ...], days: int) -> Floats:
    """(series, levels) of the last `days` known days, linear between order statistics; 0 if none is known."""
    recent = known & (np.cumsum(known[:, ::-1], axis=1)[:, ::-1] <= days)
    ordered = np.sort(np.where(recent, units, np.inf), axis=1)
    last = np.maximum(recent.sum(axis=1, keepdims=True) - 1, 0)
    place = np.asarray(levels) * last
    lower = np.floor(place).astype(np.intp)
    low = np.take_along_axis(ordered, lower, axis=1)
    high = np.take_along_axis(ordered, np.minimum(lower + 1, last), axis=1)
    low, high = (np.where(recent.any(axis=1, keepdims=True), x, 0.0) for x in (low, high))
    quantiles: Floats = low + (high - low) * (place - lower)
    return quantiles


def base_quantiles(units: Floats, known: Flags, level: Floats, config: ForecasterConfig) -> Floats:
    """(series, bases, levels) that the network starts from, in multiples of `level` (series,).

    Empirical quantile functions over each of `config.base_days`, then the pooled one of all series.
    """
    recent = [empirical_quantiles(units, known, config.quantile_levels, days) for days in config.base_days]
    own = np.stack(recent, axis=1) / level[:, None, None]
    pooled = np.broadcast_to(np.asarray(config.pooled_quantiles), (len(own), 1, own.shape[2]))
    return np.concatenate([own, pooled], axis=1)
