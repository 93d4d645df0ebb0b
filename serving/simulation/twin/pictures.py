"""Pictures of a simulation: service against cost, and stock and unmet demand day by day."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from serving.simulation.pictures import BLUE, GREEN, GREY, ORANGE
from serving.simulation.twin.policies import Simulated
from serving.simulation.twin.runs import Experiment, Result

PURPLE, SKY, YELLOW = "#CC79A7", "#56B4E9", "#E69F00"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY)
STYLES = ("-", "--", ":", "-.")


def draw_service(report: Mapping[str, Any], path: Path) -> None:
    """Average stock value and total cost of each policy against its fill rate, with 95 % intervals."""
    figure = Figure(figsize=(11, 5), layout="constrained", dpi=110)
    panels = zip(figure.subplots(1, 2), ("average_stock_value", "total_cost"), strict=True)
    for axes, metric in panels:
        for place, (name, found) in enumerate(report["policies"].items()):
            x, y = found["fill_rate"], found[metric]
            axes.errorbar(
                x["value"], y["value"], xerr=_arms(x), yerr=_arms(y), fmt="o", capsize=3, label=name,
                color=COLORS[place % len(COLORS)],
            )  # fmt: skip
        axes.set_xlabel("fill rate, units")
        axes.set_ylabel(metric.replace("_", " "))
        _tidy(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, metadata={"Software": None})


def draw_days(experiment: Experiment, results: Mapping[Simulated, Sequence[Result]], path: Path) -> None:
    """Stock value at each close, and units unmet of each day: means over the seeds."""
    world = next(iter(experiment.worlds.values()))
    first = world.day(world.start)
    days = date2num([first + timedelta(days=day) for day in range(world.days - world.start)])
    figure = Figure(figsize=(11, 7), layout="constrained", dpi=110)
    value, unmet = figure.subplots(2, 1, sharex=True)
    for place, (policy, runs) in enumerate(results.items()):
        look = {
            "color": COLORS[place % len(COLORS)],
            "ls": STYLES[place % len(STYLES)],
            "label": policy.label,
        }
        value.plot(days, np.mean([run.stock_value for run in runs], axis=0), **look)
        unmet.plot(days, np.mean([run.unmet for run in runs], axis=0), **look)
    value.set_ylabel("stock value at the close")
    unmet.set_ylabel("units not served on their day")
    for axes in (value, unmet):
        axes.axvspan(days[0], days[0] + experiment.warm_up, color=GREY, alpha=0.12, lw=0)
        axes.xaxis_date()
        _tidy(axes)
    figure.legend(*value.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, metadata={"Software": None})


def _arms(found: Mapping[str, Any]) -> list[list[float]]:
    """Lengths below and above the value."""
    low, high = found["over_skus"]
    return [[max(0.0, found["value"] - low)], [max(0.0, high - found["value"])]]


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
