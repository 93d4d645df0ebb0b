"""Methods for intermittent demand from statsforecast: Croston-SBA, TSB, ADIDA.

The rules and their days are those of `batch.forecaster.intermittent`; sums have the errors of sums as long.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batch.backtesting.forecaster import Forecast, History, ascending
from batch.forecaster.intermittent import (
    USUAL_SMOOTHING,
    FlatForecast,
    OpenDays,
    best_smoothing,
    daily_quantiles,
    error_quantiles,
    flat_forecast,
    new_croston_sba,
    new_tsb,
)
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS


class CrostonSBA:
    """Size over interval of demand, each smoothed exponentially, less the bias of the ratio."""

    sums = "errors of the rule's own sums in the last 364 open days"

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        return _forecast(history, new_croston_sba)


class ADIDA:
    """Simple exponential smoothing of demand added up over blocks as long as the mean interval."""

    sums = CrostonSBA.sums

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        from statsforecast.models import ADIDA

        return _forecast(history, ADIDA)


class TSB:
    """Probability and size of demand, each smoothed with the pair of constants that was best so far."""

    sums = CrostonSBA.sums

    def __init__(self) -> None:
        self._smoothing = USUAL_SMOOTHING

    def fit(self, history: History) -> None:
        self._smoothing = best_smoothing(_open_days(history))

    def forecast(self, history: History) -> Forecast:
        return _forecast(history, new_tsb(self._smoothing))


def _open_days(history: History) -> OpenDays:
    return OpenDays(history.filled, history.panel.open, history.known)


def _forecast(history: History, new_model: Callable[[], Any]) -> Forecast:
    flat = flat_forecast(_open_days(history), new_model)
    ahead = np.cumsum(history.future_open, axis=1)[:, np.array(history.taus) - 1]
    sums = np.stack([_summed(flat, open_days) for open_days in ahead.T], axis=1)
    return Forecast(daily_quantiles(flat, history.future_open), sums)


def _summed(flat: FlatForecast, open_days: Floats) -> Floats:
    """(n, levels) of the sum of the next open_days (n,) open days."""
    quantiles = np.zeros((len(open_days), len(QUANTILE_LEVELS)))
    for length in np.unique(open_days[open_days > 0]).astype(int):
        rows = np.flatnonzero(open_days == length)
        demand = sliding_window_view(flat.demand[rows], length, axis=1).sum(axis=2)
        valid = sliding_window_view(flat.valid[rows], length, axis=1).all(axis=2)
        error = demand - length * flat.fitted[rows, : demand.shape[1]]
        quantiles[rows] = ascending(length * flat.point[rows, None] + error_quantiles(error, valid))
    return quantiles
