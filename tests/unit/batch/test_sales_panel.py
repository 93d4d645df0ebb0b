from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from batch.forecaster.sales_panel import SalesPanel, read_sales_panel
from infra.errors import StockstreamError

FIRST = date(2024, 1, 1)


def rows(days: int = 21, skus: tuple[str, ...] = ("a", "b"), **columns: object) -> pd.DataFrame:
    table = pd.DataFrame(
        [(sku, "shop", FIRST + timedelta(days=day)) for sku in skus for day in range(days)],
        columns=["sku", "location", "date"],
    )
    return table.assign(units=np.arange(len(table)) % 5, **columns)


def read_csv(folder: Path, table: pd.DataFrame) -> SalesPanel:
    table.to_csv(folder / "panel.csv", index=False)
    return read_sales_panel(folder / "panel.csv")


def refusal(folder: Path, table: pd.DataFrame) -> str:
    with pytest.raises(StockstreamError) as error:
        read_csv(folder, table)
    return str(error.value)


def test_csv_and_parquet_file_and_folder_read_alike(tmp_path: Path) -> None:
    table = rows(price=2.5, promotion=True, available=0.5)
    table.to_parquet(tmp_path / "panel.parquet")
    folder = tmp_path / "parts"
    folder.mkdir()
    table.iloc[30:].to_csv(folder / "1.csv", index=False)
    table.iloc[:30].to_csv(folder / "2.csv", index=False)
    panels = [
        read_csv(tmp_path, table),
        read_sales_panel(tmp_path / "panel.parquet"),
        read_sales_panel(folder),
    ]
    assert len({panel.demand.panel_hash for panel in panels}) == 1
    assert panels[0].demand.series == (("a", "shop"), ("b", "shop"))
    assert_array_equal(panels[0].demand.units.ravel(), table["units"])


def test_a_series_has_the_category_of_its_rows_or_none(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows().assign(category=lambda table: table["sku"].map({"a": "food:fruit"})))
    assert panel.demand.category == ("food:fruit", "none")
    assert panel.category.tolist() == [0, 1]
    assert read_csv(tmp_path, rows()).demand.category == ("none", "none")


def test_a_sku_of_digits_keeps_its_leading_zeros(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows(skus=("007", "7")))
    assert [sku for sku, _ in panel.demand.series] == ["007", "7"]


@pytest.mark.parametrize(
    ("column", "value", "parts"),
    [
        ("units", "n/a", ["panel.csv, row 4", "column 'units'", "'n/a'", "a number of units"]),
        ("units", "-2", ["panel.csv, row 4", "'-2'", "at least 0"]),
        ("units", "", ["panel.csv, row 4", "is empty"]),
        ("units", "inf", ["panel.csv, row 4", "'inf'"]),
        ("date", "31.12.2024", ["panel.csv, row 4", "column 'date'", "'31.12.2024'", "2024-03-31"]),
        ("date", "2024-01-04 13:00", ["'2024-01-04 13:00'", "sum times to days first"]),
        ("sku", "", ["panel.csv, row 4", "column 'sku'", "is empty", "a name"]),
        ("available", "1.2", ["column 'available'", "'1.2'", "0 to 1"]),
        ("price", "-1", ["column 'price'", "'-1'"]),
        ("promotion", "maybe", ["column 'promotion'", "'maybe'", "true or false"]),
        ("open", "2", ["column 'open'", "'2'"]),
    ],
)
def test_a_bad_cell_is_named_with_its_row_and_what_is_accepted(
    tmp_path: Path, column: str, value: str, parts: list[str]
) -> None:
    table = rows(available=1.0, price=3.0, promotion=0, open=1).astype(object)
    table.loc[3, column] = value
    message = refusal(tmp_path, table)
    assert [part for part in parts if part not in message] == []


def test_how_many_cells_are_bad_is_said_once(tmp_path: Path) -> None:
    table = rows().astype(object)
    table.loc[[5, 9, 12], "units"] = "many"
    assert "row 6: column 'units' is 'many' (3 such rows)" in refusal(tmp_path, table)


def test_a_repeated_key_is_named_with_both_rows(tmp_path: Path) -> None:
    table = pd.concat([rows(), rows().iloc[[2]]])
    message = refusal(tmp_path, table)
    assert "row 43 repeats panel.csv, row 3: sku 'a', location 'shop', date 2024-01-03" in message


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, rows().drop(columns="location"))
    assert "no column 'location'; it has sku, date, units" in message


def test_a_panel_that_never_sold_is_refused(tmp_path: Path) -> None:
    assert "units are 0 in all 42 rows" in refusal(tmp_path, rows().assign(units=0))


