"""The two pictures of a replay: one SKU's forecast against what came, and what the planners' stock did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infra.contracts.demand import DemandForecast

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
"""Colours of Okabe and Ito, distinct for colour-blind readers too; lines also differ in style."""
PLANNER_STYLES = ((BLUE, "-", 2.2), (ORANGE, "--", 1.6), (GREEN, ":", 2.0))
BANDS = ((0.025, 0.975, 0.18, "95 %"), (0.1, 0.9, 0.30, "80 %"), (0.25, 0.75, 0.45, "50 %"))
DAYS_SHOWN_BEFORE = 42


@dataclass(frozen=True)
class FanChart:
    """One forecast with the true demand per day, from 42 days before its origin, and the stock-out days."""

    forecast: DemandForecast
    origin: date
    demand: Mapping[date, float]
    stock_outs: Sequence[date]


@dataclass(frozen=True)
class PlannerHistory:
    """Per day: stock value and SKUs that ended the day empty; per review: cost of the orders placed."""

    stock_value: Mapping[date, float]
    empty_skus: Mapping[date, int]
    ordered: Mapping[date, float]


def draw_fan_chart(chart: FanChart, path: Path) -> None:
    """A SKU's demand per day and added up, with the forecast's bands and the days without stock."""
    figure = Figure(figsize=(11, 7), layout="constrained", dpi=110)
    daily, added = figure.subplots(2, 1, sharex=True)
    steps = [chart.origin + timedelta(days=step) for step in range(len(chart.forecast.quantiles))]
    _fan(daily, chart.forecast, steps, chart.forecast.quantiles)
    _fan(added, chart.forecast, steps, chart.forecast.cumulative)
    daily.plot(_numbers(chart.demand), list(chart.demand.values()), "k.-", lw=1.1, ms=4, label="true demand")
    after = {day: units for day, units in chart.demand.items() if day >= chart.origin}
    added.plot(_numbers(after), np.cumsum(list(after.values())), "k-", lw=1.6, label="true demand")
    for axes, unit in ((daily, "units per day"), (added, "units since the forecast")):
        axes.axvline(_number(chart.origin), color=GREY, lw=1, ls="--")
        if chart.stock_outs:
            _mark_stock_outs(axes, chart.stock_outs)
        axes.set_ylabel(unit)
        axes.set_ylim(bottom=0)
    figure.legend(*daily.get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False)
    made = f"made at the beginning of {chart.origin:%d %B %Y} ({chart.forecast.forecaster})"
    daily.set_title(f"SKU {chart.forecast.sku}: demand per day and its forecast {made}", loc="left")
    added.set_title("The same, added up over the days of the horizon", loc="left")
    _save(figure, path)


def draw_planners(histories: Mapping[str, PlannerHistory], scored_from: date, path: Path) -> None:
    """Stock value, cost of orders and empty SKUs of each planner over the replay."""
    figure = Figure(figsize=(11, 9), layout="constrained", dpi=110)
    value, ordered, empty = figure.subplots(3, 1, sharex=True)
    for place, (name, history) in enumerate(histories.items()):
        color, style, width = PLANNER_STYLES[place]
        days, in_thousands = _numbers(history.stock_value), np.array([*history.stock_value.values()]) / 1000
        value.plot(days, in_thousands, color=color, ls=style, lw=width, label=name)
        empty.plot(
            _numbers(history.empty_skus), [*history.empty_skus.values()], color=color, ls=style, lw=width
        )
        costs = np.array([*history.ordered.values()]) / 1000
        ordered.bar(_numbers(history.ordered) + 2 * (place - 1), costs, width=1.8, color=color)
    _label(value, "Stock on hand at the end of each day", "value, thousand GBP")
    _label(ordered, "Orders placed at each weekly review", "cost, thousand GBP")
    _label(empty, "SKUs out of stock at the end of each day", "SKUs")
    first = min(day for history in histories.values() for day in history.stock_value)
    for axes in (value, ordered, empty):
        axes.axvspan(
            _number(first), _number(scored_from), color=GREY, alpha=0.12, lw=0, zorder=0, label="warm-up"
        )
    figure.legend(*value.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    _save(figure, path)


def _fan(axes: Axes, forecast: DemandForecast, days: list[date], table: list[list[float]]) -> None:
    knots = np.asarray(table)
    column = {level: knots[:, place] for place, level in enumerate(forecast.quantile_levels)}
    x = _numbers(days)
    for low, high, strength, name in BANDS:
        label = f"{name} interval"
        axes.fill_between(x, column[low], column[high], color=BLUE, alpha=strength, lw=0, label=label)
    axes.plot(x, column[0.5], color=BLUE, lw=1.6, label="median")


def _mark_stock_outs(axes: Axes, days: Sequence[date]) -> None:
    """A square on the axis for each day, so that nothing of the fan is hidden."""
    squares = axes.plot(
        _numbers(days), np.zeros(len(days)), "s", color=ORANGE, ms=5, label="ran out of stock that day"
    )
    squares[0].set(transform=axes.get_xaxis_transform(), clip_on=False, zorder=5)


def _label(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)


def _number(day: date) -> float:
    """Matplotlib's date number: days since 1970."""
    return float((day - date(1970, 1, 1)).days)


def _numbers(days: Iterable[date]) -> NDArray[np.float64]:
    return np.array([_number(day) for day in days])


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd", lw=0.6)
        axes.set_axisbelow(True)
        axes.xaxis_date()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
