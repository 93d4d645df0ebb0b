"""Causal inputs of the forecaster: every value of a day depends on that day and earlier ones only.

Arrays are (series, days). A day is *known* when the location was open and the SKU in stock all day; only
known days enter levels and empirical quantiles. Days before a SKU's launch are neither open nor observed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.seasonality import log_index, log_price

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL_FLOOR = 0.1
RATIO_FLOOR = 0.05
LEAST_EXPECTED = 1e-2
BASE_LOOKBACK = 140
"""Calendar days that the empirical quantiles look back."""

SCALE_DAYS = (56, 112)
"""Spans that the scale of a series is the mean ratio of."""

LEVEL_DAYS = (7, 28, 56, 112, 224, 364)
WEEKDAYS = 7
CALENDAR_FEATURES = WEEKDAYS + 6
OWN_FEATURES = 9 + len(LEVEL_DAYS)
DAY_FEATURES = OWN_FEATURES + CALENDAR_FEATURES
FUTURE_FEATURES = CALENDAR_FEATURES + 4


_PAST = ("units", "observed", "open", "price", "promotion")
_AHEAD = ("future_open", "future_price", "future_promotion")

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

    def day(self, index: int) -> "DemandWindow":
        """One of its past days alone, with nothing ahead."""
        one = {name: getattr(self, name)[:, index : index + 1] for name in _PAST}
        ahead = {name: getattr(self, name)[:, :0] for name in _AHEAD}
        back = self.units.shape[1] - 1 - index
        return DemandWindow(last_day=self.last_day - timedelta(days=back), **one, **ahead)

    def rows(self, rows: slice | Sequence[int] | NDArray[np.intp]) -> "DemandWindow":
        """The window of some of its series."""
        arrays = {name: value[rows] for name, value in vars(self).items() if name != "last_day"}
        return replace(self, **arrays)

    def last_days(self, days: int) -> "DemandWindow":
        """The same moment with a shorter memory."""
        return replace(self, **{name: getattr(self, name)[:, -days:] for name in _PAST})


def trailing_sum(values: Floats, days: int) -> Floats:
    """Sum over the last `days` calendar days, today included."""
    total = np.cumsum(values, axis=1)
    total[:, days:] -= total[:, :-days].copy()
    return total


def ratio(sold: Floats, expected: Floats) -> Floats:
    """Units per unit of index; 0 where nothing was expected."""
    quotient: Floats = np.maximum(sold, 0.0) / np.maximum(expected, LEAST_EXPECTED)
    return quotient


def trailing_ratio(units: Floats, index: Floats, known: Flags, days: int) -> Floats:
    """Units per unit of `index` over the known days of the last `days` days; 0 where there is none."""
    sold, expected = (trailing_sum(np.where(known, each, 0.0), days) for each in (units, index))
    return ratio(sold, expected)


def level_of(ratios: dict[int, Floats]) -> Floats:
    """The scale of each series: mean of its 56- and 112-day ratios to the index, at least 0.1."""
    return np.maximum((ratios[112] + ratios[56]) / 2, LEVEL_FLOOR)


def demand_level(units: Floats, index: Floats, known: Flags) -> Floats:
    """(series, days) scale as of each day."""
    return level_of({days: trailing_ratio(units, index, known, days) for days in SCALE_DAYS})


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


@dataclass(frozen=True)
class DemandHistory:
    """What the network reads of each day (series, days), from the effects of its season.

    Attributes:
        log_index: log of what season, promotion and price multiply the level by.
        units: demand with censored days filled, in multiples of the index.
        known: open and in stock all day.
        level: the scale as of each day.
        features: (series, days, DAY_FEATURES).
    """

    log_index: Floats
    units: Floats
    known: Flags
    level: Floats
    features: Floats


@dataclass(frozen=True)
class DayValues:
    """What `day_features` are made of, (series, days) each: see `DemandHistory` and `LEVEL_DAYS`."""

    filled: Floats
    index: Floats
    level: Floats
    ratios: dict[int, Floats]
    known_days: Floats


def demand_history(window: DemandWindow, effects: Floats) -> DemandHistory:
    """Causal: no value depends on a later day. `effects` are (series, EFFECTS)."""
    log_of_index = log_index_of(window, effects)
    index, known = np.exp(log_of_index), window.observed & window.open
    ratios = {days: trailing_ratio(window.units, index, known, days) for days in LEVEL_DAYS}
    level = level_of(ratios)
    before = np.concatenate([np.full_like(level[:, :1], LEVEL_FLOOR), level[:, :-1]], axis=1)
    filled = filled_units(window, index, before)
    known_days = trailing_sum(known.astype(float), LEVEL_DAYS[-1])
    calendar = calendar_features(_days_of(window))
    features = day_features(window, DayValues(filled, index, level, ratios, known_days), calendar)
    return DemandHistory(log_of_index, filled / index, known, level, features)


def log_index_of(window: DemandWindow, effects: Floats) -> Floats:
    """(series, days) log index of the days of a window."""
    return log_index(effects, _days_of(window), window.price, window.promotion)


def filled_units(window: DemandWindow, index: Floats, level_before: Floats) -> Floats:
    """Demand; that of censored open days is what the level of the day before lets expect, if more."""
    censored = window.open & ~window.observed
    return np.where(censored, np.maximum(window.units, level_before * index), window.units)


def day_features(window: DemandWindow, values: DayValues, calendar: Floats) -> Floats:
    """(series, days, DAY_FEATURES); `calendar` is (days, CALENDAR_FEATURES)."""
    level = values.level
    own = [
        np.log1p(values.filled / (level * values.index)),
        np.log(level) / 3 - 1,
        *(np.log((values.ratios[days] / level + RATIO_FLOOR) / (1 + RATIO_FLOOR)) for days in LEVEL_DAYS),
        np.log1p(values.known_days) / 6,
        (values.filled > 0).astype(float),
        window.observed.astype(float),
        window.open.astype(float),
        window.promotion,
        log_price(window.price),
        np.log(values.index),
    ]
    dates = np.broadcast_to(calendar, (*level.shape, CALENDAR_FEATURES))
    return np.concatenate([np.stack(own, axis=2), dates], axis=2)


def _days_of(window: DemandWindow) -> NDArray[np.datetime64]:
    last = np.datetime64(window.last_day, "D")
    return np.arange(last - (window.units.shape[1] - 1), last + 1)


def horizon_features(window: DemandWindow, effects: Floats) -> Floats:
    """(series, horizon, FUTURE_FEATURES) of the days ahead; the last is the log of their index."""
    first = np.datetime64(window.last_day, "D") + 1
    days = np.arange(first, first + window.future_open.shape[1])
    index = log_index(effects, days, window.future_price, window.future_promotion)
    calendar = np.broadcast_to(calendar_features(days), (*index.shape, CALENDAR_FEATURES))
    own = [window.future_open.astype(float), window.future_promotion, log_price(window.future_price), index]
    return np.concatenate([calendar, np.stack(own, axis=2)], axis=2)


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
