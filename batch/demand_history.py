"""`stockstream history`: the archive becomes the demand panel that models are trained on.

The panel lies in `panels/<prefix of its hash>/`; `panel` links to the current one and is replaced atomically,
so a reader never sees half a panel and a restart finds the panel its forecasts name.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyspark
import typer
from pyspark.sql import DataFrame, Row, SparkSession

from batch.archive import read_events, totals, update_events
from batch.availability import daily_availability, stock_spans
from batch.demand_panel import (
    DAY_COLUMNS,
    bulk_thresholds,
    daily_demand,
    dated,
    extent,
    fill_gaps,
    line_counts,
    mark_stockouts,
    panel_days,
    sale_lines,
)
from batch.item_similarity import update_cold_start
from batch.panel_files import panel_hash, publish_panel, read_panel
from batch.price_history import with_prices
from batch.segment_history import update_segments
from batch.spark_session import spark_session
from batch.stockout_history import stocked_hours, write_latent_demand
from infra.contracts.codec import decode
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import CALENDARS, CLICKSTREAM, PROMOTIONS, STOCK_LEVELS
from infra.errors import StockstreamError, exit_with_message
from infra.settings import Settings, load_settings

app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True)
class Span:
    """The local days, first to last, that the panel covers at a calendar's location."""

    calendar: LocationCalendar
    first: date
    last: date


def build_history(spark: SparkSession, settings: Settings) -> dict[str, Any]:
    """Updates the events, then writes the panel and makes it current.

    Returns:
        The panel's manifest, series by segment, and what new items are compared with.

    Raises:
        StockstreamError: no complete day of sales in the archive, or several currencies at one location.
    """
    events = settings.run_dir / "events"
    typer.echo("1/5 events: new files of the archive")
    counts = totals(update_events(spark, settings.archive_dir, events))
    clicks = read_events(spark, events, CLICKSTREAM)
    typer.echo("2/5 sales, and the days they span")
    lines = sale_lines(spark, clicks).localCheckpoint()
    extents = extent(spark, lines).collect()
    counts["unusable_sales"] = sum(row["unusable"] for row in extents)
    known = read_calendars(spark, events)
    spans = _spans(extents, known, settings)
    counts["locations_without_calendar"] = len({span.calendar.location for span in spans} - known.keys())
    stock, plans = (read_events(spark, events, topic) for topic in (STOCK_LEVELS, PROMOTIONS))
    typer.echo("3/5 demand, stock and price of each day")
    staging = settings.run_dir / ".panel-staging"
    shutil.rmtree(staging, ignore_errors=True)
    counts |= write_panel(spark, lines, clicks, stock, plans, spans, staging)
    manifest = _manifest(read_panel(staging), counts, settings.archive_dir)
    folder = publish_panel(settings.run_dir, staging, manifest)
    typer.echo("5/5 segments, and what new items are compared with")
    segments = update_segments(spark, folder)
    return manifest | {"segments": segments, "cold_start": update_cold_start(spark, events, folder)}


def write_panel(
    spark: SparkSession,
    lines: DataFrame,
    clicks: DataFrame,
    stock: DataFrame,
    plans: DataFrame,
    spans: list[Span],
    folder: Path,
) -> dict[str, int]:
    """Writes the panel, its bulk thresholds and what stock-outs hid.

    Args:
        spark: The session.
        lines: Sale lines of `batch.demand_panel.sale_lines`.
        clicks: Events of the clickstream.
        stock: Events of the stock levels.
        plans: Events of the promotions.
        spans: What the panel covers, per location.
        folder: Where to write; must not exist.

    Returns:
        How many lines each rule touched, and days with stock-outs.
    """
    days = spark.createDataFrame(
        [day for span in spans for day in panel_days(span.calendar, span.first, span.last)], DAY_COLUMNS
    )
    zones = spark.createDataFrame(
        [(span.calendar.location, span.calendar.time_zone) for span in spans],
        "location STRING, time_zone STRING",
    )
    sales = dated(spark, lines, zones)
    thresholds = bulk_thresholds(spark, sales).localCheckpoint()
    daily = daily_demand(spark, sales, thresholds).localCheckpoint()
    available = daily_availability(spark, stock, days, zones)
    panel = mark_stockouts(spark, fill_gaps(spark, daily, days, available)).localCheckpoint()
    priced = with_prices(spark, panel, plans, clicks, days, zones)
    priced.repartition(1).sortWithinPartitions("sku", "location", "date").write.parquet(str(folder))
    typer.echo("4/5 what stock-outs hid")
    bulk = [row.asDict() for row in sorted(thresholds.collect())]
    (folder / "_bulk_thresholds.json").write_text(json.dumps(bulk, indent=1) + "\n")
    hours = stocked_hours(spark, panel, sales, clicks, stock_spans(spark, stock, days), zones)
    return line_counts(spark, daily, days) | write_latent_demand(hours.toPandas(), folder)


