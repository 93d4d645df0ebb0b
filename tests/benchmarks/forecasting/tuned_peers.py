"""The two learning peers in their best form within a limit of wall time, tuned on earlier days only."""

import time
from dataclasses import replace

import numpy as np

from batch.backtesting.forecaster import Forecast, History
from batch.backtesting.gradient_boosting import BoostingPlan, LightGBMQuantiles
from batch.forecaster.scores import weighted_quantile_loss

SECONDS = 180.0
"""What every learning method may take to fit, tuning included, on 2 cores."""

CANDIDATES = (
    BoostingPlan(rounds=100, leaves=15, learning_rate=0.1, rows=100_000),
    BoostingPlan(rounds=200, leaves=15, learning_rate=0.05, rows=100_000),
    BoostingPlan(rounds=100, leaves=63, learning_rate=0.05, rows=100_000),
    BoostingPlan(rounds=200, leaves=31, learning_rate=0.05, rows=200_000),
)


class TunedLightGBM:
    """The candidate that forecast the last horizon before the origin best, of those half the time allows."""

    sums = LightGBMQuantiles.sums

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._model = LightGBMQuantiles()

    def fit(self, history: History) -> None:
        began, before = time.perf_counter(), earlier(history)
        losses: dict[int, float] = {}
        for place, plan in enumerate(CANDIDATES):
            losses[place] = _loss(LightGBMQuantiles(plan), before, history)
            if time.perf_counter() - began > self._seconds / 2:
                break
        best = min(losses, key=lambda place: losses[place])
        self._model = LightGBMQuantiles(CANDIDATES[best])
        self._model.fit(history)

    def forecast(self, history: History) -> Forecast:
        return self._model.forecast(history)


def earlier(history: History) -> History:
    """The history one horizon before."""
    days = history.panel.units.shape[1]
    ahead = slice(days - history.horizon, days)
    return replace(
        history,
        panel=history.panel.until(days - history.horizon - 1),
        future_open=history.panel.open[:, ahead],
        future_price=history.panel.price[:, ahead],
        future_promotion=history.panel.promotion[:, ahead],
    )


def _loss(model: LightGBMQuantiles, before: History, after: History) -> float:
    model.fit(before)
    known = after.known[:, -after.horizon :]
    actual = after.panel.units[:, -after.horizon :]
    return weighted_quantile_loss(model.forecast(before).daily[known], np.asarray(actual[known]))
