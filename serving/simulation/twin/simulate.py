"""`stockstream simulate`: ordering policies in a closed loop on a panel's last days, side by side.

PANEL is a Parquet or CSV file, or a folder of them, one row per SKU, location and day, as for
`stockstream backtest`: sku, location, date, units (whole); optional available, open, price.

The last days are replayed as demand, what is before them is history. Each day the twin receives, reviews,
sells and learns: policies see sales, never demand. The policy in production runs through the Planner's own
code; forecasts are 56-day empirical quantiles, or with --model the promoted model's. Lead times are drawn
for each order by its id, so that every policy has the same luck with the same order.

With --choose each segment (ABC x XYZ x Syntetos-Boylan) is given one of the policies on the first half of the
days that count, and the second half judges the choice; policy.json and segments.csv are for production.

A policy is NAME or NAME:PARAMETER:
"""

import json
import os
import shutil
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from batch.forecaster.panel import DemandPanel
from batch.forecaster.sales_panel import MissingRows, read_sales_panel
from batch.forecaster.segmentation import panel_segments
from infra.contracts.message import Delivery, UnmetDemand
from infra.errors import StockstreamError, exit_with_message
from serving.inventory.named_policies import FOR_LOST_SALES
from serving.simulation.twin.choice import Choice, Goal, candidates_of, choose_policies, parse_goal
from serving.simulation.twin.choice_report import for_production
from serving.simulation.twin.costs import read_costs
from serving.simulation.twin.lead_time_odds import parse_lead_time
from serving.simulation.twin.panel_world import Supply, panel_worlds
from serving.simulation.twin.pictures import draw_days, draw_service
from serving.simulation.twin.policies import KINDS, OWN, Policy, Simulated, parse_policy
from serving.simulation.twin.report import build_report, table
from serving.simulation.twin.runs import Experiment, Result, forecasts_of, simulate_all

DEFAULT_POLICIES = (OWN, "sigma-root-l", "days-of-cover", "moving-average", "newsvendor", "clairvoyant")
DEFAULT_CANDIDATES = (OWN, f"{OWN}:0.8", f"{OWN}:0.9", f"{OWN}:0.98", "min-max")
POLICY_HELP = (
    f"repeat it; by default {', '.join(DEFAULT_POLICIES)}; with --choose {', '.join(DEFAULT_CANDIDATES)}"
)
CHOOSE_HELP = "a policy per segment by least `cost`, or by least stock and orders at `fill-rate:0.95`"
POLICY_LIST = "\n\n".join(
    f"{name}: {kind.meaning}" + ("" if kind.default is None else f" ({kind.default:g})")
    for name, kind in KINDS.items()
)

app = typer.Typer(add_completion=False, help=f"{__doc__}\n{POLICY_LIST}")


class Orders(StrEnum):
    """Whether an order may overtake an earlier one."""

    independent = "independent"
    fifo = "fifo"


def named_policies(names: list[str] | None, goal: Goal | None) -> list[Policy]:
    """The policies named, each once.

    Raises:
        StockstreamError: one is unknown, or cannot be chosen for a segment.
    """
    if goal is None:
        return list(dict.fromkeys(parse_policy(name) for name in names or DEFAULT_POLICIES))
    return candidates_of([parse_policy(name) for name in names or DEFAULT_CANDIDATES])


def run_all(
    experiment: Experiment, policies: list[Policy], goal: Goal | None, panel: DemandPanel, processes: int
) -> tuple[dict[Simulated, list[Result]], Choice | None]:
    """Runs every policy and, where there is a goal, what is chosen among them for each segment."""
    results = simulate_all(experiment, policies, processes, _say)
    if goal is None:
        return results, None
    world = next(iter(experiment.worlds.values()))
    choice = choose_policies(results, policies, panel_segments(panel.until(world.start - 1)), goal)
    if not choice.keeps_default:
        results |= simulate_all(experiment, [choice.policies], processes, _say)
    return results, choice


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def refuse_for_lost_sales(policies: list[Policy]) -> None:
    """Where customers wait a policy for lost sales would not run: the default would, under its name.

    Raises:
        StockstreamError: one is for lost sales.
    """
    for policy in policies:
        if policy.name in FOR_LOST_SALES:
            raise StockstreamError(f"option --policy {policy.name}: it is for lost sales, not --backorders")


