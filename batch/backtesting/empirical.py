"""The two methods that every other is measured against: seasonal naive, and recent empirical quantiles."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batch.backtesting.forecaster import Forecast, History, ascending
from batch.forecaster.baselines import seasonal_naive, seasonal_naive_cumulative
from batch.forecaster.fallback import FALLBACK_DAYS, empirical_forecast
from batch.forecaster.scores import pinball
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS

DRAWS = 1000
DECIDING = 1000
BLOCK = 256
"""Series whose draws are in memory at once."""


class SeasonalNaive:
    """Last week again, with the errors that the same rule made in the last 56 days."""

    sums = "errors of the rule's own sums that ended in the last 56 days"

    def fit(self, history: History) -> None:
        """Nothing is learned."""

    def forecast(self, history: History) -> Forecast:
        days = min(history.panel.units.shape[1], 2 * FALLBACK_DAYS + history.horizon)
        past = history.window(days, history.horizon)
        filled = history.filled[:, -days:]
        window = DemandWindow(past.last_day, filled, past.observed, past.open, past.future_open)
        sums = [seasonal_naive_cumulative(window, tau) for tau in history.taus]
        return Forecast(seasonal_naive(window), np.stack(sums, axis=1))


class EmpiricalQuantiles:
    """Quantiles of the last 56 known open days, the same on every open day."""

    sums = (
        "independent draws from the last 56 known open days or their overlapping sums, per tau whichever"
        " forecast the last tau days before the origin with less pinball loss"
    )

    def fit(self, history: History) -> None:
        """Nothing is learned."""

    def forecast(self, history: History) -> Forecast:
        values, count = last_known(history.panel.units, history.known, FALLBACK_DAYS)
        open_days = np.cumsum(history.future_open, axis=1, dtype=np.float64)[:, np.array(history.taus) - 1]
        drawn = drawn_sums(values, count, open_days)
        rolled = rolling_sums(values, count, open_days)
        rolls = _rolling_is_better(history)
        daily = empirical_forecast(history.window(history.panel.units.shape[1], history.horizon))
        return Forecast(daily, np.where(rolls[None, :, None], rolled, drawn))


def _rolling_is_better(history: History) -> Flags:
    """(taus,) whether rolling sums forecast the last tau days before the origin better than draws did.

    Some hundred series decide.
    """
    picked = slice(None, None, 1 + len(history.panel.units) // DECIDING)
    units, known = history.panel.units[picked], history.known[picked]
    better = []
    for tau in history.taus:
        values, count = last_known(units[:, :-tau], known[:, :-tau], FALLBACK_DAYS)
        open_days = known[:, -tau:].sum(axis=1, keepdims=True).astype(np.float64)
        actual = np.where(known[:, -tau:], units[:, -tau:], 0.0).sum(axis=1)
        losses = [
            pinball(sums(values, count, open_days)[:, 0], actual, np.array(QUANTILE_LEVELS)).sum()
            for sums in (rolling_sums, drawn_sums)
        ]
        better.append(losses[0] < losses[1])
    return np.array(better)


def last_known(units: Floats, known: Flags, days: int) -> tuple[Floats, Floats]:
    """(n, days) the last known values of each series, 0 in front; and (n,) how many there are."""
    ago = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]
    row, column = np.nonzero(known & (ago <= days))
    values = np.zeros((len(units), days))
    values[row, days - ago[row, column]] = units[row, column]
    return values, np.minimum(known.sum(axis=1), days).astype(np.float64)


def drawn_sums(values: Floats, count: Floats, open_days: Floats) -> Floats:
    """(n, k, levels) of sums of open_days (n, k) values, drawn with replacement; `values` as `last_known`."""
    rng = np.random.default_rng(0)
    longest = int(open_days.max())
    share = rng.random((DRAWS, longest))
    quantiles = np.zeros((*open_days.shape, len(QUANTILE_LEVELS)))
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        place = values.shape[1] - 1 - np.floor(share * count[rows, None, None]).astype(np.intp)
        drawn = np.take_along_axis(values[rows, None, :], place, axis=2)
        totals = np.concatenate([np.zeros((*drawn.shape[:2], 1)), np.cumsum(drawn, axis=2)], axis=2)
        chosen = np.take_along_axis(totals, open_days[rows, None, :].astype(np.intp), axis=2)
        quantiles[rows] = np.moveaxis(np.quantile(chosen, QUANTILE_LEVELS, axis=1), 0, 2)
    return quantiles


def rolling_sums(values: Floats, count: Floats, open_days: Floats) -> Floats:
    """(n, k, levels) of the overlapping sums of open_days (n, k) values; with fewer values, of their mean."""
    quantiles = np.zeros((*open_days.shape, len(QUANTILE_LEVELS)))
    for length in np.unique(open_days[open_days > 0]).astype(int):
        for have in np.unique(count):
            row, column = np.nonzero((open_days == length) & (count[:, None] == have))
            if have < length:
                mean = values[row].sum(axis=1) / max(have, 1)
                quantiles[row, column] = length * mean[:, None]
            else:
                recent = values[row, values.shape[1] - int(have) :]
                sums = sliding_window_view(recent, length, axis=1).sum(axis=2)
                quantiles[row, column] = np.quantile(sums, QUANTILE_LEVELS, axis=1).T
    return ascending(quantiles)
