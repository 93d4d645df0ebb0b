"""AutoETS and AutoARIMA of statsforecast; both distributions come from the same simulated paths.

Paths draw the model's own past errors, which suits counts better than normal errors do. ARIMA sees price and
promotion where they vary. A closed day stands for the same weekday of the week before, unless that weekday is
closed as a rule: then it is 0.
"""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from batch.backtesting.forecaster import Forecast, History, of_paths
from batch.forecaster.windows import Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS

PATHS = 500
WEEK = 7
CHUNK = 32
PARALLEL_FROM = 128
"""Series from which further processes, each with an import of ten seconds, pay."""


@dataclass(frozen=True)
class _Task:
    """One series: demand, its covariates (days, k) and those ahead (horizon, k), k being 0 for none."""

    demand: Floats
    covariates: Floats
    ahead: Floats
    seed: int


class AutoETS:
    """Exponential smoothing with a week, its components chosen by AICc."""

    sums = f"{PATHS} simulated paths, drawing past errors"

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        return _simulate(history, _ets_paths, memory_days=728)


class AutoARIMA:
    """Seasonal ARIMA with a week, its orders chosen by AICc, with price and promotion as regressors."""

    sums = AutoETS.sums

    def fit(self, history: History) -> None:
        """Nothing is learned across series."""

    def forecast(self, history: History) -> Forecast:
        return _simulate(history, _arima_paths, memory_days=364)


def _simulate(history: History, paths_of: Callable[[list[_Task]], Floats], memory_days: int) -> Forecast:
    tasks = _tasks(history, memory_days)
    chunks = [tasks[start : start + CHUNK] for start in range(0, len(tasks), CHUNK)]
    if len(tasks) < PARALLEL_FROM:
        made = map(paths_of, chunks)
        return _forecast(history, list(made))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return _forecast(history, list(pool.map(paths_of, chunks)))


def _forecast(history: History, parts: list[Floats]) -> Forecast:
    """The forecast chunk by chunk, so that the quantiles need little memory at a time."""
    made, start = [], 0
    for paths in parts:
        ahead = history.future_open[start : start + len(paths)]
        made.append(of_paths(paths.astype(np.float64), ahead, history.taus, QUANTILE_LEVELS))
        start += len(paths)
    daily, sums = ([getattr(one, name) for one in made] for name in ("daily", "cumulative"))
    return Forecast(np.concatenate(daily), np.concatenate(sums))


def _tasks(history: History, memory_days: int) -> list[_Task]:
    panel = history.panel
    demand = _without_holidays(history.filled, panel.open)
    first = np.maximum(np.argmax(panel.open, axis=1), demand.shape[1] - memory_days)
    covariates = np.stack([panel.price, panel.promotion], axis=2)
    ahead = np.stack([history.future_price, history.future_promotion], axis=2)
    tasks = []
    for row, start in enumerate(first):
        varies = np.ptp(covariates[row, start:], axis=0) > 0
        past, future = covariates[row, start:][:, varies], ahead[row][:, varies]
        tasks.append(_Task(demand[row, start:], past, future, seed=row))
    return tasks


def _without_holidays(filled: Floats, open_days: Flags) -> Floats:
    demand, known = filled.copy(), open_days.copy()
    for day in range(WEEK, demand.shape[1]):
        lent = ~known[:, day] & known[:, day - WEEK]
        demand[lent, day] = demand[lent, day - WEEK]
        if day >= 2 * WEEK:  # a second closed week in a row is a rule, not a holiday
            known[:, day] |= lent & open_days[:, day - 2 * WEEK]
    return demand


def _ets_paths(tasks: list[_Task]) -> Floats:
    from statsforecast.models import AutoETS

    return _paths(tasks, lambda task: AutoETS(season_length=_season(task)).fit(task.demand), {})


def _arima_paths(tasks: list[_Task]) -> Floats:
    from statsforecast.models import AutoARIMA

    def fit(task: _Task) -> Any:
        exogenous = task.covariates if task.covariates.shape[1] else None
        return AutoARIMA(season_length=_season(task), approximation=True).fit(task.demand, X=exogenous)

    return _paths(tasks, fit, {"X_future": True})


def _season(task: _Task) -> int:
    return WEEK if len(task.demand) >= 3 * WEEK else 1


def _paths(tasks: list[_Task], fit: Callable[[_Task], Any], options: dict[str, bool]) -> Floats:
    """(tasks, paths, horizon); a series that never varied, or that cannot be fitted, repeats its days."""
    return np.stack([_one_series(task, fit, bool(options)) for task in tasks]).astype(np.float32)


def _one_series(task: _Task, fit: Callable[[_Task], Any], exogenous: bool) -> Floats:
    horizon = len(task.ahead)
    if len(task.demand) < 2 * WEEK or np.ptp(task.demand) == 0:
        return _drawn(task, horizon)
    future = {"X_future": task.ahead} if exogenous and task.ahead.shape[1] else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = fit(task)
            paths = model.simulate(
                h=horizon, n_paths=PATHS, seed=task.seed, error_distribution="bootstrap", **future
            )
        except (ValueError, ZeroDivisionError, np.linalg.LinAlgError):
            return _drawn(task, horizon)
    return paths if np.isfinite(paths).all() else _drawn(task, horizon)


def _drawn(task: _Task, horizon: int) -> Floats:
    known = task.demand[-8 * WEEK :] if len(task.demand) else np.zeros(1)
    return np.random.default_rng(task.seed).choice(known, (PATHS, horizon))
