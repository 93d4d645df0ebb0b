"""The shipped sales sample: real lines of a real shop, read by the rules of its import mapping."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from infra.contracts.identity import digest
from infra.errors import StockstreamError

SAMPLE_DIR = Path(__file__).parents[2] / "infra" / "local" / "online_retail"
SKU_PATTERN = r"^\d{5}[A-Za-z]{0,2}$"
LINE_SPACING_MS = 10
"""Lines of one SKU in one minute (the sample's resolution) are this far apart."""


@dataclass(frozen=True)
class SaleLine:
    """One invoice line; a return has a positive quantity too."""

    line_id: str
    sku: str
    time_ms: int
    quantity: int
    unit_price: Decimal
    is_return: bool
    session_id: str
    user_id: str | None


@dataclass(frozen=True)
class DailyUnits:
    """Units (skus, days)."""

    skus: list[str]
    days: list[date]
    units: NDArray[np.float64]


@dataclass(frozen=True)
class SalesLog:
    """Every line of the sample that is demand or a return, with its local day."""

    lines: pd.DataFrame
    time_zone: str

    @property
    def last_day(self) -> date:
        last: date = self.lines["day"].max()
        return last

    def sales_before(self, day: date) -> pd.DataFrame:
        """Sales, without returns, of the days before `day`."""
        return self.lines[(self.lines["day"] < day) & ~self.lines["is_return"]]

    def daily_units(self, first: date, last: date) -> "DailyUnits":
        """Units sold of every SKU on every day of `first`..`last`, gaps as zeros."""
        sold = self.lines[self.lines["day"].between(first, last) & ~self.lines["is_return"]]
        units = sold.pivot_table(index="sku", columns="day", values="quantity", aggfunc="sum")
        skus = sorted(self.lines["sku"].unique())
        days = days_between(first, last)
        return DailyUnits(
            skus, days, units.reindex(index=skus, columns=days).fillna(0.0).to_numpy(np.float64)
        )

    def lines_of(self, day: date) -> list[SaleLine]:
        """The day's lines in time order."""
        rows = self._by_day[day].to_dict("records") if day in self._by_day else []
        return [_sale_line({str(name): value for name, value in row.items()}) for row in rows]

    @cached_property
    def _by_day(self) -> dict[date, pd.DataFrame]:
        return {
            day: rows.drop(columns="day") for day, rows in self.lines.groupby("day") if isinstance(day, date)
        }


def days_between(first: date, last: date) -> list[date]:
    """Every day of `first`..`last`, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def read_sales_log(path: Path, time_zone: str) -> SalesLog:
    """Reads the sample: no exact duplicates, write-offs or free lines; `C` invoices are returns.

    Raises:
        StockstreamError: the file cannot be read.
    """
    try:
        raw = pd.read_parquet(path).drop_duplicates()
    except (OSError, ValueError) as error:
        raise StockstreamError(f"sales sample {path} cannot be read: {error}") from None
    is_return = raw["Invoice"].str.startswith("C")
    kept = raw[
        raw["StockCode"].str.match(SKU_PATTERN) & (is_return | (raw["Quantity"] > 0)) & (raw["Price"] > 0)
    ]
    return SalesLog(
        _as_lines(kept.sort_values(["InvoiceDate", "Invoice", "StockCode"], kind="stable"), time_zone),
        time_zone,
    )


def _as_lines(rows: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    minutes = rows["InvoiceDate"].dt.tz_localize(time_zone).dt.tz_convert("UTC")
    same_minute = rows.groupby(["StockCode", "InvoiceDate"]).cumcount()
    same_invoice = rows.groupby(["Invoice", "StockCode"]).cumcount().astype(str)
    pseudonyms = {
        number: "u-" + digest([int(number)])[:12] for number in rows["Customer ID"].dropna().unique()
    }
    lines = pd.DataFrame(
        {
            "line_id": "line-" + rows["Invoice"] + "-" + rows["StockCode"] + "-" + same_invoice,
            "sku": rows["StockCode"],
            "time_ms": minutes.astype("int64") // 1_000_000 + LINE_SPACING_MS * same_minute,
            "day": rows["InvoiceDate"].dt.date,
            "quantity": rows["Quantity"].abs(),
            "unit_price": rows["Price"],
            "is_return": rows["Invoice"].str.startswith("C"),
            "session_id": "invoice-" + rows["Invoice"],
            "user_id": rows["Customer ID"].map(pseudonyms).replace({np.nan: None}),
        }
    )
    return lines.sort_values(["time_ms", "sku"], kind="stable", ignore_index=True)


def _sale_line(row: dict[str, Any]) -> SaleLine:
    return SaleLine(**row | {"unit_price": Decimal(f"{row['unit_price']:.4f}").normalize()})
