"""The report as a short table for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLANNER_ROWS = (
    ("fill rate, units", "fill_rate_units", "{:.1%}"),
    ("fill rate, lines", "fill_rate_lines", "{:.1%}"),
    ("fill rate, units, without bulk lines", "fill_rate_units_without_bulk", "{:.1%}"),
    ("fill rate, lines, without bulk lines", "fill_rate_lines_without_bulk", "{:.1%}"),
    ("stock-outs, SKU-days", "stock_out_sku_days", "{:,}"),
    ("average stock value, GBP", "average_stock_value", "{:,.0f}"),
    ("orders", "orders", "{:,}"),
    ("ordering cost, GBP", "ordering_cost", "{:,.0f}"),
)
SHOWN_LEVELS = (0.1, 0.5, 0.9, 0.95)
SHOWN_OF_FORECAST = ("sku", "location", "origin_ms", "forecaster", "model_id")
SHOWN_OF_DECISION = (
    "decision_id",
    "sku",
    "status",
    "quantity",
    "unconstrained_quantity",
    "forecaster",
    "cost",
)

SHOWN_OF_INPUTS = ("on_hand", "open_orders", "lead_times", "cycle_service_level")


def table(report: Mapping[str, Any], own_name: str, path: Path) -> list[str]:
    """At most thirty lines."""
    return [
        *_counts(report["counts"]),
        "",
        *_accuracy(report["forecast_accuracy"], own_name),
        "",
        *_planners(report["planners"], report["counts"]["scored_days"]),
        "",
        *_forecast(report["example_forecast"]),
        *_decision(report["example_decision"]),
        *(f"picture  {picture}" for picture in report["pictures"].values()),
        f"report   {path}",
    ]


def _counts(counts: Mapping[str, Any]) -> list[str]:
    waited = counts["seconds_waited_per_close"]
    return [
        f"{counts['days']} days: {counts['events_in']:,} events in, {counts['features']:,} features, "
        f"{counts['forecasts']:,} forecasts, {counts['decisions']:,} decisions, {counts['orders']:,} orders",
        f"late {counts['late']}, dead letters {counts['dead_letters']}, "
        f"fallback forecasts {counts['fallback_share']:.1%}, budget bound in "
        f"{counts['epochs_bound_by_the_budget']} of {counts['allocation_runs']} epochs, "
        f"replies to a close in {waited['median']:.1f} s (p95 {waited['p95']:.1f} s)",
    ]


def _accuracy(accuracy: Mapping[str, Any], own_name: str) -> list[str]:
    if not accuracy:
        return ["forecast accuracy: the replay is too short, no forecast of scored days is fourteen days old"]
    rows = [
        f"{own_name if name == 'published' else name:<38}{row['wql']:>18.3f}{row['cumulative']:>18.3f}"
        f"{row['coverage_80']:>18.1%}"
        for name, row in accuracy.items()
        if isinstance(row, Mapping)
    ]
    title = f"forecasts, {accuracy['origins']} origins, true demand"
    return [f"{title:<38}{'WQL, one day':>18}{'WQL, 14 days':>18}{'80 % covers':>18}", *rows]


def _planners(planners: Mapping[str, Mapping[str, Any]], days: int) -> list[str]:
    title = f"planners, {days} scored days"
    head = f"{title:<38}" + "".join(f"{name:>20}" for name in planners)
    rows = [
        f"{label:<38}" + "".join(f"{shape.format(scores[field]):>20}" for scores in planners.values())
        for label, field, shape in PLANNER_ROWS
    ]
    note = (
        "Stock differs between the planners: this compares them neither at equal stock nor at equal service."
    )
    return [head, *rows, note]


def _forecast(forecast: Mapping[str, Any] | None) -> list[str]:
    if forecast is None:
        return ["forecast none was published"]
    at = [forecast["quantile_levels"].index(level) for level in SHOWN_LEVELS]
    shown = {name: forecast[name] for name in SHOWN_OF_FORECAST}
    shown["levels"] = SHOWN_LEVELS
    shown["day_1"] = [forecast["quantiles"][0][k] for k in at]
    shown["days_1_to_14"] = [forecast["cumulative"][13][k] for k in at]
    return [f"forecast {json.dumps(shown)}"]


def _decision(decision: Mapping[str, Any] | None) -> list[str]:
    if decision is None:
        return ["decision none: the replay had no review"]
    shown = {name: decision[name] for name in SHOWN_OF_DECISION}
    shown |= {name: decision["inputs"][name] for name in SHOWN_OF_INPUTS}
    return [f"decision {json.dumps(shown)}", f"reasons  {json.dumps(decision['adjustments'])}"]
