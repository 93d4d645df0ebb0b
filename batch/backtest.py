"""`stockstream backtest`: forecasters against each other at past origins of any panel.

Exact scores, ratios to two baselines with intervals, a champion per segment, pictures.

PANEL is a Parquet or CSV file, or a folder of them, one row per SKU, location and day:

sku, location, date, units: required. A date is the local day; units are at least 0.

available: share of the day in stock, 0 to 1, or true/false. Sales of a day below 1 are never scored.

open: whether the location sells that day, known ahead. Without it, a weekday without a row is closed.

price, list_price, promotion: known ahead, so give plans, not what was charged after the fact.

category: a name that series share.

Other columns are ignored and named in the report. A missing row is a day without a sale if the panel
has no row with 0 units, else it is not observed; --missing-rows decides otherwise.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from batch.backtesting.models import PROMOTED, NewForecaster, chosen_models
from batch.backtesting.pictures import draw_pictures
from batch.backtesting.report import markdown, report
from batch.backtesting.rolling import rolling_origins, segments_at
from batch.backtesting.runs import Task, run_backtest
from batch.forecaster.sales_panel import MissingRows, SalesPanel, read_sales_panel
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings

SERIES_SHOWN = 4

app = typer.Typer(help=__doc__, add_completion=False)


def backtest(
    panel: SalesPanel,
    models: dict[str, NewForecaster],
    out: Path,
    horizon: int = 28,
    count: int = 6,
    spacing: int | None = None,
    refit_every: int = 1,
) -> dict[str, Any]:
    """Runs the models and writes the report; `out` appears whole at the end or not at all.

    What is finished of an interrupted run is kept in a folder beside `out` and used again for the same panel
    and options.

    Returns:
        The report, as in `report.json`.
    """
    spacing = spacing or horizon
    origins = rolling_origins(panel, horizon, count, spacing)
    segment = segments_at(panel, origins.columns[0])
    task = Task(panel, origins, segment, _shown(panel, origins.columns[0]), refit_every)
    folder = _unfinished(out, {"panel": panel.demand.panel_hash, "horizon": horizon, "count": count,
                               "spacing": spacing, "refit_every": refit_every})  # fmt: skip
    done = run_backtest(task, models, folder / "runs", lambda text: print(text, file=sys.stderr, flush=True))
    if not done.runs:
        raise StockstreamError(f"no model could be run: {'; '.join(map(': '.join, done.failures.items()))}")
    made = report(task, done, {name: new().sums for name, new in models.items()}, spacing)
    result = folder / "result"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    draw_pictures(task, done, made, result)
    (result / "report.json").write_text(json.dumps(made, indent=1) + "\n")
    (result / "report.md").write_text(markdown(made))
    if out.exists():
        shutil.rmtree(out)
    os.replace(result, out)
    shutil.rmtree(folder)
    return made


def _unfinished(out: Path, settings: dict[str, Any]) -> Path:
    """The folder of unfinished work beside `out`, emptied if it is of another panel or other options.

    Raises:
        StockstreamError: `out` holds something else than a report.
    """
    if out.exists() and not (out / "report.json").exists() and (out.is_file() or any(out.iterdir())):
        raise StockstreamError(f"option --out: {out} holds other files: name a new folder")
    folder = out.parent / f".{out.name}.unfinished"
    marker, text = folder / "settings.json", json.dumps(settings)
    if not marker.exists() or marker.read_text() != text:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        marker.write_text(text)
    (folder / "runs").mkdir(exist_ok=True)
    return folder


def _shown(panel: SalesPanel, origin: int) -> tuple[int, ...]:
    """Rows of series from the largest to a small one, by what was sold up to an origin."""
    order = np.argsort(-panel.demand.units[:, : origin + 1].sum(axis=1), kind="stable")
    place = np.linspace(0, 0.75 * (len(order) - 1), SERIES_SHOWN).astype(int)
    return tuple(order[np.unique(place)].tolist())


@app.command(help=__doc__)
def main(
    out: Annotated[
        Path | None, typer.Option(help="folder for the report; backtest/ of the run directory by default")
    ] = None,
    panel: Annotated[
        Path | None, typer.Option(help="file or folder; the panel of the run directory by default")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=365, help="days ahead")] = 28,
    origins: Annotated[int, typer.Option(min=1, help="number of origins")] = 6,
    spacing: Annotated[
        int | None, typer.Option(min=1, help="days between origins; the horizon by default")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            help="names, repeated or with commas: croston-sba, tsb, adida, lightgbm, lstm (these by default),"
            f" auto-ets, auto-arima (slow), deepar (extra `peers`), {PROMOTED}, {PROMOTED}:MODEL_ID, all;"
            " seasonal-naive and empirical-56 always run"
        ),
    ] = None,
    refit_every: Annotated[
        int, typer.Option(min=1, help="fit anew at every so many origins, forecast at all")
    ] = 1,
    missing_rows: Annotated[
        MissingRows, typer.Option(help="what a day without a row between rows is")
    ] = "auto",
) -> None:
    """Runs what the report lacks, writes it and prints its table."""
    settings = load_settings()
    names = [name.strip() for text in models or [] for name in text.split(",") if name.strip()]
    chosen = chosen_models(names, settings)
    read = read_sales_panel(panel or settings.panel_dir, missing_rows)
    target = out or settings.run_dir / "backtest"
    made = backtest(read, chosen, target, horizon, origins, spacing, refit_every)
    typer.echo(markdown(made))
    typer.echo(f"report: {target / 'report.json'}")


if __name__ == "__main__":
    exit_with_message(app)
