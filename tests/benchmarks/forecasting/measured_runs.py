"""Backtests of a benchmark: finished runs are kept per commit, so that an interrupted benchmark goes on."""

import shutil
from collections.abc import Callable, Mapping, Sequence

from batch.backtesting.deepar import DeepAR
from batch.backtesting.forecaster import Forecaster
from batch.backtesting.models import BASELINES, MODELS
from batch.backtesting.runs import Run, Task, run_backtest
from batch.backtesting.scores import ScoreSums
from batch.backtesting.summary import loss_and_demand, loss_ratio, metrics, total
from infra.errors import StockstreamError
from infra.local.verify import ROOT, current_commit
from tests.benchmarks.figures import Figure
from tests.benchmarks.forecasting.tuned_peers import SECONDS, TunedLightGBM

OURS = "lstm"
CLASSICAL = ("empirical-56", "croston-sba", "tsb", "adida", "auto-ets")

NewForecaster = Callable[[], Forecaster]


def contestants(*names: str) -> dict[str, NewForecaster]:
    """Models by name; LightGBM and DeepAR in their best form within the limit of time."""
    timed: dict[str, NewForecaster] = {
        "lightgbm": TunedLightGBM,
        "deepar": lambda: DeepAR(epochs=1000, seconds=SECONDS),
    }
    return {name: timed[name] if name in timed else MODELS[name].new for name in (*BASELINES, *names)}


def measured_runs(name: str, task: Task, models: Mapping[str, NewForecaster]) -> dict[str, Sequence[Run]]:
    """Runs what has not been run for this commit; a working tree with changes starts afresh.

    Raises:
        StockstreamError: a model could not be run.
    """
    commit = current_commit()
    folder = ROOT / ".run" / "bench" / "runs" / commit / name
    if commit.endswith("+changes"):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    done = run_backtest(task, models, folder, lambda text: print(f"{name} {text}", flush=True))
    if done.failures:
        raise StockstreamError("; ".join(f"{model}: {reason}" for model, reason in done.failures.items()))
    return dict(done.runs)


def pooled(runs: Mapping[str, Sequence[Run]]) -> dict[str, ScoreSums]:
    """Sums of each model over its origins."""
    return {name: total([run.sums for run in made]) for name, made in runs.items()}


def wql(sums: ScoreSums, tau: int | None = None) -> float:
    """Weighted quantile loss of days, or of the tau at that place."""
    loss, demand = loss_and_demand(sums, tau)
    return loss / demand


def loss_ratio_figure(
    label: str,
    ours: Sequence[Run],
    theirs: Sequence[Run],
    place: int | None,
    how: str,
    goal: str | None = None,
) -> Figure:
    """Ours by theirs, of days or of the tau at that place, with its 95 % interval as the spread.

    Args:
        goal: `<= limit`; without one, ours has to be better or tied.
    """
    ours_sums, their_sums = ([run.sums for run in runs] for runs in (ours, theirs))
    found = loss_ratio(ours_sums, their_sums, place, max(1, round(len(ours) ** (1 / 3))))
    if found is None:
        raise StockstreamError(f"{label}: no loss to compare with")
    tied = found["low"] <= 1 and found["value"] <= 1.01
    met = found["value"] <= float(goal.removeprefix("<= ")) if goal else found["value"] < 1 or tied
    return Figure(
        label, found["value"], "", goal or "< 1, or 95 % interval has 1 and <= 1.01", met, len(ours),
        (found["low"], found["high"]),
        f"{how}; WQL; spread is the 95 % interval of a block bootstrap over origins", current_commit(),
    )  # fmt: skip


def tail_pinball(sums: ScoreSums) -> float:
    """Mean pinball loss at .975 and .995 together."""
    by_level: dict[str, float] = metrics(sums, ())["pinball"]
    return by_level["0.975"] + by_level["0.995"]


def tail_coverage_error(sums: ScoreSums) -> float:
    """How far the share of days above the .975 quantile is from 2.5 %, in points, by randomised PIT."""
    histogram = sums.daily_pit.sum(axis=(0, 1))
    return float(abs(100 * histogram[-1] / histogram.sum() - 2.5))


def coverage_errors(sums: ScoreSums, taus: Sequence[int]) -> dict[int, float]:
    """Per tau the largest error of the central 50, 80 and 95 % intervals, in points, by randomised PIT."""
    found = metrics(sums, taus)["cumulative"]
    return {
        tau: max(abs(100 * share - float(nominal)) for nominal, share in of_tau["pit_coverage"].items())
        for tau, of_tau in ((tau, found[str(tau)]) for tau in taus)
    }
