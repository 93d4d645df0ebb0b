"""From the archive to the panel on a real Spark: each rule on days written out here, and a real slice."""

import json
import random
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from batch.archive import EVENT_COLUMNS, read_events, totals, update_events
from batch.bulk_import import import_file
from batch.demand_history import build_history
from batch.forecaster.cold_start_file import read_cold_start
from batch.import_files import visible_files
from batch.import_mapping import load_mapping
from batch.panel_files import read_panel
from batch.spark_session import spark_session
from batch.stockout_history import FILE, stocked_hours
from infra.contracts.topics import CALENDARS, CLICKSTREAM, STOCK_LEVELS
from infra.settings import Settings, load_settings

SAMPLE = Path("infra/local/online_retail")
LAST_DAY = date(2010, 1, 10)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with spark_session("test history") as session:
        yield session


class Archive:
    """Writes archive files as the stream does, one per call of `add`."""

    def __init__(self, run_dir: Path) -> None:
        self.settings: Settings = load_settings(run_dir=run_dir)
        self._offset = 0

    @property
    def events(self) -> Path:
        return self.settings.run_dir / "events"

    def row(self, topic: str, value: str | None, offset: int | None = None) -> dict[str, Any]:
        self._offset += 1
        place = {"partition": "0", "offset": self._offset if offset is None else offset}
        return {"topic": topic, **place, "late": False, "value": value}

    def event(self, topic: str, time: str, **fields: Any) -> dict[str, Any]:
        shared = {"version": 1, "event_id": f"e{self._offset}", "sku": "A", "location": "gb-main"}
        return self.row(topic, json.dumps(shared | {"event_time_ms": ms(time)} | fields))

    def sale(self, time: str, quantity: float = 1, **fields: Any) -> dict[str, Any]:
        kind = {"event_type": "purchase", "unit_price": {"amount": "2.50", "currency": "GBP"}}
        return self.event(CLICKSTREAM, time, quantity=quantity, **kind | fields)

    def level(self, time: str, on_hand: int) -> dict[str, Any]:
        return self.event(STOCK_LEVELS, time, on_hand=on_hand, event_type="level")

    def add(self, name: str, *rows: dict[str, Any]) -> None:
        for row in rows:
            day = "unreadable"
            if row["value"] is not None and "event_time_ms" in row["value"]:
                time_ms = json.loads(row["value"])["event_time_ms"]
                day = str(pd.Timestamp(time_ms, unit="ms", tz="Europe/London").date())
            folder = self.settings.archive_dir / f"dataset={row['topic']}" / f"day={day}"
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("a") as file:
                file.write(json.dumps(row) + "\n")


def ms(time: str) -> int:
    return int(pd.Timestamp(time).timestamp() * 1000)


