"""How good the published forecasts were, against true demand and beside two baselines that see true demand.

Every origin whose fourteen days have passed counts. The baselines see demand that stock-outs hid from the
system; that favours them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batch.forecaster.fallback import FALLBACK_DAYS
from batch.forecaster.windows import DemandWindow, Flags, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS, DemandForecast
from serving.simulation.sales_log import DailyUnits

TAU = 14
WEEK = 7
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


def seasonal_naive(window: DemandWindow) -> Distributions:
    """Last week again, with the spread that the same rule's errors had over the last 56 days."""
    point = window.units[:, -WEEK:][:, np.arange(TAU) % WEEK]
    residuals = window.units[:, WEEK:] - window.units[:, :-WEEK]
    both_open = window.open[:, WEEK:] & window.open[:, :-WEEK]
    spread = empirical_quantiles(residuals, both_open, _LEVELS, FALLBACK_DAYS)
    daily = np.maximum(point[:, :, None] + spread[:, None, :], 0.0) * window.future_open[:, :, None]
    sums, weeks = _running_sums(window.units, TAU), _running_sums(window.units, WEEK) * (TAU / WEEK)
    errors = (sums[:, WEEK:] - weeks[:, : sums.shape[1] - WEEK])[:, -FALLBACK_DAYS:]
    total = point.sum(axis=1)[:, None] + np.quantile(errors, _LEVELS, axis=1).T
    return Distributions(daily, np.maximum(total, 0.0))


def empirical(window: DemandWindow) -> Distributions:
    """Quantiles of the last 56 open days, and of the fourteen-day sums within them."""
    flat = empirical_quantiles(window.units, window.open, _LEVELS, FALLBACK_DAYS)
    first = np.flatnonzero(window.open[0])[-FALLBACK_DAYS]
    sums = _running_sums(window.units[:, first:], TAU)
    daily = flat[:, None, :] * window.future_open[:, :, None]
    return Distributions(daily, np.quantile(sums, _LEVELS, axis=1).T)


def _running_sums(units: Floats, days: int) -> Floats:
    sums: Floats = sliding_window_view(units, days, axis=1).sum(axis=2)
    return sums


def join(parts: Sequence[Distributions]) -> Distributions:
    """The forecasts of several origins as one set."""
    daily = np.concatenate([part.daily for part in parts])
    return Distributions(daily, np.concatenate([part.cumulative for part in parts]))


def scores(
    forecasts: dict[tuple[str, date], DemandForecast],
    demand: DailyUnits,
    open_days: Flags,
    origins: Sequence[date],
) -> dict[str, Scores]:
    """Scores of the published forecasts and both baselines, pooled over the origins.

    Args:
        forecasts: by SKU and first day of the horizon, for every SKU of `demand` and every origin.
        demand: true units, with at least 56 open days before the first origin.
        open_days: (days,) whether the shop sold.
        origins: first days of the horizons; the fourteen days of each are in `demand`.
    """
    own, naive, recent, actual = [], [], [], []
    for origin in origins:
        window, at = window_before(demand, open_days, origin), demand.days.index(origin)
        own.append(published(forecasts[sku, origin] for sku in demand.skus))
        naive.append(seasonal_naive(window))
        recent.append(empirical(window))
        actual.append(demand.units[:, at : at + TAU])
    truth = np.concatenate(actual)
    names = ("published", "seasonal naive", "56-day empirical")
    return {name: score(truth, join(parts)) for name, parts in zip(names, (own, naive, recent), strict=True)}


def window_before(demand: DailyUnits, open_days: Flags, origin: date) -> DemandWindow:
    """What could be known of true demand at the beginning of `origin`, with the open days of the horizon."""
    at = demand.days.index(origin)
    past = np.broadcast_to(open_days[:at], (len(demand.skus), at))
    return DemandWindow(
        last_day=demand.days[at - 1],
        units=demand.units[:, :at],
        observed=np.ones_like(past),
        open=past,
        future_open=np.broadcast_to(open_days[at : at + TAU], (len(demand.skus), TAU)),
    )
