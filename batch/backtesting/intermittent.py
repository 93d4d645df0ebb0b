"""Methods for intermittent demand from statsforecast: Croston-SBA, TSB, ADIDA.

Each gives one number for all days ahead. Its distribution is that number plus the errors the same rule made
in the last year: of days as far ahead, and of sums as long. Closed days are left out of the series.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batch.backtesting.forecaster import Forecast, History, ascending
from batch.forecaster.windows import Flags, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS

MEMORY_DAYS = 364
WEEK = 7
SMOOTHING = (0.05, 0.1, 0.2)


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


class CrostonSBA:
    """Size over interval of demand, each smoothed exponentially, less the bias of the ratio."""

    sums = "errors of the rule's own sums in the last 364 open days"

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        from statsforecast.models import CrostonSBA

        return _distribution(flat_forecast(history, CrostonSBA), history)


class ADIDA:
    """Simple exponential smoothing of demand added up over blocks as long as the mean interval."""

    sums = CrostonSBA.sums

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        from statsforecast.models import ADIDA

        return _distribution(flat_forecast(history, ADIDA), history)


class TSB:
    """Probability and size of demand, each smoothed with the pair of constants that was best so far."""

    sums = CrostonSBA.sums

    def __init__(self) -> None:
        self._smoothing = (SMOOTHING[1], SMOOTHING[1])

    def fit(self, history: History) -> None:
        pairs = list(product(SMOOTHING, SMOOTHING))
        losses = [_scaled_error(flat_forecast(history, self._model(*pair))) for pair in pairs]
        self._smoothing = pairs[int(np.argmin(losses))]

    def forecast(self, history: History) -> Forecast:
        return _distribution(flat_forecast(history, self._model(*self._smoothing)), history)

    def _model(self, size: float, probability: float) -> Callable[[], Any]:
        from statsforecast.models import TSB

        return lambda: TSB(alpha_d=size, alpha_p=probability)


def flat_forecast(history: History, new_model: Callable[[], Any]) -> FlatForecast:
    """Fits one model a series on its open days of the last year; a series that never sold forecasts 0."""
    n = len(history.panel.units)
    filled, open_days, known = history.filled, history.panel.open, history.known
    point, demand, fitted = np.zeros(n), np.zeros((n, MEMORY_DAYS)), np.zeros((n, MEMORY_DAYS))
    valid = np.zeros((n, MEMORY_DAYS), dtype=np.bool_)
    for row in range(n):
        columns = np.flatnonzero(open_days[row])[-MEMORY_DAYS:]
        y = filled[row, columns]
        if len(y) < 2 or not y.any():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = new_model().fit(y)
            point[row] = model.predict(h=1)["mean"][0]
            past = np.asarray(model.predict_in_sample()["fitted"], dtype=np.float64)
        place = slice(MEMORY_DAYS - len(y), None)
        demand[row, place], fitted[row, place] = y, np.nan_to_num(past)
        valid[row, place] = known[row, columns] & np.isfinite(past)
    return FlatForecast(np.maximum(np.nan_to_num(point), 0.0), demand, fitted, valid)


def _scaled_error(flat: FlatForecast) -> float:
    """Mean over series of squared errors by mean squared demand."""
    error = np.where(flat.valid, flat.demand - flat.fitted, 0.0)
    size = np.where(flat.valid, flat.demand, 0.0)
    known = (size**2).sum(axis=1) > 0
    return (
        float(((error**2).sum(axis=1)[known] / (size**2).sum(axis=1)[known]).mean()) if known.any() else 0.0
    )


def _distribution(flat: FlatForecast, history: History) -> Forecast:
    daily = np.zeros((*history.future_open.shape, len(QUANTILE_LEVELS)))
    for start in range(0, history.horizon, WEEK):
        lead = start + min(WEEK, history.horizon - start) // 2
        daily[:, start : start + WEEK] = _ahead(flat, lead)[:, None, :]
    ahead = np.cumsum(history.future_open, axis=1)[:, np.array(history.taus) - 1]
    sums = np.stack([_summed(flat, open_days) for open_days in ahead.T], axis=1)
    return Forecast(daily * history.future_open[:, :, None], sums)


def _ahead(flat: FlatForecast, lead: int) -> Floats:
    """(n, levels) of demand `lead` open days after the first one ahead."""
    kept = slice(0, MEMORY_DAYS - lead)
    error = flat.demand[:, lead:] - flat.fitted[:, kept]
    spread = _quantiles(error, flat.valid[:, lead:] & flat.valid[:, kept])
    return ascending(flat.point[:, None] + spread)


def _summed(flat: FlatForecast, open_days: Floats) -> Floats:
    """(n, levels) of the sum of the next open_days (n,) open days."""
    quantiles = np.zeros((len(open_days), len(QUANTILE_LEVELS)))
    for length in np.unique(open_days[open_days > 0]).astype(int):
        rows = np.flatnonzero(open_days == length)
        demand = sliding_window_view(flat.demand[rows], length, axis=1).sum(axis=2)
        valid = sliding_window_view(flat.valid[rows], length, axis=1).all(axis=2)
        error = demand - length * flat.fitted[rows, : demand.shape[1]]
        quantiles[rows] = ascending(length * flat.point[rows, None] + _quantiles(error, valid))
    return quantiles


def _quantiles(errors: Floats, valid: Flags) -> Floats:
    return empirical_quantiles(errors, valid, QUANTILE_LEVELS, errors.shape[1])
