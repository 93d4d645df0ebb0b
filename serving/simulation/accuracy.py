"""How good the published forecasts were, against true demand and beside two baselines that see true demand.

Every origin whose fourteen days have passed counts. The baselines see demand that stock-outs hid from the
system; that favours them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.windows import empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS, DemandForecast
from serving.simulation.sales_log import DailyUnits

Floats = NDArray[np.float64]

TAU = 14
EMPIRICAL_DAYS = 56
SCORED_LEVELS = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
"""The nine levels of the M5 uncertainty competition."""
INTERVAL = (0.1, 0.9)
_LEVELS = (*SCORED_LEVELS, *INTERVAL)


@dataclass(frozen=True)
class Scores:
    """Losses are twice the mean pinball loss over mean demand; lower is better.

    `wql` is that of single days, `cumulative` that of the demand of fourteen days; `coverage_80` is the share
    of fourteen-day demands inside the central 80 % interval.
    """

    wql: float
    cumulative: float
    coverage_80: float


@dataclass(frozen=True)
class Distributions:
    """Quantiles at the scored levels and the interval's ends: daily (n, 14, 11), cumulative (n, 11)."""

    daily: Floats
    cumulative: Floats


def quantile_loss(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> float:
    """Twice the summed pinball loss, averaged over the levels, by the summed demand.

    Args:
        actual: (...) demand.
        quantiles: (..., levels).
        levels: probabilities of the quantiles.

    Source: Makridakis et al., The M5 uncertainty competition (weighted by units).
    """
    error = actual[..., None] - quantiles
    share = np.asarray(levels)
    pinball = np.maximum(share * error, (share - 1) * error)
    return float(2 * pinball.sum() / len(levels) / max(actual.sum(), 1e-9))


def score(actual: Floats, distributions: Distributions) -> Scores:
    """Scores of n forecasts; `actual` is (n, 14) true demand."""
    total, nine = actual.sum(axis=1), len(SCORED_LEVELS)
    low, high = distributions.cumulative[:, nine], distributions.cumulative[:, nine + 1]
    return Scores(
        wql=quantile_loss(actual, distributions.daily[..., :nine], SCORED_LEVELS),
        cumulative=quantile_loss(total, distributions.cumulative[:, :nine], SCORED_LEVELS),
        coverage_80=float(np.mean((low <= total) & (total <= high))),
    )


def published(forecasts: Iterable[DemandForecast]) -> Distributions:
    """The distributions that forecast messages carry."""
    knots = [QUANTILE_LEVELS.index(level) for level in _LEVELS]
    chosen = list(forecasts)
    daily = np.array([forecast.quantiles[:TAU] for forecast in chosen])[..., knots]
    return Distributions(daily, np.array([forecast.cumulative[TAU - 1] for forecast in chosen])[:, knots])


def seasonal_naive(history: Floats) -> Distributions:
    """Last week again, without any spread; `history` is (n, days) and ends the day before the origin."""
    point = np.tile(history[:, -7:], TAU // 7)
    return Distributions(_spread(point), _spread(point.sum(axis=1)))


def empirical(history: Floats, open_days: NDArray[np.bool_], future_open: NDArray[np.bool_]) -> Distributions:
    """Quantiles of the last 56 open days, and of the fourteen-day sums within the last 56 days.

    Args:
        history: (n, days) demand, the last day is the day before the origin.
        open_days: (days,) whether the shop sold.
        future_open: (14,) whether it will.
    """
    known = np.broadcast_to(open_days, history.shape)
    flat = empirical_quantiles(history, known, _LEVELS, EMPIRICAL_DAYS)
    running = np.cumsum(history[:, -EMPIRICAL_DAYS:], axis=1)
    sums = running[:, TAU - 1 :] - np.concatenate([np.zeros((len(history), 1)), running[:, :-TAU]], axis=1)
    daily = flat[:, None, :] * future_open.astype(np.float64)[None, :, None]
    return Distributions(daily, np.moveaxis(np.quantile(sums, _LEVELS, axis=1), 0, -1))


def join(parts: Sequence[Distributions]) -> Distributions:
    """The forecasts of several origins as one set."""
    daily = np.concatenate([part.daily for part in parts])
    return Distributions(daily, np.concatenate([part.cumulative for part in parts]))


def scores(
    forecasts: dict[tuple[str, date], DemandForecast],
    demand: DailyUnits,
    open_days: NDArray[np.bool_],
    origins: Sequence[date],
) -> dict[str, Scores]:
    """Scores of the published forecasts and both baselines, pooled over the origins.

    Args:
        forecasts: by SKU and first day of the horizon, for every row of `demand` and every origin.
        demand: true units, with 56 open days before the first origin.
        open_days: (days,) whether the shop sold.
        origins: first days of the horizons; the fourteen days of each are in `demand`.
    """
    own, naive, recent, actual = [], [], [], []
    for origin in origins:
        at = demand.days.index(origin)
        own.append(published(forecasts[sku, origin] for sku in demand.skus))
        naive.append(seasonal_naive(demand.units[:, :at]))
        recent.append(empirical(demand.units[:, :at], open_days[:at], open_days[at : at + TAU]))
        actual.append(demand.units[:, at : at + TAU])
    truth = np.concatenate(actual)
    names = ("published", "seasonal naive", "56-day empirical")
    return {name: score(truth, join(parts)) for name, parts in zip(names, (own, naive, recent), strict=True)}


def _spread(point: Floats) -> Floats:
    return np.broadcast_to(point[..., None], (*point.shape, len(_LEVELS)))
