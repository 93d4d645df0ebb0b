"""Any long-format panel of daily sales as arrays: one row per SKU and location, one column per day."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from batch.forecaster import panel_cells
from batch.forecaster.items import NO_ATTRIBUTE
from batch.forecaster.panel import FULL_DAY, DemandPanel, last_known, relative_price
from batch.forecaster.panel_table import PanelTable, read_table
from batch.forecaster.windows import Flags, Floats
from infra.errors import StockstreamError

MAX_DAYS = 36_525
BUSY_ROWS = 5
WEEK = 7
MAX_CELLS = 250_000_000

Ints = NDArray[np.int64]
MissingRows = Literal["auto", "zero", "unobserved"]


@dataclass(frozen=True)
class SalesPanel:
    """Daily sales of n series, and what was read.

    Attributes:
        demand: the series with their days; a day without a row is not observed unless it counts as zero.
        calendar_known: whether open days come from a column `open`, so that they are known ahead.
        price: (n, days) money per unit, NaN where unknown; None without the column.
        facts: the panel in numbers, for the report.
    """

    demand: DemandPanel
    calendar_known: bool
    price: Floats | None
    facts: dict[str, Any]

    @property
    def days(self) -> int:
        return int(self.demand.units.shape[1])

    @cached_property
    def category(self) -> Ints:
        """(n,) index of each series' category."""
        return np.unique(self.demand.category, return_inverse=True)[1]


def read_sales_panel(path: Path, missing_rows: MissingRows = "auto") -> SalesPanel:
    """Reads a panel; see `stockstream backtest --help` for its columns and for what a missing row means.

    Raises:
        StockstreamError: names the file, row, column and value that cannot be used, and what is accepted.
    """
    return _as_arrays(read_table(path), missing_rows)


@dataclass(frozen=True)
class _Grid:
    """Where each row of the table belongs: `cell` is its index in an array (n, days) laid out flat."""

    shape: tuple[int, int]
    cell: NDArray[np.int64]

    def spread(self, values: Floats, elsewhere: float = 0.0) -> Floats:
        whole = np.full(self.shape, elsewhere)
        whole.ravel()[self.cell] = values
        return whole


@dataclass(frozen=True)
class _Days:
    """What each day of each series is, (n, days); `treatment` is what a missing row counts as."""

    recorded: Flags
    location_open: Flags
    in_stock: Flags
    treatment: Literal["zero", "unobserved"]

    @property
    def launched(self) -> Flags:
        return np.maximum.accumulate(self.recorded, axis=1)

    @property
    def missing(self) -> Flags:
        return self.launched & self.location_open & ~self.recorded

    @property
    def observed(self) -> Flags:
        known = self.recorded | self.missing if self.treatment == "zero" else self.recorded
        return np.where(self.location_open, known & self.in_stock, self.launched)

    def facts(self) -> dict[str, Any]:
        return {
            "missing_rows": int(self.missing.sum()),
            "missing_rows_count_as": self.treatment,
            "out_of_stock_days": int((self.recorded & self.location_open & ~self.in_stock).sum()),
            "closed_days": int((self.launched & ~self.location_open).sum()),
        }


