"""The demo's result: `python -m serving.simulation.report` prints a table and writes `<run_dir>/report.json`.

It compares what the topics hold with what really happened (`<run_dir>/evaluation`), runs the comparison
planners on the same days, and draws two pictures.
"""

import json
import platform
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from infra.contracts.inventory import ReorderDecision
from infra.errors import StockstreamError, exit_with_message
from infra.settings import Settings, load_settings
from serving.simulation.outcome import read_rows
from serving.simulation.pictures import FanChart, draw_fan_chart, draw_planners
from serving.simulation.replay_report import (
    OWN_NAME,
    Replay,
    accuracy_section,
    count_section,
    fan_chart,
    planner_histories,
    planner_outcomes,
    planner_section,
)
from serving.simulation.report_table import table
from serving.simulation.sales_log import days_between, read_sales_log
from serving.simulation.scenario import build_scenario
from serving.simulation.shop import SAMPLE
from serving.simulation.topic_results import read_results

ENGINES = ("apache-flink", "pyspark", "ray", "torch", "kafka-python", "highspy", "numpy", "pandas")
DATA = {
    "real": "sales and returns: Online Retail and Online Retail II (Chen, UCI), 100 busiest stock codes",
    "simulated": "browsing, stock, suppliers, lead times, unit costs, packs, budget, cost of an order",
    "unmet demand": "is lost; returns do not restock; the comparison planners have no budget",
}

app = typer.Typer(add_completion=False, help=__doc__)


def read_replay(settings: Settings) -> Replay:
    """The finished replay of this run directory.

    Raises:
        StockstreamError: there is none.
    """
    folder = settings.run_dir / "evaluation"
    closes = read_rows(folder, "closes")
    if closes.empty:
        raise StockstreamError(f"{folder}: no day has been closed; run 'stockstream shop' first")
    known = json.loads((folder / "scenario.json").read_text())
    first = date.fromisoformat(known["first_day"])
    scenario = build_scenario(
        read_sales_log(SAMPLE, settings.time_zone), known["location"], first, known["seed"]
    )
    days = days_between(first, first + timedelta(days=len(closes) - 1))
    return Replay(
        scenario=scenario,
        days=days,
        sku_days=read_rows(folder, "sku_days"),
        orders=read_rows(folder, "orders"),
        closes=closes,
        results=read_results(settings),
        partitions=settings.partitions,
    )


def build_report(replay: Replay, run_dir: Path) -> dict[str, Any]:
    """All sections; draws the pictures into `<run_dir>/pictures` on the way."""
    outcomes, chart = planner_outcomes(replay), fan_chart(replay)
    pictures = {"planners": run_dir / "pictures" / "planners.png"}
    draw_planners(planner_histories(replay, outcomes), replay.scored_days[0], pictures["planners"])
    if chart is not None:
        pictures["forecast"] = run_dir / "pictures" / "forecast.png"
        draw_fan_chart(chart, pictures["forecast"])
    forecasts = replay.results.forecasts.values()
    return {
        "counts": count_section(replay),
        "forecast_accuracy": accuracy_section(replay),
        "planners": planner_section(replay, outcomes),
        "example_forecast": chart.forecast.model_dump(mode="json") if chart else None,
        "example_decision": _example_decision(replay, chart),
        "pictures": {name: str(path) for name, path in pictures.items()},
        "data": DATA,
        "seeds": {"shop": replay.scenario.seed},
        "models": sorted({forecast.model_id for forecast in forecasts}),
        "panels": sorted({forecast.panel_hash for forecast in forecasts}),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ENGINES},
        "timings": _timings(run_dir),
    }


def _example_decision(replay: Replay, chart: FanChart | None) -> dict[str, Any] | None:
    """The decision that used the pictured forecast; else one that ordered, with the most adjustments."""
    if not replay.results.decisions:
        return None
    pictured = (chart.forecast.sku, chart.forecast.origin_ms) if chart else None

    def preference(decision: ReorderDecision) -> tuple[bool, bool, int, str]:
        is_pictured = (decision.sku, decision.epoch_ms) == pictured
        return is_pictured, decision.status == "order", len(decision.adjustments), decision.decision_id

    return max(replay.results.decisions.values(), key=preference).model_dump(mode="json")


def _timings(run_dir: Path) -> Any:
    path = run_dir / "timings.json"
    return json.loads(path.read_text()) if path.exists() else []


@app.command()
def report() -> None:
    """Writes report.json and the pictures, and prints the table."""
    settings = load_settings()
    replay = read_replay(settings)
    content = build_report(replay, settings.run_dir)
    path = settings.run_dir / "report.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(table(content, OWN_NAME, path)))


if __name__ == "__main__":
    exit_with_message(app)
