"""How good the published forecasts were, against true demand and beside two baselines that see true demand.

Every origin whose fourteen days have passed counts. The baselines see demand that stock-outs hid from the
system; that favours them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from batch.forecaster import baselines
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.scores import interval_coverage, weighted_quantile_loss
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import DemandForecast
from serving.simulation.sales_log import DailyUnits

TAU = 14


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
    """Quantiles at `QUANTILE_LEVELS`: daily (n, 14, levels), cumulative (n, levels)."""

    daily: Floats
    cumulative: Floats


def score(actual: Floats, distributions: Distributions) -> Scores:
    """Scores of n forecasts; `actual` is (n, 14) true demand."""
    total = actual.sum(axis=1)
    return Scores(
        wql=weighted_quantile_loss(distributions.daily, actual),
        cumulative=weighted_quantile_loss(distributions.cumulative, total),
        coverage_80=interval_coverage(distributions.cumulative, total),
    )


def published(forecasts: Iterable[DemandForecast]) -> Distributions:
    """The distributions that forecast messages carry."""
    chosen = list(forecasts)
    daily = np.array([forecast.quantiles[:TAU] for forecast in chosen])
    return Distributions(daily, np.array([forecast.cumulative[TAU - 1] for forecast in chosen]))


def seasonal_naive(window: DemandWindow) -> Distributions:
    """Last week again, with the spread that the same rule's errors had over the last 56 days."""
    return Distributions(baselines.seasonal_naive(window), baselines.seasonal_naive_cumulative(window, TAU))


def empirical(window: DemandWindow) -> Distributions:
    """Quantiles of the last 56 open days, and of the fourteen-day sums within them."""
    return Distributions(empirical_forecast(window), baselines.rolling_cumulative(window, TAU))


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
