"""Rolling-origin comparison of a model with the baselines, and the gate it must pass to be promoted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from batch.copula_fit import summed_quantiles
from batch.forecaster.baselines import (
    bootstrap_cumulative,
    rolling_cumulative,
    seasonal_naive,
    seasonal_naive_cumulative,
)
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.scores import interval_coverage, weighted_quantile_loss
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import HORIZON_DAYS, Copula
from infra.errors import StockstreamError

GATE_ORIGINS = 6
ORIGIN_SPACING_DAYS = 14
CUMULATIVE_DAYS = 14
HISTORY_DAYS = 224
WINDOW_DAYS = 476
"""Days a forecaster is shown; before the panel begins they count as before the launch."""

PATHS = 500
GOAL_RATIO = 0.95
GOAL_COVERAGE = (0.75, 0.85)

MODEL, FALLBACK, EMPIRICAL, NAIVE = "lstm", "fallback", "empirical_56_open_days", "seasonal_naive"
BASELINES = (EMPIRICAL, NAIVE)


@dataclass(frozen=True)
class Forecasts:
    """One forecaster's forecasts of n series at several origins.

    Attributes:
        daily: (origins, n, horizon, levels).
        cumulative: distributions (origins, n, levels) of 14-day demand, by the way they were made.
    """

    daily: Floats
    cumulative: dict[str, Floats]


@dataclass(frozen=True)
class Outcomes:
    """What came after several origins, (origins, n, horizon) each: demand, and where no stock-out cut it."""

    demand: Floats
    known: Flags

    @classmethod
    def of(cls, panel: DemandPanel, origins: Sequence[int]) -> "Outcomes":
        """Of all series."""
        demand = np.stack([panel.actual(origin, HORIZON_DAYS) for origin in origins])
        known = np.stack([panel.observed[:, day + 1 : day + 1 + HORIZON_DAYS] for day in origins])
        return cls(demand, known)

    def at(self, place: int) -> "Outcomes":
        """What came after one of the origins."""
        return Outcomes(self.demand[[place]], self.known[[place]])

    @property
    def of_all_origins(self) -> tuple[Floats, Flags]:
        """Demand and where it is known, (origins x n, horizon) each."""
        return np.concatenate(self.demand), np.concatenate(self.known)

    def whole(self, days: int) -> Flags:
        """(origins, n) whether all of the first days are known, so that their sum is."""
        every: Flags = self.known[:, :, :days].all(axis=2)
        return every

    def has_sums(self, days: int) -> bool:
        """Whether anything was sold in the first days of a series of which all are known."""
        return bool(self.demand[:, :, :days][self.whole(days)].any())


def rolling_origins(panel: DemandPanel, count: int, spacing: int = ORIGIN_SPACING_DAYS) -> list[int]:
    """Columns of the last known days, ascending; each has a whole horizon before the panel ends.

    Raises:
        StockstreamError: the panel is too short.
    """
    last = panel.units.shape[1] - 1 - HORIZON_DAYS
    first = last - spacing * (count - 1)
    if first < HISTORY_DAYS:
        days = panel.units.shape[1]
        needed = HISTORY_DAYS + spacing * (count - 1) + HORIZON_DAYS + 1
        raise StockstreamError(f"panel has {days} days: {count} origins need at least {needed}")
    return list(range(first, last + 1, spacing))


def daily_forecasts(
    panel: DemandPanel, origins: Sequence[int], forecaster: Callable[[DemandWindow], Floats]
) -> Floats:
    """(origins, n, horizon, levels) quantiles made with what was known at each origin."""
    windows = (panel.window(origin, WINDOW_DAYS, HORIZON_DAYS) for origin in origins)
    return np.stack([forecaster(window) for window in windows])


def compare(
    panel: DemandPanel, origins: Sequence[int], predictor: Predictor, paths: int = PATHS
) -> dict[str, Any]:
    """Scores the model, the fallback with its copula and the baselines at the same origins.

    Only on what is known: days that a stock-out cut, and sums with one, are no outcomes.

    Returns:
        JSON-ready: per forecaster WQL, weighted cumulative pinball and 80 % coverage at 14 days, pooled and
        per origin (None where nothing is known); the number of series; the model's ratio to the better
        baseline of each; whether it passes and meets the goals.

    Raises:
        StockstreamError: stock-outs leave nothing to compare forecasts on.
    """
    config = predictor.config
    outcome = Outcomes.of(panel, origins)
    if not outcome.has_sums(CUMULATIVE_DAYS):
        raise StockstreamError(
            f"panel: after {', '.join(panel.day(day).isoformat() for day in origins)} no series sold"
            f" anything in {CUMULATIVE_DAYS} days without stock-out: a model cannot be judged on them"
        )
    made = {
        MODEL: _with_copula(
            daily_forecasts(panel, origins, lambda w: predictor.predict(w, panel.series)),
            config.copula,
            paths,
        ),
        FALLBACK: _with_copula(
            daily_forecasts(panel, origins, empirical_forecast), config.fallback_copula, paths
        ),
        **_baselines(panel, origins),
    }
    pooled = {name: _scores(forecasts, outcome) for name, forecasts in made.items()}
    return {
        "origins": [panel.day(origin).isoformat() for origin in origins],
        "series": len(panel.series),
        "pooled": pooled,
        "per_origin": {name: _per_origin(forecasts, outcome) for name, forecasts in made.items()},
        **_verdict(pooled),
    }


def _with_copula(daily: Floats, copula: Copula, paths: int) -> Forecasts:
    sums = [summed_quantiles(quantiles[:, :CUMULATIVE_DAYS], copula, paths) for quantiles in daily]
    return Forecasts(daily, {"copula": np.stack(sums)})


def _baselines(panel: DemandPanel, origins: Sequence[int]) -> dict[str, Forecasts]:
    def sums(rule: Callable[[DemandWindow, int], Floats]) -> Floats:
        return daily_forecasts(panel, origins, lambda window: rule(window, CUMULATIVE_DAYS))

    empirical = {"bootstrap": sums(bootstrap_cumulative), "rolling": sums(rolling_cumulative)}
    naive = {"past_errors": sums(seasonal_naive_cumulative)}
    return {
        EMPIRICAL: Forecasts(daily_forecasts(panel, origins, empirical_forecast), empirical),
        NAIVE: Forecasts(daily_forecasts(panel, origins, seasonal_naive), naive),
    }


def _scores(forecasts: Forecasts, outcome: Outcomes) -> dict[str, Any]:
    days, whole = outcome.known, outcome.whole(CUMULATIVE_DAYS)
    total = outcome.demand[:, :, :CUMULATIVE_DAYS].sum(axis=2)[whole]
    losses = {way: weighted_quantile_loss(sums[whole], total) for way, sums in forecasts.cumulative.items()}
    best = min(losses, key=lambda way: losses[way])
    return {
        "wql": weighted_quantile_loss(forecasts.daily[days], outcome.demand[days]),
        "cumulative_pinball_14": losses[best],
        "cumulative_made_by": best,
        "coverage_80_of_14_days": interval_coverage(forecasts.cumulative[best][whole], total),
    }


def _per_origin(forecasts: Forecasts, outcome: Outcomes) -> list[dict[str, Any] | None]:
    """None where nothing is known after an origin."""
    return [
        _scores(
            Forecasts(forecasts.daily[[i]], {way: sums[[i]] for way, sums in forecasts.cumulative.items()}),
            outcome.at(i),
        )
        if outcome.at(i).has_sums(CUMULATIVE_DAYS)
        else None
        for i in range(len(outcome.demand))
    ]


def _verdict(pooled: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ratios = {
        metric: pooled[MODEL][metric] / min(pooled[name][metric] for name in BASELINES)
        for metric in ("wql", "cumulative_pinball_14")
    }
    covered = pooled[MODEL]["coverage_80_of_14_days"]
    return {
        "ratio_to_better_baseline": ratios,
        "passes": all(ratio < 1 for ratio in ratios.values()),
        "meets_goals": all(ratio <= GOAL_RATIO for ratio in ratios.values())
        and GOAL_COVERAGE[0] <= covered <= GOAL_COVERAGE[1],
    }