def write_report(
    out: Path,
    report: dict[str, Any],
    experiment: Experiment,
    results: dict[Simulated, list[Result]],
    files: dict[str, str],
) -> None:
    """Writes report, pictures and the other files; `out` appears whole at the end or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        made = Path(folder) / "report"
        made.mkdir()
        (made / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        (made / "report.txt").write_text("\n".join(table(report)) + "\n")
        for name, text in files.items():
            (made / name).write_text(text)
        draw_service(report, made / "service.png")
        draw_days(experiment, results, made / "days.png")
        shutil.rmtree(out, ignore_errors=True)
        os.replace(made, out)


def refuse_other_files(out: Path) -> None:
    """A report is written into a new folder or over an earlier report.

    Raises:
        StockstreamError: `out` holds something else.
    """
    if out.exists() and not (out / "report.json").exists() and (out.is_file() or any(out.iterdir())):
        raise StockstreamError(f"option --out: {out} holds other files: name a new folder")


@app.command()
def simulate(
    panel: Annotated[Path, typer.Option(help="file or folder")],
    out: Annotated[Path, typer.Option(help="folder for the report")],
    policy: Annotated[list[str] | None, typer.Option(help=POLICY_HELP)] = None,
    choose: Annotated[str | None, typer.Option("--choose", help=CHOOSE_HELP)] = None,
    days: Annotated[int, typer.Option(min=7, help="days that count")] = 91,
    warm_up: Annotated[int, typer.Option(min=0, help="days before them that do not")] = 28,
    lead_time: Annotated[str, typer.Option(help="days, or with shares, such as 5:0.8,25:0.2")] = "7",
    delivery: Annotated[Orders, typer.Option(help="whether orders may overtake")] = Orders.independent,
    review_weekday: Annotated[int, typer.Option(min=0, max=6, help="day of the review, 0 = Monday")] = 0,
    service: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="the items' own cycle service level")
    ] = 0.95,
    minimum: Annotated[int, typer.Option(min=1, help="minimum order of every item")] = 1,
    case_pack: Annotated[int, typer.Option(min=1, help="case pack of every item")] = 1,
    lost_sales: Annotated[
        bool, typer.Option("--lost-sales/--backorders", help="what becomes of unmet demand")
    ] = True,
    shelf_life: Annotated[int | None, typer.Option(min=1, help="days that units keep; for ever")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="runs with lead times of their own")] = 1,
    costs: Annotated[Path | None, typer.Option(help="YAML that overrides costs in part")] = None,
    model: Annotated[Path | None, typer.Option(help="folder of models, such as .run/demo/models")] = None,
    paths: Annotated[int, typer.Option(min=50, max=100_000, help="joint paths per forecast")] = 500,
    missing_rows: Annotated[MissingRows, typer.Option(help="what a day without a row is")] = "auto",
    processes: Annotated[int, typer.Option(min=1, help="runs at a time")] = os.cpu_count() or 1,
) -> None:
    """Simulates the policies and writes report.json, report.txt and pictures."""
    options = {name: str(value) for name, value in locals().items() if name not in ("out", "processes")}
    goal = None if choose is None else parse_goal(choose)
    policies, odds, charged = named_policies(policy, goal), parse_lead_time(lead_time), read_costs(costs)
    unmet: UnmetDemand = "lost" if lost_sales else "backordered"
    if unmet == "backordered":
        refuse_for_lost_sales(policies)
    refuse_other_files(out)
    if seeds > 1 and len(odds.days) == 1:
        raise StockstreamError(
            f"option --seeds {seeds}: seeds differ in lead times only, and {lead_time} is a constant one"
        )
    orders: Delivery = "fifo" if delivery is Orders.fifo else "independent"
    supply = Supply(odds, orders, review_weekday, minimum, case_pack, service, unmet)
    sales = read_sales_panel(panel, missing_rows)
    worlds = panel_worlds(sales, days + warm_up, supply, charged, seeds)
    forecasts_of(model, worlds[1].panel_hash, paths)
    experiment = Experiment(worlds, charged, shelf_life, warm_up, model, paths)
    results, choice = run_all(experiment, policies, goal, sales.demand, processes)
    report = build_report(experiment, results, options, choice)
    files = for_production(report["choice"], choice, sales.demand) if choice else {}
    write_report(out, report, experiment, results, files)
    typer.echo("\n".join([*table(report), *(f"made: {out / name}" for name in ("report.json", *files))]))


if __name__ == "__main__":
    exit_with_message(app)