def read_calendars(spark: SparkSession, events: Path) -> dict[str, LocationCalendar]:
    """The latest calendar of each location."""
    rows = read_events(spark, events, CALENDARS).where("event_type = 'location'").collect()
    messages: list[LocationCalendar] = [decode(CALENDARS, row["value"].encode()) for row in rows]
    return {message.location: message for message in sorted(messages, key=lambda each: each.event_time_ms)}


def _spans(extents: list[Row], calendars: dict[str, LocationCalendar], settings: Settings) -> list[Span]:
    """What the panel covers: a day is complete once a sale or a heartbeat lies in a later one."""
    heard_ms = max(
        (row["last_ms"] for row in extents if row["location"] is None and row["last_ms"]), default=0
    )
    spans = []
    for row in extents:
        if row["location"] is None or row["first_ms"] is None:
            continue
        _require_one_currency(row)
        calendar = calendars.get(row["location"]) or _always_open(row["location"], settings)
        last = _local_date(max(row["last_ms"], heard_ms), calendar) - timedelta(days=1)
        spans.append(Span(calendar, _local_date(row["first_ms"], calendar), last))
    spans = [span for span in spans if span.first <= span.last]
    if not spans:
        raise StockstreamError(
            f"{settings.archive_dir} holds no complete day of sales: import a sales file first"
        )
    return spans


def _require_one_currency(row: Row) -> None:
    if len(row["currencies"]) > 1:
        there = ", ".join(sorted(row["currencies"]))
        raise StockstreamError(f"location {row['location']} sells in {there}: one currency is accepted")


def _always_open(location: str, settings: Settings) -> LocationCalendar:
    return LocationCalendar(
        event_id="always-open",
        event_time_ms=0,
        location=location,
        time_zone=settings.time_zone,
        review_weekdays=[0],
    )


def _local_date(time_ms: int, calendar: LocationCalendar) -> date:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(calendar.time_zone)).date()


def _manifest(panel: pd.DataFrame, counts: dict[str, int], archive: Path) -> dict[str, Any]:
    reports = [json.loads(path.read_text()) for path in sorted(archive.glob("import-*.json"))]
    return {
        "panel_hash": panel_hash(panel),
        "rows": len(panel),
        "skus": int(panel["sku"].nunique()),
        "first_date": panel["date"].min().date().isoformat(),
        "last_date": panel["date"].max().date().isoformat(),
        "sources": [{name: value for name, value in report.items() if name != "files"} for report in reports],
        "counts": counts | _panel_counts(panel),
        "versions": {"panel": 1, "spark": pyspark.__version__},
    }


def _panel_counts(panel: pd.DataFrame) -> dict[str, int]:
    suspected = panel["suspected_stockout"]
    return {
        "open_days_without_sale": int((panel["open"] & (panel["units"] == 0)).sum()),
        "closed_days_with_sale": int((~panel["open"] & (panel["units"] > 0)).sum()),
        "suspected_stockout_days": int(suspected.sum()),
        "skus_with_suspected_stockout": int(panel.loc[suspected, "sku"].nunique()),
    } | _price_counts(panel)


def _price_counts(panel: pd.DataFrame) -> dict[str, int]:
    if "promotion" not in panel:
        return {}
    return {
        "days_with_a_planned_price": int(panel["price"].notna().sum()),
        "days_on_promotion": int((panel["promotion"] > 0).sum()),
        "days_on_a_promotion_not_planned": int((panel["promotion"] > panel["planned_promotion"]).sum()),
    }


@app.command()
def main(run_dir: Annotated[Path | None, typer.Option(help="folder of the stack's files")] = None) -> None:
    """Turns <run_dir>/archive into the demand panel <run_dir>/panel."""
    settings = load_settings(**({"run_dir": run_dir} if run_dir else {}))
    with spark_session("stockstream history") as spark:
        manifest = build_history(spark, settings)
    print(
        f"{manifest['rows']} rows, {manifest['skus']} SKUs, "
        f"{manifest['first_date']} to {manifest['last_date']}, panel {manifest['panel_hash'][:16]}"
    )
    print("segments: " + ", ".join(f"{name} {count}" for name, count in manifest["segments"].items()))
    print(f"new items: {manifest['cold_start']}")
    for rule, count in manifest["counts"].items():
        print(f"  {rule}: {count}")


if __name__ == "__main__":
    exit_with_message(app)