def _as_arrays(table: PanelTable, missing_rows: MissingRows) -> SalesPanel:
    accepted = "a number of units of at least 0; take returns off or leave them out"
    units = panel_cells.numbers(table, "units", accepted)
    if not (units > 0).any():
        raise StockstreamError(f"units are 0 in all {table.rows:,} rows: there is no demand to forecast")
    day = panel_cells.days(table)
    skus, sku = panel_cells.names(table, "sku")
    locations, location = panel_cells.names(table, "location")
    keys, row = np.unique(sku * len(locations) + location, return_inverse=True)
    series = tuple((skus[key // len(locations)], locations[key % len(locations)]) for key in keys.tolist())
    grid = _grid(table, len(keys), row, day)
    recorded = grid.spread(np.ones(len(units))) > 0
    days = _Days(
        recorded,
        _open_days(table, grid, recorded, keys % len(locations), int(day.min() + 3) % WEEK),
        grid.spread(_in_stock(table, len(units)), 1.0) >= FULL_DAY,
        _treatment(missing_rows, units),
    )
    price = _prices(table, grid, "price")
    demand = DemandPanel(
        series=series,
        first_day=date(1970, 1, 1) + timedelta(days=int(day.min())),
        units=grid.spread(units),
        observed=days.observed,
        open=days.launched & days.location_open,
        location_open=days.location_open,
        panel_hash="",
        category=_category(table, row, len(keys)),
        **_known_ahead(table, grid, price),
    )
    return SalesPanel(
        demand=replace(demand, panel_hash=_digest(demand)),
        calendar_known="open" in table.columns,
        price=price,
        facts={**_facts(table, demand), **days.facts()},
    )


def _facts(table: PanelTable, demand: DemandPanel) -> dict[str, Any]:
    known = demand.observed & demand.open
    return {
        "files": [file.name for file, _ in table.parts],
        "columns": list(table.columns),
        "ignored_columns": list(table.ignored),
        "rows": table.rows,
        "series": len(demand.series),
        "locations": len({location for _, location in demand.series}),
        "first_day": demand.first_day.isoformat(),
        "last_day": demand.day(demand.units.shape[1] - 1).isoformat(),
        "share_of_zero_days": float(np.mean(demand.units[known] == 0)) if known.any() else None,
    }


def _digest(demand: DemandPanel) -> str:
    whole = hashlib.sha256(repr((demand.series, demand.first_day)).encode())
    arrays = (
        demand.units,
        demand.observed,
        demand.open,
        demand.location_open,
        demand.price,
        demand.promotion,
    )
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def _grid(table: PanelTable, series: int, row: NDArray[np.intp], day: NDArray[np.int64]) -> _Grid:
    first, last = day.min(), day.max()
    days = int(last - first) + 1
    if days > MAX_DAYS or series * days > MAX_CELLS:
        ends = np.array([first, last]).astype("datetime64[D]")
        raise StockstreamError(
            f"column 'date' runs from {ends[0]} to {ends[1]} for {series:,} series: accepted are at most"
            f" {MAX_DAYS:,} days and {MAX_CELLS:,} days of all series"
        )
    cell = row.ravel() * days + (day - first)
    seen = np.bincount(cell, minlength=series * days)
    if seen.max() > 1:
        raise _duplicate(table, cell, seen)
    return _Grid((series, days), cell)


def _duplicate(table: PanelTable, cell: NDArray[np.int64], seen: NDArray[np.intp]) -> StockstreamError:
    repeated = np.flatnonzero(seen[cell] > 1)
    one, other = np.flatnonzero(cell == cell[repeated[0]])[:2]
    key = [
        str(table.columns[name].values[int(table.columns[name].codes[one])].as_py())
        for name in ("sku", "location", "date")
    ]
    return StockstreamError(
        f"{table.place(int(other))} repeats {table.place(int(one))}: sku {key[0]!r}, location {key[1]!r},"
        f" date {key[2]} ({len(repeated):,} rows share their key with another): accepted is one row per sku,"
        " location and day; sum or remove the others"
    )


def _open_days(table: PanelTable, grid: _Grid, recorded: Flags, at: Ints, first_weekday: int) -> Flags:
    """(n, days) whether the series' location sold.

    A day on which no series of the location has a row is closed if the location has five rows or more on its
    other days, or never a row on that weekday; else it is a day whose row is missing. The column `open`
    decides for days with rows.
    """
    rows = np.zeros((at.max() + 1, grid.shape[1]))
    np.add.at(rows, at, recorded.astype(np.float64))
    weekday = (first_weekday + np.arange(grid.shape[1])) % WEEK
    sells = np.stack([rows[:, weekday == day].any(axis=1) for day in range(WEEK)], axis=1)[:, weekday]
    busy = rows.sum(axis=1) >= BUSY_ROWS * (rows > 0).sum(axis=1)
    opened = (rows > 0) | (sells & ~busy[:, None])
    if "open" in table.columns:
        accepted = "true or false; empty stands for true"
        flags = grid.spread(panel_cells.numbers(table, "open", accepted, 1.0, empty=1.0, words=True))
        some_open = np.zeros_like(opened)
        np.logical_or.at(some_open, at, flags > 0)
        opened &= some_open | (rows == 0)
    spread: Flags = opened[at]
    return spread


def _treatment(missing_rows: MissingRows, units: Floats) -> Literal["zero", "unobserved"]:
    """A file that has rows with 0 units records days without a sale, so that a missing row is no such day."""
    if missing_rows == "auto":
        return "unobserved" if (units == 0).any() else "zero"
    return missing_rows


def _in_stock(table: PanelTable, rows: int) -> Floats:
    if "available" not in table.columns:
        return np.ones(rows)
    accepted = "the share of the day in stock, 0 to 1, or true or false; empty stands for all day"
    return panel_cells.numbers(table, "available", accepted, 1.0, empty=1.0, words=True)


def _prices(table: PanelTable, grid: _Grid, name: str) -> Floats | None:
    if name not in table.columns:
        return None
    return grid.spread(
        panel_cells.numbers(table, name, "a number of at least 0, or empty", empty=np.nan), np.nan
    )


def _known_ahead(table: PanelTable, grid: _Grid, price: Floats | None) -> dict[str, Floats]:
    """Price, in money and in multiples of the list price where there is one, else of the usual; promotion."""
    found = {} if price is None else {"unit_price": last_known(price)}
    list_price = _prices(table, grid, "list_price")
    if price is not None and list_price is not None:
        listed = (price >= 0) & (list_price > 0)
        found["price"] = np.divide(price, list_price, out=np.ones(grid.shape), where=listed)
    elif price is not None:
        found["price"] = relative_price(price)
    if "promotion" in table.columns:
        accepted = "true or false, or a share from 0 to 1; empty stands for none"
        promotion = panel_cells.numbers(table, "promotion", accepted, 1.0, empty=0.0, words=True)
        found["promotion"] = grid.spread(promotion)
    return found


def _category(table: PanelTable, row: NDArray[np.intp], series: int) -> tuple[str, ...]:
    if "category" not in table.columns:
        return (NO_ATTRIBUTE,) * series
    names, index = panel_cells.names(table, "category", empty=NO_ATTRIBUTE)
    found = np.zeros(series, dtype=np.int64)
    found[row.ravel()] = index
    return tuple(names[place] for place in found.tolist())
