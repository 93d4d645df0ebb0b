"""The report of a backtest as data and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from batch.backtesting.models import BASELINES
from batch.backtesting.rolling import Origins
from batch.backtesting.runs import Backtest, Run, Task
from batch.backtesting.summary import champions, loss_ratio, metrics, per_horizon, total


def report(task: Task, backtest: Backtest, sums_made_by: Mapping[str, str], spacing: int) -> dict[str, Any]:
    """All scores, JSON-ready."""
    panel, origins = task.panel, task.origins
    segments = task.segments
    sums = {name: [run.sums for run in runs] for name, runs in backtest.runs.items()}
    block = max(1, -(-origins.horizon // spacing), round(len(origins.columns) ** (1 / 3)))
    block = min(block, len(origins.columns))
    return {
        "panel": {**panel.facts, "panel_hash": panel.demand.panel_hash},
        "horizon": origins.horizon,
        "spacing": spacing,
        "refit_every": task.refit_every,
        "origins": [panel.demand.day(column).isoformat() for column in origins.columns],
        "segments": {name: int((task.segment == name).sum()) for name in segments},
        "bootstrap_block": block,
        "models": {
            name: {
                "sums_made_by": sums_made_by[name],
                **_cost(runs),
                "pooled": metrics(total(sums[name]), origins.taus),
                "per_horizon": per_horizon(total(sums[name])),
                "per_origin": [_short(metrics(one, origins.taus)) for one in sums[name]],
                "per_segment": {
                    segment: metrics(total(sums[name]).pick(np.array([place])), origins.taus)
                    for place, segment in enumerate(segments)
                },
                "ratio_to": {
                    other: _ratios(sums[name], sums[other], origins, block)
                    for other in BASELINES
                    if other in sums
                },
            }
            for name, runs in backtest.runs.items()
        },
        "champions": champions(sums, segments),
        "left_out": dict(backtest.failures),
    }


def _cost(runs: Sequence[Run]) -> dict[str, float]:
    return {"seconds": sum(run.seconds for run in runs), "peak_mib": max(run.peak_mib for run in runs)}


def _short(scores: dict[str, Any]) -> dict[str, Any]:
    kept = ("days_scored", "units", "wql", "bias", "pit_coverage")
    return {**{name: scores[name] for name in kept}, "cumulative_wql": _cumulative_wql(scores)}


def _cumulative_wql(scores: dict[str, Any]) -> dict[str, float | None]:
    return {tau: sums["wql"] for tau, sums in scores["cumulative"].items()}


def _ratios(ours: Any, theirs: Any, origins: Origins, block: int) -> dict[str, Any]:
    ratios = {"wql": loss_ratio(ours, theirs, None, block)}
    for place, tau in enumerate(origins.taus):
        ratios[f"wql_of_{tau}_days"] = loss_ratio(ours, theirs, place, block)
    return ratios


def markdown(report: dict[str, Any]) -> str:
    """The report's main figures as Markdown."""
    panel, models = report["panel"], report["models"]
    taus = list(next(iter(models.values()))["pooled"]["cumulative"])
    longest = taus[-1]
    heads = ["model", "WQL", *[f"{tau} days" for tau in taus], f"/ {BASELINES[0]}", f"/ {BASELINES[1]}"]
    heads += ["80 % covers", f"80 % of {longest} days", "bias", "WRMSSE", "MASE", "seconds", "peak MiB"]
    rows = [_row(name, model, longest) for name, model in models.items()]
    lines = [
        f"# Backtest: {', '.join(panel['files'][:3])}",
        "",
        f"{panel['series']:,} series, {panel['first_day']} to {panel['last_day']}; {len(report['origins'])}"
        f" origins, {report['origins'][0]} to {report['origins'][-1]}, {report['horizon']} days each.",
        f"Missing rows: {panel['missing_rows']:,}, {_treatment(panel)}; days out of stock:"
        f" {panel['out_of_stock_days']:,}; closed days: {panel['closed_days']:,}. None of these is scored,"
        " except zeros.",
        "",
        *_table(heads, rows),
        "",
        "WQL: weighted quantile loss at M5's nine levels, of days and of the demand of several days; lower",
        "is better. Ratios are of WQL, with 95 % intervals by block bootstrap over origins. Coverage is by",
        "randomised PIT. Everything else is in report.json.",
        *_champion_lines(report["champions"]),
        *[f"\nLeft out: {name}: {reason}" for name, reason in report["left_out"].items()],
    ]
    return "\n".join(lines) + "\n"


def _treatment(panel: dict[str, Any]) -> str:
    return "each a day without a sale" if panel["missing_rows_count_as"] == "zero" else "not observed"


def _row(name: str, model: dict[str, Any], longest: str) -> list[str]:
    pooled = model["pooled"]
    ratios = [model["ratio_to"].get(other, {}).get("wql") for other in BASELINES]
    return [
        name,
        _number(pooled["wql"], 4),
        *[_number(sums["wql"], 4) for sums in pooled["cumulative"].values()],
        *["-" if r is None else f"{r['value']:.3f} ({r['low']:.3f}–{r['high']:.3f})" for r in ratios],
        _percent(pooled["pit_coverage"]["80"]),
        _percent(pooled["cumulative"][longest]["pit_coverage"]["80"]),
        _percent(pooled["bias"]),
        _number(pooled["wrmsse"], 3),
        _number(pooled["mase"], 3),
        f"{model['seconds']:.1f}",
        f"{model['peak_mib']:.0f}",
    ]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    return [line(heads), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)]


def _champion_lines(champions: dict[str, Any] | None) -> list[str]:
    if champions is None:
        return []
    rows = [[segment, name] for segment, name in champions["per_segment"].items()]
    return [
        "",
        f"Champion per segment, chosen on the first {champions['chosen_on_origins']} origins; on the other"
        f" {champions['scored_on_origins']} the champions have WQL"
        f" {_number(champions['wql_of_champions'], 4)},"
        f" the best single model of the first ({champions['best_single_model']})"
        f" {_number(champions['wql_of_best_single_model'], 4)}.",
        "",
        *_table(["segment", "champion"], rows),
    ]
