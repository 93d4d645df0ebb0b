"""LightGBM quantile regression over all series: one set of models for days, one for the sums of tau days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.stats import norm

from batch.backtesting import boosting_rows
from batch.backtesting.forecaster import Forecast, History, ascending
from batch.forecaster.scores import SCORED_LEVELS
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS
from infra.errors import StockstreamError

MIN_HISTORY = 28


@dataclass(frozen=True)
class BoostingPlan:
    """How much is learned.

    Attributes:
        rounds: trees per level. leaves: of a tree. learning_rate: weight of a tree.
        rows: training rows of each set of models, drawn at random.
        origins: days, drawn at random from the last two years, whose knowledge the rows start from.
        seed: of both.
    """

    rounds: int = 120
    leaves: int = 31
    learning_rate: float = 0.08
    rows: int = 100_000
    origins: int = 60
    seed: int = 1


class LightGBMQuantiles:
    """Nine models at M5's levels, the other quantiles between them by normal scores.

    The loss is weighted by level, so that it is the pinball loss in units.
    """

    sums = "models of their own whose target is the sum of the next tau days"

    def __init__(self, plan: BoostingPlan | None = None) -> None:
        self.plan = plan or BoostingPlan()
        self._daily: list[Any] = []
        self._sums: list[Any] = []

    def fit(self, history: History) -> None:
        line = boosting_rows.timeline(history)
        self._daily = self._models(line, [(step, step) for step in range(1, history.horizon + 1)])
        self._sums = self._models(line, [(1, tau) for tau in history.taus])

    def forecast(self, history: History) -> Forecast:
        line = boosting_rows.timeline(history)
        known = boosting_rows.origin(line, line.days - 1)
        steps = range(1, history.horizon + 1)
        daily = [
            _predict(self._daily, boosting_rows.rows(line, known, step, step), known.level) for step in steps
        ]
        sums = [
            tau * _predict(self._sums, boosting_rows.rows(line, known, 1, tau), known.level)
            for tau in history.taus
        ]
        shown = history.future_open[:, :, None]
        return Forecast(np.stack(daily, axis=1) * shown, np.stack(sums, axis=1))

    def _models(self, line: boosting_rows.Timeline, spans: Sequence[tuple[int, int]]) -> list[Any]:
        import lightgbm

        features, target, weight = _training_rows(line, spans, self.plan)
        data = lightgbm.Dataset(features, target, weight=weight, free_raw_data=False)
        shared = {
            "objective": "quantile",
            "num_leaves": self.plan.leaves,
            "learning_rate": self.plan.learning_rate,
            "feature_fraction": 0.8,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "seed": self.plan.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        return [lightgbm.train({**shared, "alpha": level}, data, self.plan.rounds) for level in SCORED_LEVELS]


def _training_rows(
    line: boosting_rows.Timeline, spans: Sequence[tuple[int, int]], plan: BoostingPlan
) -> tuple[Floats, Floats, Floats]:
    """Features, targets by level and day, and weights of random series, origins and spans."""
    rng = np.random.default_rng(plan.seed)
    first, last = max(MIN_HISTORY, line.days - 2 * boosting_rows.YEAR), line.days - 1 - spans[0][1]
    if last < first:
        raise StockstreamError(f"{line.days} days are too few to learn from")
    origins = np.unique(rng.integers(first, last + 1, plan.origins))
    share = min(1.0, plan.rows / (len(origins) * len(spans) * len(line.demand)))
    parts: list[tuple[Floats, Floats, Floats]] = []
    for at in origins:
        known = boosting_rows.origin(line, int(at))
        for span in [span for span in spans if at + span[1] < line.days]:
            total, usable = boosting_rows.targets(line, int(at), *span)
            usable &= (known.level > boosting_rows.MIN_LEVEL) & (rng.random(len(total)) < share)
            level, days = known.level[usable], span[1] - span[0] + 1
            made = boosting_rows.rows(line, known, *span)[usable]
            parts.append((made, total[usable] / level / days, level * days))
    features, target, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    if len(target) < 2:
        raise StockstreamError("no series has a level and a known day after it to learn from")
    return features, target, weight


def _predict(models: Sequence[Any], features: Floats, level: Floats) -> Floats:
    """(n, levels) in units; 0 for a series without a level."""
    made = np.sort(np.stack([model.predict(features) for model in models], axis=1), axis=1)
    between = make_interp_spline(norm.ppf(SCORED_LEVELS), made, k=1, axis=1)
    return ascending(between(norm.ppf(QUANTILE_LEVELS)) * level[:, None])
