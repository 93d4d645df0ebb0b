from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from infra.errors import StockstreamError
from serving.simulation.sales_log import SaleLine, SalesLog, read_sales_log

GOOD = ("536365", "85123A", 6, "2011-10-31 08:26", 2.55, 17850.0)


def sample(folder: Path, *lines: tuple[str, str, int, str, float, float | None]) -> list[SaleLine]:
    columns = ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID"]
    frame = pd.DataFrame([*lines, GOOD], columns=columns)
    frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"])
    frame.to_parquet(folder / "sample.parquet")
    log = read_sales_log(folder / "sample.parquet", "Europe/London")
    return log.lines_of(date(2011, 10, 31))


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        ("536366", "POST", 1, "2011-10-31 09:00", 18.0, 17850.0),
        ("536367", "85123A", -10, "2011-10-31 09:00", 2.55, None),
        ("536368", "85123A", 10, "2011-10-31 09:00", 0.0, None),
    ],
    ids=["exact duplicate", "no product", "write-off", "free of charge"],
)
def test_a_line_that_is_no_demand_is_left_out(
    tmp_path: Path, line: tuple[str, str, int, str, float, float | None]
) -> None:
    assert len(sample(tmp_path, line)) == 1


def test_a_cancelled_invoice_is_a_return_of_a_positive_quantity(tmp_path: Path) -> None:
    returned = sample(tmp_path, ("C536370", "85123A", -4, "2011-10-31 10:00", 2.55, 17850.0))[1]

    assert (returned.is_return, returned.quantity) == (True, 4)


def test_lines_of_one_sku_in_one_minute_follow_each_other(tmp_path: Path) -> None:
    first, second = sample(tmp_path, ("536371", "85123A", 2, "2011-10-31 08:26", 2.55, None))

    assert second.time_ms - first.time_ms == 10
    assert first.time_ms == datetime(2011, 10, 31, 8, 26, tzinfo=ZoneInfo("Europe/London")).timestamp() * 1000


def test_customers_appear_under_pseudonyms_only(tmp_path: Path) -> None:
    known, unknown = sample(tmp_path, ("536371", "85123A", 2, "2011-10-31 08:30", 2.55, None))

    assert known.user_id is not None
    assert "17850" not in known.user_id
    assert unknown.user_id is None


def test_the_shipped_sample_has_the_published_number_of_lines(shipped_log: SalesLog) -> None:
    """186,799 lines less 2,074 exact duplicates, 259 unpaid; all 100 SKUs to 2011-12-09."""
    assert len(shipped_log.lines) == 186_799 - 2_074 - 259
    assert shipped_log.lines["sku"].nunique() == 100
    assert shipped_log.last_day == date(2011, 12, 9)
    assert shipped_log.lines["line_id"].is_unique


def test_daily_units_are_the_lines_added_up(shipped_log: SalesLog) -> None:
    day = date(2011, 11, 10)

    table = shipped_log.daily_units(date(2011, 11, 9), date(2011, 11, 12))

    by_hand = dict.fromkeys(table.skus, 0)
    for line in shipped_log.lines_of(day):
        by_hand[line.sku] += 0 if line.is_return else line.quantity
    assert dict(zip(table.skus, table.units[:, 1].tolist(), strict=True)) == by_hand
    assert table.units[:, 3].sum() == 0, "Saturday is closed"


def test_a_missing_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match=r"nowhere\.parquet cannot be read"):
        read_sales_log(tmp_path / "nowhere.parquet", "Europe/London")
