"""Croston-SBA and TSB from statsforecast: forecasts of intermittent demand that cost 0.05 ms a series.

Each rule gives one number for all days ahead. Its distribution is that number plus the errors the same rule
made in the last year, of days as far ahead. Closed days are left out of the series.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from batch.forecaster.baselines import filled_demand
from batch.forecaster.windows import DemandWindow, Flags, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS

MEMORY_DAYS = 364
WEEK = 7
SMOOTHING = (0.05, 0.1, 0.2)

Smoothing = tuple[float, float]
"""TSB's constants for the size and the probability of demand."""

USUAL_SMOOTHING: Smoothing = (0.1, 0.1)


@dataclass(frozen=True)
class OpenDays:
    """Demand of n series (n, days): filled where a stock-out cut it, and where it is open and known."""

    filled: Floats
    open: Flags
    known: Flags

    @classmethod
    def of(cls, window: DemandWindow) -> "OpenDays":
        known = window.observed & window.open
        return cls(filled_demand(window.units, window.open, known), window.open, known)


@dataclass(frozen=True)
class FlatForecast:
    """One number a series, and the past of the rule; (n, memory) arrays end on the last open day.

    Attributes:
        point: (n,) forecast of every open day ahead.
        demand: what was sold on open days, filled where that is not the demand.
        fitted: the forecast made for the day by the rule on the day before.
        valid: where both are known.
    """

    point: Floats
    demand: Floats
    fitted: Floats
    valid: Flags


def croston_sba(window: DemandWindow) -> Floats:
    """Quantiles (n, horizon, levels) around size over interval of demand, less the bias of the ratio."""
    return daily_quantiles(flat_forecast(OpenDays.of(window), new_croston_sba), window.future_open)


def tsb(window: DemandWindow, smoothing: Smoothing) -> Floats:
    """Quantiles (n, horizon, levels) around the product of probability and size of demand."""
    return daily_quantiles(flat_forecast(OpenDays.of(window), new_tsb(smoothing)), window.future_open)


def best_smoothing(days: OpenDays) -> Smoothing:
    """The constants with which TSB's forecasts of the next day were best so far, over all series."""
    pairs = list(product(SMOOTHING, SMOOTHING))
    losses = [_scaled_error(flat_forecast(days, new_tsb(pair))) for pair in pairs]
    return pairs[int(np.argmin(losses))]


def new_croston_sba() -> Any:
    """A model of statsforecast, whose import takes seconds and is left to those who forecast with it."""
    from statsforecast.models import CrostonSBA

    return CrostonSBA()


def new_tsb(smoothing: Smoothing) -> Callable[[], Any]:
    """Makes models of statsforecast."""
    from statsforecast.models import TSB

    return lambda: TSB(alpha_d=smoothing[0], alpha_p=smoothing[1])


def flat_forecast(days: OpenDays, new_model: Callable[[], Any]) -> FlatForecast:
    """Fits one model a series on its open days of the last year; a series that never sold forecasts 0."""
    n = len(days.filled)
    point, demand, fitted = np.zeros(n), np.zeros((n, MEMORY_DAYS)), np.zeros((n, MEMORY_DAYS))
    valid = np.zeros((n, MEMORY_DAYS), dtype=np.bool_)
    for row in range(n):
        columns = np.flatnonzero(days.open[row])[-MEMORY_DAYS:]
        y = days.filled[row, columns]
        if len(y) < 2 or not y.any():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = new_model().fit(y)
            point[row] = model.predict(h=1)["mean"][0]
            past = np.asarray(model.predict_in_sample()["fitted"], dtype=np.float64)
        place = slice(MEMORY_DAYS - len(y), None)
        demand[row, place], fitted[row, place] = y, np.nan_to_num(past)
        valid[row, place] = days.known[row, columns] & np.isfinite(past)
    return FlatForecast(np.maximum(np.nan_to_num(point), 0.0), demand, fitted, valid)


def _scaled_error(flat: FlatForecast) -> float:
    """Mean over series of squared errors by mean squared demand."""
    error = np.where(flat.valid, flat.demand - flat.fitted, 0.0)
    size = np.where(flat.valid, flat.demand, 0.0)
    known = (size**2).sum(axis=1) > 0
    return (
        float(((error**2).sum(axis=1)[known] / (size**2).sum(axis=1)[known]).mean()) if known.any() else 0.0
    )


def daily_quantiles(flat: FlatForecast, future_open: Flags) -> Floats:
    """(n, horizon, levels) of each day ahead; a week has the errors of days as far ahead as its middle."""
    horizon = future_open.shape[1]
    daily = np.zeros((*future_open.shape, len(QUANTILE_LEVELS)))
    for start in range(0, horizon, WEEK):
        lead = start + min(WEEK, horizon - start) // 2
        daily[:, start : start + WEEK] = _ahead(flat, lead)[:, None, :]
    return daily * future_open[:, :, None]


def _ahead(flat: FlatForecast, lead: int) -> Floats:
    """(n, levels) of demand `lead` open days after the first one ahead."""
    kept = slice(0, MEMORY_DAYS - lead)
    error = flat.demand[:, lead:] - flat.fitted[:, kept]
    spread = error_quantiles(error, flat.valid[:, lead:] & flat.valid[:, kept])
    return np.sort(np.maximum(flat.point[:, None] + spread, 0.0), axis=-1)


def error_quantiles(errors: Floats, valid: Flags) -> Floats:
    """(n, levels) of the errors (n, days) that are valid."""
    return empirical_quantiles(errors, valid, QUANTILE_LEVELS, errors.shape[1])
