"""Forecasts that a model must beat, at `QUANTILE_LEVELS`: per day, and for the sum of days 1..tau."""

from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batch.forecaster.fallback import FALLBACK_DAYS
from batch.forecaster.windows import DemandWindow, Flags, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS

WEEK = 7
BOOTSTRAP_DRAWS = 1000


def filled_demand(units: Floats, is_open: Flags, known: Flags) -> Floats:
    """(n, days) units; on an open day that is not known, at least the mean of the known of 56 days before."""
    demand = np.cumsum(np.where(known, units, 0.0), axis=1)
    count = np.cumsum(known, axis=1, dtype=np.float64)
    for total in (demand, count):
        total[:, FALLBACK_DAYS:] -= total[:, :-FALLBACK_DAYS].copy()
        total[:, 1:] = total[:, :-1].copy()
        total[:, :1] = 0.0
    mean = np.maximum(demand, 0.0) / np.maximum(count, 1.0)
    return np.where(is_open & ~known, np.maximum(units, mean), units)


def seasonal_naive(window: DemandWindow) -> Floats:
    """(n, horizon, levels): the same weekday of last week, plus quantiles of the week-on-week differences.

    The differences are those of the last 56 open days; the result is cut off at zero and zero on closed days.
    """
    residuals = window.units[:, WEEK:] - window.units[:, :-WEEK]
    spread = _recent_quantiles(residuals, window.open[:, WEEK:] & window.open[:, :-WEEK])
    quantiles = np.maximum(_last_week_repeated(window)[:, :, None] + spread[:, None, :], 0.0)
    forecast: Floats = quantiles * window.future_open[:, :, None]
    return forecast


def filled_seasonal_naive(window: DemandWindow) -> Floats:
    """As `seasonal_naive`, where stock-outs hide demand with what was usual then."""
    known = window.observed & window.open
    return seasonal_naive(replace(window, units=filled_demand(window.units, window.open, known)))


def seasonal_naive_cumulative(window: DemandWindow, tau: int) -> Floats:
    """(n, levels): last week's demand repeated, plus quantiles of the errors the same rule made before.

    The errors are those of the sums over tau days that ended in the last 56 days; cut off at zero.
    """
    sums = sliding_window_view(window.units, tau, axis=1).sum(axis=2)
    weeks = sliding_window_view(window.units, WEEK, axis=1).sum(axis=2) * (tau / WEEK)
    errors = sums[:, WEEK:] - weeks[:, : sums.shape[1] - WEEK]
    point = _last_week_repeated(window)[:, :tau].sum(axis=1)
    spread = np.quantile(errors[:, -FALLBACK_DAYS:], QUANTILE_LEVELS, axis=1).T
    forecast: Floats = np.maximum(point[:, None] + spread, 0.0)
    return forecast


def rolling_cumulative(window: DemandWindow, tau: int) -> Floats:
    """(n, levels): quantiles of the overlapping tau-day sums within the last 56 open days."""
    open_columns = np.flatnonzero(window.open.any(axis=0))[-FALLBACK_DAYS:]
    sums = sliding_window_view(window.units[:, open_columns[0] :], tau, axis=1).sum(axis=2)
    quantiles: Floats = np.quantile(sums, QUANTILE_LEVELS, axis=1).T
    return quantiles


def bootstrap_cumulative(window: DemandWindow, tau: int) -> Floats:
    """(n, levels): sums over the open days ahead, drawn independently from the last 56 open days."""
    known = window.observed & window.open
    rng = np.random.default_rng(0)
    rows = []
    for units, usable, ahead in zip(window.units, known, window.future_open[:, :tau], strict=True):
        recent = units[usable][-FALLBACK_DAYS:] if usable.any() else np.zeros(1)
        draws = rng.integers(0, len(recent), (BOOTSTRAP_DRAWS, int(ahead.sum())))
        rows.append(np.quantile(recent[draws].sum(axis=1), QUANTILE_LEVELS))
    return np.stack(rows)


def _last_week_repeated(window: DemandWindow) -> Floats:
    steps = np.arange(window.future_open.shape[1])
    return window.units[:, window.units.shape[1] - WEEK + steps % WEEK]


def _recent_quantiles(values: Floats, known: Flags) -> Floats:
    return empirical_quantiles(values, known, QUANTILE_LEVELS, FALLBACK_DAYS)
