"""What a shop's own file becomes: rule by rule, on a few lines written out here."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batch.bulk_import import import_file, load_calendar
from batch.import_files import visible_files
from batch.import_mapping import load_mapping
from batch.import_messages import money
from infra.contracts.codec import decode, encode
from infra.contracts.shop import ClickEvent, PurchaseOrderEvent, StockLevel
from infra.contracts.topics import CALENDARS, CLICKSTREAM, PURCHASE_ORDERS, STOCK_LEVELS
from infra.errors import StockstreamError

SALES: dict[str, Any] = {
    "kind": "sales",
    "file": "sales.csv",
    "format": "csv",
    "time_zone": "Europe/London",
    "location": "gb-main",
    "currency": "GBP",
    "columns": {"sku": "Code", "time": "When", "quantity": "Pieces", "unit_price": "Price"},
    "returns": {"column": "Invoice", "prefix": "C"},
    "exclude": {
        "sku_not_matching": r"^\d{5}[A-Za-z]{0,2}$",
        "negative_quantity": True,
        "price_not_positive": True,
    },
}
HEAD = "Invoice,Code,When,Pieces,Price\n"


def import_sales(folder: Path, lines: str, **changes: Any) -> dict[str, Any]:
    (folder / "sales.csv").write_text(HEAD + lines)
    return import_with(folder, SALES | changes)


def import_with(folder: Path, mapping: dict[str, Any]) -> dict[str, Any]:
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping))
    return import_file(load_mapping(folder / "mapping.yaml"), folder / "archive")


def rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted(visible_files(folder / "archive"))
    return [json.loads(line) | {"file": path} for path in files for line in path.read_text().splitlines()]


def events(folder: Path, topic: str = CLICKSTREAM) -> list[Any]:
    found = [row for row in rows(folder) if f"dataset={topic}" in str(row["file"])]
    messages = [decode(topic, row["value"].encode()) for row in sorted(found, key=lambda row: row["offset"])]
    return [message for message in messages if message.event_type != "heartbeat"]


def test_an_invoice_line_becomes_a_purchase_in_the_archive_of_its_local_day(tmp_path: Path) -> None:
    import_sales(tmp_path, "1,85123A,2011-07-01 00:30:00,6,2.55\n")
    (row,) = [row for row in rows(tmp_path) if row["offset"] == 1]
    assert (row["topic"], row["late"]) == ("import", False)
    assert row["file"].parent.name == "day=2011-07-01"
    event = decode(CLICKSTREAM, row["value"].encode())
    assert event.event_time_ms == pd.Timestamp("2011-06-30T23:30Z").value // 10**6
    assert (event.event_type, event.sku, event.quantity, event.unit_price.amount) == (
        "purchase",
        "85123A",
        6.0,
        "2.55",
    )


def test_a_cancelled_invoice_is_a_return_of_positive_quantity(tmp_path: Path) -> None:
    import_sales(tmp_path, "C7,85123A,2011-07-01 10:00:00,-6,2.55\n")
    (event,) = events(tmp_path)
    assert (event.event_type, event.quantity) == ("return", 6.0)


def test_a_shop_without_invoice_marks_returns_by_negative_quantity(tmp_path: Path) -> None:
    import_sales(tmp_path, "7,85123A,2011-07-01 10:00:00,-6,2.55\n", returns="negative_quantity", exclude={})
    (event,) = events(tmp_path)
    assert (event.event_type, event.quantity) == ("return", 6.0)


def test_each_exclusion_is_counted_under_its_rule(tmp_path: Path) -> None:
    report = import_sales(
        tmp_path,
        "1,POST,2011-07-01 10:00:00,1,18\n"
        "2,85123A,2011-07-01 10:00:00,-40,0\n"
        "3,85123A,2011-07-01 10:00:00,4,0\n"
        "4,85123A,2011-07-01 10:00:00,4,2.55\n"
        "5,85123A,2011-07-02 00:00:00,4,2.55\n",
        until=date(2011, 7, 2),
    )
    assert report["excluded"] == {
        "after_until": 1,
        "sku_not_matching": 1,
        "negative_quantity": 1,
        "price_not_positive": 1,
    }
    assert [event.session_id for event in events(tmp_path)] == [None]


def test_exact_duplicate_lines_share_one_event_id_and_are_counted(tmp_path: Path) -> None:
    line = "1,85123A,2011-07-01 10:00:00,4,2.55\n"
    report = import_sales(tmp_path, line + line + line.replace(",4,", ",5,"))
    assert report["duplicates"] == 1
    first, again, other = events(tmp_path)
    assert first == again
    assert other.event_id != first.event_id


def test_the_days_before_until_are_closed_by_a_heartbeat(tmp_path: Path) -> None:
    import_sales(tmp_path, "1,85123A,2011-03-25 10:00:00,4,2.55\n", until=date(2011, 3, 28))
    (row,) = [row for row in rows(tmp_path) if row["offset"] == 0]
    beat = decode(CLICKSTREAM, row["value"].encode())
    assert beat.event_type == "heartbeat"
    assert beat.event_time_ms == pd.Timestamp("2011-03-27T23:00Z").value // 10**6


def test_clock_changes_move_no_line_to_another_day(tmp_path: Path) -> None:
    import_sales(
        tmp_path,
        "1,85123A,2011-03-27 01:30:00,1,1\n"  # skipped hour: moves to 02:00 BST
        "2,85123A,2011-10-30 01:30:00,1,1\n"  # repeated hour: the first pass, BST
        "3,85123A,2011-10-30T23:59:59,1,1\n",
    )
    expected = ["2011-03-27T01:00:00Z", "2011-10-30T00:30:00Z", "2011-10-30T23:59:59Z"]
    assert [e.event_time_ms for e in events(tmp_path)] == [pd.Timestamp(t).value // 10**6 for t in expected]
    days = {row["file"].parent.name for row in rows(tmp_path) if row["offset"] > 0}
    assert days == {"day=2011-03-27", "day=2011-10-30"}


def test_times_with_an_offset_and_times_of_an_own_format_are_understood(tmp_path: Path) -> None:
    import_sales(tmp_path, "1,85123A,2011-07-01T12:00:00+02:00,1,1\n2,85123A,2011-07-01T11:00:00,1,1\n")
    assert len({event.event_time_ms for event in events(tmp_path)}) == 1
    other = tmp_path / "other"
    other.mkdir()
    import_sales(other, "1,85123A,01.07.2011 11:00,1,1\n", time_format="%d.%m.%Y %H:%M")
    assert events(other)[0].event_time_ms == events(tmp_path)[0].event_time_ms


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("1,85123A,yesterday,4,2.55\n", "When", "yesterday"),
        ("1,85123A,2011-07-01 10:00:00,many,2.55\n", "Pieces", "many"),
        ("1,85123A,2011-07-01 10:00:00,0,2.55\n", "Pieces", "0.0"),
        ("1,85123A,2011-07-01 10:00:00,4,2.555555\n", "Price", "2.555555"),
        ("1,85123A,2011-07-01 10:00:00,4,\n", "Price", ""),
    ],
)
def test_a_row_that_breaks_the_contract_is_set_aside_with_its_reason(
    tmp_path: Path, line: str, column: str, value: str
) -> None:
    report = import_sales(tmp_path, "9,85123A,2011-07-01 10:00:00,4,2.55\n" + line)
    assert report["rejected"] == 1
    (rejects,) = (tmp_path / "archive").glob("import-*.rejects.jsonl")
    reject = json.loads(rejects.read_text())
    assert (reject["row"], reject["column"], reject["value"]) == (2, column, value)
    assert reject["accepted"]
    assert reject["line"]["Code"] == "85123A"
    assert len(events(tmp_path)) == 1


def test_a_file_without_any_usable_row_is_refused_naming_the_first(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match=r"row 1, column When has value 'x': an ISO 8601 time"):
        import_sales(tmp_path, "1,85123A,x,4,2.55\n")
    assert not list(visible_files(tmp_path / "archive"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time_zone": "London"}, r"time_zone has value 'London': .*IANA time zone"),
        ({"currency": "pounds"}, r"currency has value 'pounds'"),
        ({"location": None}, r"location"),
        ({"exclude": {"sku_not_matching": "("}}, r"exclude.sku_not_matching has value '\('"),
        ({"colums": {}}, r"colums has value"),
        ({"kind": "clicks"}, r"kind|mapping"),
        (
            {"columns": SALES["columns"] | {"sku": "SKU"}},
            r"columns.sku: no column 'SKU' in sales.csv, which has",
        ),
        ({"returns": {"column": "No", "prefix": "C"}}, r"returns.column: no column 'No'"),
        ({"file": "missing.csv"}, r"missing.csv: No such file"),
    ],
)
def test_a_wrong_mapping_is_refused_naming_the_field(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(StockstreamError, match=message):
        import_sales(tmp_path, "1,85123A,2011-07-01 10:00:00,4,2.55\n", **changes)


def test_importing_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    line = "1,85123A,2011-07-01 10:00:00,4,2.55\n"
    import_sales(tmp_path, line)
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in visible_files(tmp_path / "archive")
    }
    import_sales(tmp_path, line)
    after = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in visible_files(tmp_path / "archive")
    }
    assert before == after


def test_importing_a_file_with_a_corrected_mapping_replaces_the_first_import(tmp_path: Path) -> None:
    line = "1,85123A,2011-07-01 00:30:00,4,2.55\n"
    import_sales(tmp_path, line)
    import_sales(tmp_path, line, time_zone="Europe/Paris")
    assert len(events(tmp_path)) == 1
    assert len(list((tmp_path / "archive").glob("dataset=*/day=2011-07-01/*"))) == 1


def test_stock_levels_are_imported(tmp_path: Path) -> None:
    (level,) = imported_stock(tmp_path, "Store,Code,When,OnHand\nnorth,85123A,2011-07-01 10:00:00,40\n")
    assert (level.event_type, level.location, level.on_hand) == ("level", "north", 40)
    assert (level.backordered, level.reserved) == (0, 0)


def imported_stock(folder: Path, table: str, **more: str) -> list[StockLevel]:
    (folder / "stock.csv").write_text(table)
    columns = {"sku": "Code", "time": "When", "on_hand": "OnHand", "location": "Store", **more}
    mapping = {"kind": "stock", "file": "stock.csv", "format": "csv", "time_zone": "UTC", "columns": columns}
    import_with(folder, mapping)
    found: list[StockLevel] = events(folder, STOCK_LEVELS)
    return found


def test_backorders_and_reservations_are_imported_where_the_mapping_names_them(tmp_path: Path) -> None:
    table = "Store,Code,When,OnHand,Owed,Kept\nnorth,A,2011-07-01,0,7,2\nnorth,B,2011-07-01,5,0.5,0\n"
    (level,) = imported_stock(tmp_path, table, backordered="Owed", reserved="Kept")
    assert (level.sku, level.on_hand, level.backordered, level.reserved) == ("A", 0, 7, 2)


def test_an_order_line_becomes_one_event_for_each_state_it_has_reached(tmp_path: Path) -> None:
    orders = pd.DataFrame(
        {
            "Order": ["A1", "A2"],
            "Code": ["85123A", "85123A"],
            "Ordered": [pd.Timestamp("2011-07-01"), pd.Timestamp("2011-07-08")],
            "Received": [pd.Timestamp("2011-07-06"), pd.NaT],
            "Quantity": [40, 50],
            "Arrived": [38.0, None],
        }
    )
    orders.to_parquet(tmp_path / "orders.parquet")
    mapping = {
        "kind": "orders",
        "file": "orders.parquet",
        "format": "parquet",
        "time_zone": "Europe/London",
        "location": "gb-main",
        "supplier": "acme",
        "columns": {"sku": "Code", "order_id": "Order"},
        "events": {
            "placed": {"time": "Ordered", "quantity": "Quantity"},
            "received": {"time": "Received", "quantity": "Arrived"},
        },
    }
    report = import_with(tmp_path, mapping)
    assert report["rejected"] == 0
    found: list[PurchaseOrderEvent] = events(tmp_path, PURCHASE_ORDERS)
    assert sorted((e.order_id, e.event_type, e.quantity) for e in found) == [
        ("A1", "placed", 40),
        ("A1", "received", 38),
        ("A2", "placed", 50),
    ]
    identities = {(row["topic"], row["partition"], row["offset"]) for row in rows(tmp_path)}
    assert len(identities) == len({e.event_id for e in found}) == 3


def test_the_calendar_of_the_mapping_is_imported_with_it(tmp_path: Path) -> None:
    calendar = {"event_type": "location", "location": "gb-main", "time_zone": "Europe/London"}
    (tmp_path / "calendar.yaml").write_text(yaml.safe_dump(calendar | {"review_weekdays": [0]}))
    import_sales(tmp_path, "1,85123A,2011-07-01 10:00:00,4,2.55\n", calendars=["calendar.yaml"])
    assert events(tmp_path, CALENDARS) == [load_calendar(tmp_path / "calendar.yaml")]


@given(price=st.integers(1, 10**8).map(lambda ten_thousandths: ten_thousandths / 10_000))
def test_a_price_keeps_its_exact_decimal_value(price: float) -> None:
    amount = money(price, "GBP")
    assert amount is not None
    assert float(amount.amount) == price


def test_an_archived_message_is_the_one_the_codec_writes(tmp_path: Path) -> None:
    import_sales(tmp_path, "1,85123A,2011-07-01 10:00:00,4,2.55\n")
    for row in rows(tmp_path):
        message = decode(CLICKSTREAM, row["value"].encode())
        assert encode(CLICKSTREAM, message).decode() == row["value"]
        assert isinstance(message, ClickEvent) == (row["offset"] > 0)
