"""Pictures of a backtest: fan charts, PIT, loss by horizon, coverage."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from batch.backtesting.runs import Backtest, Task
from batch.backtesting.scores import PIT_BINS
from infra.contracts.demand import QUANTILE_LEVELS

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666", "#000000", "#8B4513")
"""Of Okabe and Ito, distinct for colour-blind readers too, and two more; lines also differ in style."""
STYLES = ("-", "--", ":", "-.")
BANDS = ((0.025, 0.975, 0.18, "95 %"), (0.1, 0.9, 0.30, "80 %"), (0.25, 0.75, 0.45, "50 %"))
DAYS_BEFORE = 56


def draw_pictures(task: Task, backtest: Backtest, report: dict[str, Any], folder: Path) -> None:
    """Writes `fan_<model>.png` of the best model, `pit.png`, `horizon.png` and `coverage.png`."""
    models = report["models"]
    best = min(models, key=lambda name: models[name]["pooled"]["wql"] or np.inf)
    _draw_fans(task, best, backtest.runs[best][-1].shown, folder / "fan.png")
    _draw_pit(models, folder / "pit.png")
    _draw_horizon(models, folder / "horizon.png")
    _draw_coverage(models, folder / "coverage.png")


def _draw_fans(task: Task, name: str, shown: Any, path: Path) -> None:
    panel, origin = task.panel.demand, task.origins.columns[-1]
    figure = Figure(figsize=(10, 2.6 * len(task.shown) + 0.6), layout="constrained", dpi=110)
    all_axes = figure.subplots(len(task.shown), 1, squeeze=False)[:, 0]
    first = max(0, origin - DAYS_BEFORE)
    last = origin + 1 + task.origins.horizon
    days = np.datetime64(panel.first_day) + np.arange(first, last)
    for axes, row, quantiles in zip(all_axes, task.shown, shown, strict=True):
        known = np.where((panel.observed & panel.open)[row, first:last], panel.units[row, first:last], np.nan)
        ahead = days[-task.origins.horizon :]
        for low, high, alpha, label in BANDS:
            ends = [quantiles[:, QUANTILE_LEVELS.index(level)] for level in (low, high)]
            axes.fill_between(ahead, *ends, color=COLOURS[0], alpha=alpha, lw=0, label=label)
        axes.plot(days, known, "k.-", lw=0.9, ms=3, label="demand")
        axes.axvline(days[origin - first], color=COLOURS[6], lw=1, ls="--")
        axes.set_title(" at ".join(panel.series[row]), loc="left", fontsize=9)
        axes.set_ylabel("units")
        axes.set_ylim(bottom=0)
    all_axes[0].legend(ncols=4, frameon=False, fontsize=8, loc="upper left")
    figure.suptitle(f"{name}: forecasts at the close of {panel.day(origin)}")
    figure.savefig(path)


def _draw_pit(models: Mapping[str, Any], path: Path) -> None:
    columns = min(3, len(models))
    rows = -(-len(models) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.4 * rows), layout="constrained", dpi=110)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    edges = (np.arange(PIT_BINS) + 0.5) / PIT_BINS
    for axes, (name, model) in zip(grid, models.items(), strict=False):
        axes.bar(edges, np.array(model["pooled"]["pit_histogram"]) * PIT_BINS, 1 / PIT_BINS, color=COLOURS[0])
        axes.axhline(1, color="k", lw=0.8, ls="--")
        axes.set_title(name, loc="left", fontsize=9)
    for axes in grid[len(models) :]:
        axes.set_axis_off()
    figure.suptitle("Randomised PIT of days: flat if the distributions are right")
    figure.savefig(path)


def _draw_horizon(models: Mapping[str, Any], path: Path) -> None:
    figure = Figure(figsize=(9, 4.5), layout="constrained", dpi=110)
    axes = figure.subplots()
    for place, (name, model) in enumerate(models.items()):
        losses = [np.nan if step["wql"] is None else step["wql"] for step in model["per_horizon"]]
        _line(axes, place, np.arange(1, len(losses) + 1), losses, name)
    axes.set_xlabel("days ahead")
    axes.set_ylabel("WQL")
    axes.legend(ncols=2, frameon=False, fontsize=8)
    figure.savefig(path)


def _draw_coverage(models: Mapping[str, Any], path: Path) -> None:
    figure = Figure(figsize=(9, 4.5), layout="constrained", dpi=110)
    axes = figure.subplots()
    nominal = (50, 80, 95)
    for place, (name, model) in enumerate(models.items()):
        sums = list(model["pooled"]["cumulative"].values())[-1]["pit_coverage"]
        for kind, coverage, marker in (
            (" (days)", model["pooled"]["pit_coverage"], "o"),
            (" (sum)", sums, "^"),
        ):
            shares = [np.nan if coverage[str(p)] is None else 100 * coverage[str(p)] for p in nominal]
            offset = np.array(nominal) + (place - len(models) / 2) * 0.7
            axes.plot(offset, shares, marker, color=COLOURS[place % len(COLOURS)], label=name + kind)
    for share in nominal:
        axes.axhline(share, color="k", lw=0.6, ls=":")
    axes.set_xticks(nominal, [f"{share} %" for share in nominal])
    axes.set_ylabel("share inside, %")
    axes.set_title("Central intervals of days and of the longest sum, by randomised PIT", loc="left")
    axes.legend(ncols=2, frameon=False, fontsize=7)
    figure.savefig(path)


def _line(axes: Axes, place: int, x: Any, y: Any, label: str) -> None:
    style = STYLES[place // len(COLOURS) % len(STYLES)]
    axes.plot(x, y, style, color=COLOURS[place % len(COLOURS)], lw=1.4, label=label)
