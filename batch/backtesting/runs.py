"""Runs every model at every origin, and keeps each finished run, so that an interrupted backtest goes on."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from batch.backtesting.forecaster import Forecast, Forecaster
from batch.backtesting.peak_memory import PeakMemory
from batch.backtesting.rolling import Origins, history_at, launched, outcome_at
from batch.backtesting.scores import ScoreSums, score
from batch.forecaster.sales_panel import SalesPanel
from batch.forecaster.segmentation import Names
from batch.forecaster.windows import Floats
from infra.errors import StockstreamError

TINY = 1e-9


@dataclass(frozen=True)
class Run:
    """One model at one origin.

    Attributes:
        sums: its scores.
        seconds: of fitting and forecasting.
        peak_mib: highest resident memory of the process meanwhile.
        shown: (series, horizon, levels) forecasts of the series shown in pictures, NaN before their launch.
    """

    sums: ScoreSums
    seconds: float
    peak_mib: float
    shown: Floats

    def save(self, path: Path) -> None:
        """Writes to a file in one step."""
        unfinished = path.with_suffix(".unfinished.npz")
        arrays = {f.name: getattr(self.sums, f.name) for f in fields(ScoreSums)}
        measured = np.array([self.seconds, self.peak_mib])
        np.savez(unfinished, **arrays, measured=measured, shown=self.shown)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Run":
        with np.load(path) as arrays:
            sums = ScoreSums(**{f.name: arrays[f.name] for f in fields(ScoreSums)})
            seconds, peak_mib = arrays["measured"].tolist()
            return cls(sums, seconds, peak_mib, arrays["shown"])


@dataclass(frozen=True)
class Task:
    """What is run.

    Attributes:
        panel: the panel. origins: of all models.
        segment: (n,) name of each series' segment.
        shown: rows of the series whose forecasts are kept for pictures.
        refit_every: a model is fitted anew at every so many origins, and only forecasts at those between.
    """

    panel: SalesPanel
    origins: Origins
    segment: Names
    shown: tuple[int, ...]
    refit_every: int

    @property
    def segments(self) -> list[str]:
        return sorted(set(self.segment.tolist()))


@dataclass(frozen=True)
class Backtest:
    """All runs in the order of origins; a model that failed at an origin has none, but a reason."""

    runs: Mapping[str, Sequence[Run]]
    failures: Mapping[str, str]


def run_backtest(
    task: Task, models: Mapping[str, Callable[[], Forecaster]], folder: Path, say: Callable[[str], None]
) -> Backtest:
    """Runs what the folder does not hold yet, one file per model and origin."""
    runs: dict[str, list[Run]] = {}
    failures: dict[str, str] = {}
    for number, (name, new_model) in enumerate(models.items(), 1):
        label = f"[{number}/{len(models)}] {name}"
        try:
            runs[name] = _run_model(task, new_model(), folder / name, partial(_say_of, say, label))
        except Exception as error:  # libraries raise anything; the other models' hours must not be lost
            kind = "" if isinstance(error, StockstreamError) else f"{type(error).__name__}: "
            failures[name] = kind + " ".join(str(error).split())
            say(f"{label}: left out: {failures[name]}")
    return Backtest(runs, failures)


def _say_of(say: Callable[[str], None], label: str, text: str) -> None:
    say(f"{label}: {text}")


def _run_model(task: Task, model: Forecaster, folder: Path, say: Callable[[str], None]) -> list[Run]:
    folder.mkdir(exist_ok=True)
    runs: list[Run] = []
    columns = task.origins.columns
    fitted_on: int | None = None
    for number, origin in enumerate(columns):
        file, day = folder / f"{origin}.npz", task.panel.demand.day(origin)
        place = f"origin {number + 1}/{len(columns)}, {day}"
        if file.exists():
            runs.append(Run.load(file))
            say(f"{place}: finished before")
            continue
        fit_on = columns[number - number % task.refit_every]
        runs.append(_run(task, model, origin, fit_on if fit_on != fitted_on else None))
        fitted_on = fit_on
        runs[-1].save(file)
        say(f"{place}: {runs[-1].seconds:.1f} s")
    return runs


def _run(task: Task, model: Forecaster, origin: int, fit_on: int | None) -> Run:
    panel, origins = task.panel, task.origins
    memory = PeakMemory()
    memory.start()
    history = history_at(panel, origin, origins.horizon, origins.taus)
    fit_history = history_at(panel, fit_on, origins.horizon, origins.taus) if fit_on is not None else None
    began = time.perf_counter()
    if fit_history is not None:
        model.fit(fit_history)
    forecast = model.forecast(history)
    seconds, peak = time.perf_counter() - began, memory.read()
    _check(forecast)
    outcome = outcome_at(panel, origin, origins, task.segment, task.segments)
    return Run(score(forecast, outcome), seconds, peak, _shown(task, origin, forecast))


def _check(forecast: Forecast) -> None:
    for quantiles in (forecast.daily, forecast.cumulative):
        if not np.isfinite(quantiles).all() or (quantiles < 0).any():
            raise StockstreamError("forecast has quantiles that are not finite or negative")
        if (np.diff(quantiles, axis=-1) < -TINY).any():
            raise StockstreamError("forecast has quantiles that descend")


def _shown(task: Task, origin: int, forecast: Forecast) -> Floats:
    there = launched(task.panel, origin)
    place = np.cumsum(there) - 1
    shape = (len(task.shown), *forecast.daily.shape[1:])
    kept = np.full(shape, np.nan)
    for number, row in enumerate(task.shown):
        if there[row]:
            kept[number] = forecast.daily[place[row]]
    return kept
