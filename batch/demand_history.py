"""`stockstream history`: the archive becomes the demand panel that models are trained on.

The panel lies in `panels/<prefix of its hash>/`; `panel` links to the current one and is replaced atomically,
so a reader never sees half a panel and a restart finds the panel its forecasts name.
"""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyspark
import typer
from pyspark.sql import DataFrame, Row, SparkSession

from batch.archive import read_events, totals, update_events
from batch.demand_panel import (
    OpenDay,
    bulk_thresholds,
    daily_demand,
    dated,
    extent,
    fill_gaps,
    line_counts,
    mark_stockouts,
    open_days,
    sale_lines,
)
from batch.panel_files import panel_hash, publish_panel, read_panel
from batch.spark_session import spark_session
from infra.contracts.codec import decode
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import CALENDARS, CLICKSTREAM
from infra.errors import StockstreamError, exit_with_message
from infra.settings import Settings, load_settings

app = typer.Typer(add_completion=False, help=__doc__)


def build_history(spark: SparkSession, settings: Settings) -> dict[str, Any]:
    """Updates the events, then writes the panel and makes it current.

    Returns:
        The panel's manifest.

    Raises:
        StockstreamError: there is no sale in the archive, or a location sells in several currencies.
    """
    events = settings.run_dir / "events"
    counts = totals(update_events(spark, settings.archive_dir, events))
    lines = sale_lines(spark, read_events(spark, events, CLICKSTREAM)).localCheckpoint()
    extents = extent(spark, lines).collect()
    counts["unusable_sales"] = sum(row["unusable"] for row in extents)
    sales = _checked_sales(extents, settings)
    known = read_calendars(spark, events)
    unknown = {row["location"] for row in sales} - known.keys()
    counts["locations_without_calendar"] = len(unknown)
    calendars = known | {location: _always_open(location, settings) for location in unknown}
    days = _panel_days(sales, calendars, _closed_until(extents))
    staging = settings.run_dir / ".panel-staging"
    shutil.rmtree(staging, ignore_errors=True)
    counts |= write_panel(spark, dated(spark, lines, calendars), days, staging)
    manifest = _manifest(read_panel(staging), counts, settings.archive_dir)
    publish_panel(settings.run_dir, staging, manifest)
    return manifest


def write_panel(spark: SparkSession, lines: DataFrame, days: list[OpenDay], folder: Path) -> dict[str, int]:
    """Writes the panel of dated lines and its bulk thresholds.

    Args:
        spark: The session.
        lines: Purchases and returns with their local date.
        days: Days the panel covers, per location, with open or closed.
        folder: Where to write; must not exist.

    Returns:
        How many lines each rule touched.
    """
    calendar = spark.createDataFrame(days, "location STRING, date DATE, open BOOLEAN")
    thresholds = bulk_thresholds(spark, lines).localCheckpoint()
    daily = daily_demand(spark, lines, thresholds).localCheckpoint()
    panel = mark_stockouts(spark, fill_gaps(spark, daily, calendar))
    panel.repartition(1).sortWithinPartitions("sku", "location", "date").write.parquet(str(folder))
    bulk = sorted(tuple(row) for row in thresholds.collect())
    text = json.dumps([dict(zip(thresholds.columns, row, strict=True)) for row in bulk], indent=1)
    (folder / "_bulk_thresholds.json").write_text(text + "\n")
    return line_counts(spark, daily, calendar)


def read_calendars(spark: SparkSession, events: Path) -> dict[str, LocationCalendar]:
    """The latest calendar of each location."""
    rows = read_events(spark, events, CALENDARS).where("event_type = 'location'").collect()
    messages: list[LocationCalendar] = [decode(CALENDARS, row["value"].encode()) for row in rows]
    return {message.location: message for message in sorted(messages, key=lambda each: each.event_time_ms)}


def _checked_sales(extents: list[Row], settings: Settings) -> list[Row]:
    sales = [row for row in extents if row["location"] is not None and row["first_ms"] is not None]
    if not sales:
        raise StockstreamError(f"{settings.archive_dir} holds no sale: import a sales file first")
    for row in sales:
        if len(row["currencies"]) > 1:
            there = ", ".join(sorted(row["currencies"]))
            raise StockstreamError(f"location {row['location']} sells in {there}: one currency is accepted")
    return sales


def _always_open(location: str, settings: Settings) -> LocationCalendar:
    return LocationCalendar(
        event_id="always-open",
        event_time_ms=0,
        location=location,
        time_zone=settings.time_zone,
        review_weekdays=[0],
    )


def _closed_until(extents: list[Row]) -> int | None:
    """Time of the latest heartbeat: local days that ended by then are complete."""
    times = [row["last_ms"] for row in extents if row["location"] is None and row["last_ms"] is not None]
    return max(times, default=None)


def _panel_days(
    sales: list[Row], calendars: dict[str, LocationCalendar], closed_ms: int | None
) -> list[OpenDay]:
    """Every complete day of each location from its first sale on; without heartbeats up to the last sale."""
    days = []
    for row in sales:
        calendar = calendars[row["location"]]
        last = _local_date(row["last_ms"], calendar)
        if closed_ms is not None:
            last = _local_date(closed_ms, calendar) - timedelta(days=1)
        days += open_days(calendar, _local_date(row["first_ms"], calendar), last)
    return days


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
    for rule, count in manifest["counts"].items():
        print(f"  {rule}: {count}")


if __name__ == "__main__":
    exit_with_message(app)