def noon(day: str) -> str:
    return f"{day}T12:00Z"


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Two years of a shop in which every rule has a case, with its panel."""
    archive = Archive(tmp_path_factory.mktemp("shop"))
    calendar = {"event_type": "location", "time_zone": "Europe/London", "review_weekdays": [0]}
    closed = {"closed_weekdays": [5], "closed_dates": ["2011-06-01"], "opened_dates": ["2011-06-04"]}
    archive.add("part-0", archive.event(CALENDARS, "1970-01-01T00:00Z", **calendar | closed))
    sale = archive.sale(noon("2011-05-02"), 3)
    again = {**archive.sale(noon("2011-05-02"), 3), "value": sale["value"]}
    archive.add("part-0", sale, again, archive.sale(noon("2011-05-02"), 2))
    archive.add("part-1", sale)
    archive.add("part-0", archive.sale(noon("2011-05-03"), 4, event_type="return", unit_price=None))
    archive.add("part-0", archive.sale(noon("2011-05-01"), 1, event_type="return"))
    archive.add("part-0", archive.sale("2011-05-04T22:59:59Z", 10), archive.sale("2011-05-04T23:00Z", 20))
    archive.add("part-0", archive.sale("2011-10-30T22:59:59Z", 5), archive.sale("2011-10-31T00:00Z", 7))
    archive.add("part-0", archive.row(CLICKSTREAM, '{"event_time_ms": 5, "event_type": "purchase"}'))
    archive.add("part-0", archive.row(CLICKSTREAM, None))
    archive.add("part-0", archive.sale(noon("2011-12-31"), 9))
    bulk = [archive.sale(noon("2011-05-02"), quantity, sku="BULK") for quantity in range(1, 101)]
    archive.add("part-0", *bulk)
    busy = pd.date_range("2011-01-03", "2011-08-31").difference(pd.date_range("2011-06-06", "2011-06-12"))
    archive.add("part-0", *(archive.sale(noon(str(day.date())), sku="BUSY") for day in busy))
    archive.add("part-0", archive.level("2011-05-01T23:00Z", 4), archive.level("2011-05-02T05:00Z", 0))
    archive.add("part-0", archive.level("2011-05-02T23:00Z", 0), archive.level("2011-05-03T11:00Z", 6))
    looks = ("2011-05-02T04:00Z", "2011-05-02T05:00Z", "2011-05-02T22:59Z", "2011-05-03T11:00Z")
    archive.add("part-0", *(archive.event(CLICKSTREAM, time, event_type="view") for time in looks))
    build_history(spark, archive.settings)
    return archive


def panel_of(archive: Archive, sku: str) -> pd.DataFrame:
    panel = read_panel(archive.settings.panel_dir)
    return panel[panel["sku"] == sku].set_index("date")


def manifest(archive: Archive) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((archive.settings.panel_dir / "_manifest.json").read_text())
    return found


def test_an_event_delivered_again_or_repeated_counts_once(shop: Archive) -> None:
    day = panel_of(shop, "A").loc["2011-05-02"]
    assert (day["units"], day["order_lines"], day["revenue"], day["mean_price"]) == (5, 2, 12.5, 2.5)
    counts = manifest(shop)["counts"]
    assert (counts["delivered_again"], counts["repeated_events"]) == (1, 1)


def test_returns_are_told_apart_and_never_reduce_demand(shop: Archive) -> None:
    day = panel_of(shop, "A").loc["2011-05-03"]
    assert (day["units"], day["returned_units"], day["order_lines"]) == (0, 4, 0)
    assert pd.isna(day["mean_price"])


def test_a_day_begins_and_ends_at_local_midnight_in_summer_and_winter(shop: Archive) -> None:
    units = panel_of(shop, "A")["units"]
    assert units["2011-05-04"] == 10
    assert units["2011-05-05"] == 20
    assert units["2011-10-30"] == 5
    assert units["2011-10-31"] == 7


def test_every_day_from_the_first_sale_to_the_last_complete_day_has_a_row(shop: Archive) -> None:
    panel = panel_of(shop, "A")
    assert list(panel.index) == list(pd.date_range("2011-05-02", "2011-12-30"))
    assert panel["units"].sum() == 5 + 10 + 20 + 5 + 7
    counts = manifest(shop)["counts"]
    assert counts["returns_before_first_sale"] == 1
    assert counts["lines_of_unfinished_days"] == 1


def test_what_cannot_be_read_is_counted_and_harms_nothing(shop: Archive) -> None:
    counts = manifest(shop)["counts"]
    assert (counts["unusable_sales"], counts["unreadable_lines"]) == (1, 1)


def test_the_calendar_says_which_days_are_open(shop: Archive) -> None:
    is_open = panel_of(shop, "A")["open"]
    assert not is_open["2011-05-07"]  # a Saturday
    assert not is_open["2011-06-01"]
    assert is_open["2011-06-04"]  # a Saturday with sales
    assert is_open["2011-05-08"]


def test_bulk_is_what_lies_above_the_99th_percentile_of_the_lines(shop: Archive) -> None:
    day = panel_of(shop, "BULK").loc["2011-05-02"]
    assert (day["units"], day["bulk_units"], day["order_lines"]) == (5050, 100, 100)
    thresholds = json.loads((shop.settings.panel_dir / "_bulk_thresholds.json").read_text())
    assert [(row["sku"], row["threshold"]) for row in thresholds] == [
        ("BULK", pytest.approx(99.01)),
        ("BUSY", 1.0),
    ]


def test_an_improbable_run_of_open_days_without_sale_is_suspected_and_kept(shop: Archive) -> None:
    busy = panel_of(shop, "BUSY")
    suspected = busy.index[busy["suspected_stockout"]]
    june = pd.date_range("2011-06-06", "2011-06-12").drop("2011-06-11")  # without the Saturday
    assert list(suspected[suspected < "2011-08-01"]) == list(june)
    assert (busy.loc[suspected, "open"] & (busy.loc[suspected, "units"] == 0)).all()


def test_availability_is_the_share_of_the_day_in_stock_and_unknown_without_stock_data(shop: Archive) -> None:
    available = panel_of(shop, "A")["available"]
    assert available["2011-05-02"] == pytest.approx(6 / 24)
    assert available["2011-05-03"] == pytest.approx(12 / 24)
    assert available["2011-10-30"] == 1  # a day of 25 hours
    assert panel_of(shop, "BUSY")["available"].isna().all()


def test_days_with_stock_outs_are_marked_and_estimated_beside_the_panel(shop: Archive) -> None:
    hidden = pd.read_parquet(shop.settings.panel_dir / FILE)
    assert set(hidden["sku"]) == {"A"}  # of no other SKU is the stock known
    hidden = hidden.assign(date=pd.to_datetime(hidden["date"])).set_index("date")
    panel = panel_of(shop, "A")
    assert list(hidden.index) == list(panel.index[panel["open"]])
    assert (hidden["units"] == panel["units"][panel["open"]]).all()
    censored = hidden[hidden["censored"]]
    assert list(censored.index) == list(pd.to_datetime(["2011-05-02", "2011-05-03"]))
    assert list(censored["views_while_out"]) == [2, 0]
    assert (censored["demand"] >= censored["units"]).all()
    assert censored["demand"].iloc[1] > 0
    assert (hidden["demand"] == hidden["units"])[~hidden["censored"]].all()
    assert manifest(shop)["counts"]["days_with_stockout"] == 2


def test_hours_out_of_stock_are_hours_of_the_local_day(spark: SparkSession) -> None:
    day, at = date(2011, 5, 2), ("A", "gb-main")
    panel = spark.createDataFrame(
        [(*at, day, 5.0, 0.25, True)],
        "sku STRING, location STRING, date DATE, units DOUBLE, available DOUBLE, open BOOLEAN",
    )
    sold = spark.createDataFrame(
        [(*at, day, ms("2011-05-02T05:20Z"), "purchase", 5.0)],
        "sku STRING, location STRING, date DATE, event_time_ms BIGINT, event_type STRING, quantity DOUBLE",
    )
    spans = spark.createDataFrame(
        [(*at, ms("2011-05-02T05:30Z"), ms("2011-05-02T09:00Z"), False)],
        "sku STRING, location STRING, event_time_ms BIGINT, until_ms BIGINT, in_stock BOOLEAN",
    )
    clicks = spark.createDataFrame([], EVENT_COLUMNS)
    zones = spark.createDataFrame([("gb-main", "Europe/London")], "location STRING, time_zone STRING")
    hours = stocked_hours(spark, panel, sold, clicks, spans, zones).toPandas().set_index("hour")
    assert set(hours.index) == {6, 7, 8, 9}
    assert hours["out"].all()
    assert hours["sold"].to_dict() == {6: 5, 7: 0, 8: 0, 9: 0}


def test_only_days_with_new_files_are_written_again(spark: SparkSession, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add("part-0", archive.sale(noon("2011-05-02")), archive.sale(noon("2011-05-03")))
    first = update_events(spark, archive.settings.archive_dir, archive.events)
    archive.add("part-1", {**archive.sale(noon("2011-05-03")), "offset": 2})  # from a broker started anew
    second = update_events(spark, archive.settings.archive_dir, archive.events)
    changed = {day for day in second if second[day] != first.get(day)}
    assert changed == {f"dataset={CLICKSTREAM}/day=2011-05-03"}
    assert totals(second)["kept"] == read_events(spark, archive.events, CLICKSTREAM).count() == 3
    assert len(list(archive.events.glob("dataset=*/day=*/*"))) == 2


def test_days_written_before_a_crash_are_not_seen_until_the_manifest_names_them(
    spark: SparkSession, tmp_path: Path
) -> None:
    archive, before = Archive(tmp_path / "run"), tmp_path / "before"
    archive.add("part-0", archive.sale(noon("2011-05-02")))
    update_events(spark, archive.settings.archive_dir, archive.events)
    shutil.copytree(archive.events, before)
    archive.add("part-1", archive.sale(noon("2011-05-02")))
    update_events(spark, archive.settings.archive_dir, archive.events)
    shutil.copytree(before, archive.events, dirs_exist_ok=True)  # the old manifest, old and new folders
    assert read_events(spark, archive.events, CLICKSTREAM).count() == 1
    update_events(spark, archive.settings.archive_dir, archive.events)
    assert read_events(spark, archive.events, CLICKSTREAM).count() == 2


@pytest.fixture(scope="module")
def sample(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The first weeks of the shipped data, imported and turned into a panel."""
    archive = Archive(tmp_path_factory.mktemp("sample"))
    mapping = load_mapping(SAMPLE / "mapping.yaml").model_copy(update={"until": LAST_DAY})
    import_file(mapping, archive.settings.archive_dir)
    build_history(spark, archive.settings)
    return archive


