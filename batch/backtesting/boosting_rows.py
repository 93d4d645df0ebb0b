"""What LightGBM sees: one row per series, origin and target, in multiples of the series' level at the origin.

A target is one day ahead or the sum of the first tau days. Everything but prices, promotions, open days and
the calendar of the target lies at or before the origin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batch.backtesting.forecaster import History
from batch.forecaster.windows import Flags, Floats

WINDOWS = (7, 28, 91, 364)
WEEK, YEAR = 7, 364
MIN_LEVEL = 0.02


@dataclass(frozen=True)
class Timeline:
    """A history and its horizon: arrays (n, days + horizon); demand of the horizon is 0 and not known."""

    demand: Floats
    known: Flags
    open: Flags
    price: Floats
    promotion: Floats
    category: NDArray[np.int64]
    weekday: NDArray[np.int64]
    day_of_year: Floats
    days: int


def timeline(history: History) -> Timeline:
    """Puts what is known ahead behind what is known."""
    ahead = ((0, 0), (0, history.horizon))
    first = np.datetime64(history.panel.first_day, "D")
    day = first + np.arange(history.panel.units.shape[1] + history.horizon)
    return Timeline(
        demand=np.pad(history.filled, ahead),
        known=np.pad(history.known, ahead),
        open=np.concatenate([history.panel.open, history.future_open], axis=1),
        price=np.concatenate([history.panel.price, history.future_price], axis=1),
        promotion=np.concatenate([history.panel.promotion, history.future_promotion], axis=1),
        category=history.category,
        weekday=(day.astype(np.int64) + 3) % WEEK,
        day_of_year=(day - day.astype("datetime64[Y]")).astype(np.float64),
        days=history.panel.units.shape[1],
    )


@dataclass(frozen=True)
class Origin:
    """What is known of n series at the close of column `at`: level (n,), features (n, k), weekdays (n, 7)."""

    at: int
    level: Floats
    features: Floats
    weekday_mean: Floats


def origin(line: Timeline, at: int) -> Origin:
    """Means over windows, how often and how unevenly a series sells, its weekdays."""
    kept = slice(max(0, at + 1 - YEAR), at + 1)
    demand, known = line.demand[:, kept], line.known[:, kept]
    means = [_mean(demand[:, -days:], known[:, -days:]) for days in WINDOWS]
    level = (means[1] + means[2]) / 2
    sold = [_mean((demand[:, -days:] > 0).astype(np.float64), known[:, -days:]) for days in WINDOWS[1:3]]
    spread = np.sqrt(_mean(np.square(demand[:, -91:] - means[2][:, None]), known[:, -91:]))
    silent = np.argmax((demand > 0)[:, ::-1], axis=1).astype(np.float64)
    age = np.minimum(at - np.argmax(line.open, axis=1), 2 * YEAR).astype(np.float64)
    relative = [_by(mean, level) for mean in (*means, spread)]
    features = np.stack([np.log(level + MIN_LEVEL), *relative, *sold, silent, age], axis=1)
    return Origin(at, level, features, _weekday_means(line, at, level))


def _weekday_means(line: Timeline, at: int, level: Floats) -> Floats:
    """(n, 7) mean of the last eight of each weekday by the level."""
    means = np.empty((len(level), WEEK))
    for weekday in range(WEEK):
        columns = np.flatnonzero(line.weekday[: at + 1] == weekday)[-8:]
        means[:, weekday] = _by(_mean(line.demand[:, columns], line.known[:, columns]), level)
    return means


def _mean(values: Floats, known: Flags) -> Floats:
    mean: Floats = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean


def _by(values: Floats, level: Floats) -> Floats:
    return np.divide(values, level, out=np.full(values.shape, np.nan), where=level > 0)


def _last_year(line: Timeline, at: int, first: int, last: int) -> Floats:
    """(n,) demand a day around columns first..last a year before, by that of the 28 days up to `at` then."""
    then = slice(first - YEAR - 3, last - YEAR + 4)
    before = slice(at - YEAR - 27, at - YEAR + 1)
    if before.start < 0:
        return np.full(len(line.demand), np.nan)
    base = _mean(line.demand[:, before], line.known[:, before])
    return _by(_mean(line.demand[:, then], line.known[:, then]), base)


def rows(line: Timeline, known: Origin, first: int, last: int) -> Floats:
    """(n, features) of the target that spans the steps first..last (from 1) after the origin."""
    columns = slice(known.at + first, known.at + last + 1)
    recent = slice(max(0, known.at - 27), known.at + 1)
    n, middle = len(known.level), known.at + (first + last) // 2
    target = [
        np.full(n, last),
        np.full(n, line.weekday[known.at + first]),
        np.full(n, line.day_of_year[middle]),
        known.weekday_mean[:, line.weekday[columns]].mean(axis=1),
        _last_year(line, known.at, known.at + first, known.at + last),
        line.open[:, columns].mean(axis=1),
        line.price[:, columns].mean(axis=1),
        line.promotion[:, columns].mean(axis=1),
        line.price[:, recent].mean(axis=1),
        line.promotion[:, recent].mean(axis=1),
        line.category,
    ]
    return np.concatenate([known.features, np.stack(target, axis=1)], axis=1)


def targets(line: Timeline, at: int, first: int, last: int) -> tuple[Floats, Flags]:
    """(n,) demand of the steps first..last after column `at`, and whether all its open days are known."""
    columns = slice(at + first, at + last + 1)
    known, opened = line.known[:, columns], line.open[:, columns]
    usable = (known | ~opened).all(axis=1) & opened.any(axis=1)
    return np.where(known, line.demand[:, columns], 0.0).sum(axis=1), usable