def test_a_header_alone_is_no_panel(tmp_path: Path) -> None:
    assert "has no rows" in refusal(tmp_path, rows().iloc[:0])


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("panel.csv", "panel.parquet"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StockstreamError, match="panel"):
            read_sales_panel(tmp_path / name)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match="does not exist"):
        read_sales_panel(tmp_path / "nowhere")
    with pytest.raises(StockstreamError, match=r"end in \.parquet or \.csv"):
        read_sales_panel(tmp_path)


def test_a_mistyped_year_is_refused_instead_of_filling_memory(tmp_path: Path) -> None:
    table = rows().astype({"date": str})
    table.loc[0, "date"] = "0204-01-01"
    assert "column 'date'" in refusal(tmp_path, table)


def test_a_local_midnight_with_a_zone_is_its_own_day(tmp_path: Path) -> None:
    plain = read_csv(tmp_path, rows())
    zoned = rows()
    zoned["date"] = pd.to_datetime(zoned["date"]).dt.tz_localize("Europe/Berlin")
    zoned.to_parquet(tmp_path / "zoned.parquet")
    text = rows().assign(date=lambda table: table["date"].astype(str) + "T00:00:00+02:00")
    assert read_sales_panel(tmp_path / "zoned.parquet").demand.panel_hash == plain.demand.panel_hash
    assert read_csv(tmp_path, text).demand.panel_hash == plain.demand.panel_hash


def test_a_time_of_day_in_parquet_is_refused(tmp_path: Path) -> None:
    table = rows()
    table["date"] = pd.to_datetime(table["date"]) + pd.Timedelta(hours=3)
    table.to_parquet(tmp_path / "hours.parquet")
    with pytest.raises(StockstreamError, match=r"hours\.parquet, row 1: column 'date'"):
        read_sales_panel(tmp_path / "hours.parquet")


def test_where_zeros_are_recorded_a_missing_row_is_not_observed(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows().drop(index=[7, 30]))
    assert panel.facts["missing_rows"] == 2
    assert panel.facts["missing_rows_count_as"] == "unobserved"
    assert not panel.demand.observed[0, 7]
    assert panel.demand.open[0, 7]


def test_where_only_sales_are_recorded_a_missing_row_is_a_day_without_a_sale(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows().query("units > 0"))
    assert panel.facts["missing_rows_count_as"] == "zero"
    assert panel.facts["missing_rows"] == 9 - 1  # of nine zeros, one comes before its series' first sale
    assert panel.demand.observed[0, 5]
    assert panel.demand.units[0, 5] == 0


def test_what_a_missing_row_is_can_be_said(tmp_path: Path) -> None:
    rows().drop(index=[7]).to_csv(tmp_path / "panel.csv", index=False)
    panel = read_sales_panel(tmp_path / "panel.csv", "zero")
    assert panel.demand.observed[0, 7]


def test_a_day_without_any_row_at_a_busy_location_is_closed(tmp_path: Path) -> None:
    table = rows(skus=tuple("abcdefgh"))
    holiday = FIRST + timedelta(days=9)
    panel = read_csv(tmp_path, table[table["date"] != holiday])
    assert not panel.demand.location_open[:, 9].any()
    assert panel.facts["missing_rows"] == 0


def test_a_weekday_without_any_row_is_closed(tmp_path: Path) -> None:
    table = rows(skus=("only",))
    panel = read_csv(tmp_path, table[[day.weekday() != 6 for day in table["date"]]])
    assert panel.demand.location_open[0].tolist() == [day % 7 != 6 for day in range(20)]


def test_a_closed_day_hides_no_demand(tmp_path: Path) -> None:
    table = rows(skus=("only",), open=True)
    table.loc[4, ["open", "units"]] = [False, 0]
    panel = read_csv(tmp_path, table)
    assert panel.demand.observed.all()
    assert not panel.demand.open[0, 4]


def test_sales_of_a_day_partly_out_of_stock_are_not_demand(tmp_path: Path) -> None:
    table = rows(available=1.0)
    table.loc[4, "available"] = 0.6
    panel = read_csv(tmp_path, table)
    assert np.flatnonzero(~panel.demand.observed).tolist() == [4]
    assert panel.facts["out_of_stock_days"] == 1


def test_before_its_first_row_a_series_is_neither_open_nor_observed(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows().drop(index=range(21, 30)))
    assert not panel.demand.open[1, :9].any()
    assert not panel.demand.observed[1, :9].any()
    assert panel.demand.location_open[1, :9].all()


def test_price_is_measured_by_the_list_price(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows(price=4.0, list_price=5.0))
    assert_array_equal(panel.demand.price, 0.8)


def test_a_single_row_is_a_panel_of_one_day(tmp_path: Path) -> None:
    panel = read_csv(tmp_path, rows(days=1, skus=("a",)).assign(units=3))
    assert panel.days == 1


def test_other_columns_are_named_as_ignored(tmp_path: Path) -> None:
    assert read_csv(tmp_path, rows(colour="red")).facts["ignored_columns"] == ["colour"]