def test_the_panel_of_the_sample_holds_the_sums_of_its_lines(sample: Archive) -> None:
    lines = pd.read_parquet(SAMPLE / "online_retail_top100_sku.parquet").drop_duplicates()
    lines = lines[lines["InvoiceDate"] < pd.Timestamp(LAST_DAY)]
    lines["date"] = lines["InvoiceDate"].dt.normalize()
    cancelled = lines["Invoice"].str.startswith("C")
    sold = lines[~cancelled & (lines["Quantity"] > 0) & (lines["Price"] > 0)]
    expected = sold.groupby(["StockCode", "date"])["Quantity"].agg(["sum", "size"])
    panel = read_panel(sample.settings.panel_dir).set_index(["sku", "date"])
    sale_days = panel[panel["order_lines"] > 0]
    assert sale_days["units"].to_list() == expected["sum"].to_list()
    assert sale_days["order_lines"].to_list() == expected["size"].to_list()
    assert panel["units"].sum() == sold["Quantity"].sum()
    assert panel.index.get_level_values("date").max() == pd.Timestamp("2010-01-09")
    assert manifest(sample)["counts"]["closed_days_with_sale"] == 0


def test_the_panel_hash_depends_on_no_file_split_and_no_row_order(
    spark: SparkSession, sample: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path)
    for path in visible_files(sample.settings.archive_dir):
        folder = other.settings.archive_dir / path.parent.relative_to(sample.settings.archive_dir)
        folder.mkdir(parents=True)
        lines = path.read_text().splitlines(keepends=True)
        random.Random(7).shuffle(lines)
        (folder / "part-0").write_text("".join(lines[::2]))
        (folder / "part-1").write_text("".join(lines[1::2]))
    assert build_history(spark, other.settings)["panel_hash"] == manifest(sample)["panel_hash"]


def test_what_new_items_are_compared_with_lies_beside_the_panel(shop: Archive) -> None:
    assert (cold := read_cold_start(shop.settings.panel_dir)) is not None
    assert (cold.locations, cold.categories) == (("gb-main",), ("", "none"))
