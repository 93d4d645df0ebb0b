"""The demand panel as arrays: one row per SKU and location, one column per day."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow import parquet

from batch.forecaster.categories import read_categories
from batch.forecaster.items import NO_ATTRIBUTE
from batch.forecaster.windows import NEUTRAL, DemandWindow, Flags, Floats, fill_neutral
from infra.errors import StockstreamError

FULL_DAY = 0.999
"""Share of a day in stock from which its demand counts as fully observed."""

USUAL_PRICE_DAYS = 56
_COLUMNS = (
    "sku", "location", "date", "units", "open", "available", "price", "promotion", "planned_promotion",
)  # fmt: skip
_ARRAYS = (
    "units", "observed", "open", "location_open", "price", "promotion", "planned_promotion", "unit_price",
)  # fmt: skip


@dataclass(frozen=True)
class DemandPanel:
    """Daily demand of n series; `series` holds (sku, location), ordered.

    Attributes:
        first_day: the local day of column 0.
        units: (n, days) demand in base units.
        observed: (n, days) false where a stock-out may have cut demand off, and before the launch.
        open: (n, days) whether the location sold; false before the launch.
        location_open: (n, days) the location's open days, before the launch too.
        panel_hash: content hash of the Parquet files, from their manifest.
        price: (n, days) price in multiples of the series' usual price (see `relative_price`); 1 if left out.
        promotion: (n, days) from 0, none, to 1, on all day; 0 if left out.
        planned_promotion: (n, days) the part of it that was known ahead; all of it if left out.
        unit_price: (n, days) what `price` is a multiple of the usual of; NaN where unknown or left out.
        category: each series', `none` where it has none; `none` for all if left out.
    """

    series: tuple[tuple[str, str], ...]
    first_day: date
    units: Floats
    observed: Flags
    open: Flags
    location_open: Flags
    panel_hash: str
    price: Floats = None  # type: ignore[assignment]  # filled in below, so that readers need no check
    promotion: Floats = None  # type: ignore[assignment]
    planned_promotion: Floats = None  # type: ignore[assignment]
    unit_price: Floats = None  # type: ignore[assignment]
    category: tuple[str, ...] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        fill_neutral(self, {"price": self.units.shape, "promotion": self.units.shape})
        if self.planned_promotion is None:
            object.__setattr__(self, "planned_promotion", self.promotion)
        if self.unit_price is None:
            object.__setattr__(self, "unit_price", np.broadcast_to(np.nan, self.units.shape))
        if self.category is None:
            object.__setattr__(self, "category", (NO_ATTRIBUTE,) * len(self.series))

    def day(self, index: int) -> date:
        return self.first_day + timedelta(days=index)

    def index(self, day: date) -> int:
        return (day - self.first_day).days

    def window(self, last: int, days: int, horizon: int) -> DemandWindow:
        """What was known at the close of day `last` (a column), padded with unlaunched days in front.

        Open days, prices and planned promotions of the horizon come from the panel: they are known ahead.
        """
        missing = max(0, days - last - 1)
        columns = slice(max(0, last + 1 - days), last + 1)
        front = ((0, 0), (missing, 0))
        ahead = slice(last + 1, last + 1 + horizon)
        return DemandWindow(
            last_day=self.day(last),
            units=np.pad(self.units[:, columns], front),
            observed=np.pad(self.observed[:, columns], front),
            open=np.pad(self.open[:, columns], front),
            future_open=self.location_open[:, ahead],
            price=np.pad(self.price[:, columns], front, constant_values=NEUTRAL["price"]),
            promotion=np.pad(self.promotion[:, columns], front),
            future_price=self.price[:, ahead],
            future_promotion=self.planned_promotion[:, ahead],
        )

    @property
    def counts(self) -> bool:
        """Whether all demand is whole units."""
        return bool((self.units == np.round(self.units)).all())

    def actual(self, last: int, horizon: int) -> Floats:
        """(n, horizon) demand of the days after column `last`."""
        return self.units[:, last + 1 : last + 1 + horizon]

    def rows(self, rows: slice | NDArray[np.intp]) -> "DemandPanel":
        """The panel of some of its series."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        places = np.arange(len(self.series))[rows].tolist()
        names: dict[str, Any] = {
            name: tuple(getattr(self, name)[place] for place in places) for name in ("series", "category")
        }
        return replace(self, **names, **arrays)

    def sample(self, most: int) -> "DemandPanel":
        """All series, or where there are more than `most`, at most as many, evenly spaced."""
        return self.rows(thinned(len(self.series), most))

    def until(self, last: int) -> "DemandPanel":
        """The panel as it stood at the close of column `last`."""
        return replace(self, **{name: getattr(self, name)[:, : last + 1] for name in _ARRAYS})


def thinned(count: int, most: int) -> slice:
    """Which of `count` rows to take for at most `most` of them, evenly spaced."""
    return slice(None, None, max(1, -(-count // most)))


def relative_price(price: Floats) -> Floats:
    """Prices (n, days) in multiples of the median of the last 56 days, today included.

    A day without a price (NaN) has the price of the day before; 1 before the first.
    """
    known = pd.DataFrame(last_known(price).T)
    usual = known.rolling(USUAL_PRICE_DAYS, min_periods=1).median()
    ratio: Floats = (known / usual).fillna(NEUTRAL["price"]).to_numpy().T
    return ratio


def latest_relative_price(price: Floats) -> float:
    """What `relative_price` gives for the last of 56 days (days,), none of them unknown after a known one."""
    known = price[~np.isnan(price)]
    return float(known[-1] / np.median(known)) if known.size else NEUTRAL["price"]


def last_known(price: Floats) -> Floats:
    """(n, days) each price, or where it is NaN that of the day before; NaN before the first."""
    filled: Floats = pd.DataFrame(price.T).ffill().to_numpy().T
    return filled


def read_panel(panel_dir: Path) -> DemandPanel:
    """Reads the panel that `stockstream history` wrote, with prices, promotions and categories if any.

    Raises:
        StockstreamError: there is no panel, or it is empty.
    """
    manifest = _read_manifest(panel_dir)
    # Names as dictionaries: as one object a row they are most of the memory of a large panel.
    table = parquet.read_table(panel_dir, read_dictionary=["sku", "location"])
    if table.num_rows == 0:
        raise StockstreamError(f"panel {panel_dir} has no rows: run `stockstream history` first")
    rows = table.select([name for name in _COLUMNS if name in table.column_names]).to_pandas()
    rows["date"] = pd.to_datetime(rows["date"])
    panel, categories = panel_of_rows(rows, str(manifest["panel_hash"])), read_categories(panel_dir)
    return replace(panel, category=tuple(categories.get(sku, NO_ATTRIBUTE) for sku, _ in panel.series))


def _read_manifest(panel_dir: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((panel_dir / "_manifest.json").read_text())
    except FileNotFoundError:
        raise StockstreamError(f"no panel at {panel_dir}: run `stockstream history` first") from None
    return manifest


def panel_of_rows(rows: pd.DataFrame, panel_hash: str) -> DemandPanel:
    """The panel of a long table: one row per sku, location and day.

    Args:
        rows: columns sku, location, date (datetime64), units, open; optional available (share of the day in
            stock, missing: all of it), price (in any currency, NaN: unknown), promotion (0 to 1) and
            planned_promotion (the part of it that was known ahead).
        panel_hash: content hash of the rows.
    """
    days = pd.date_range(rows["date"].min(), rows["date"].max())
    cells = _Cells(rows, days)
    open_days = np.nan_to_num(cells.wide(rows["open"]))
    available = rows["available"] if "available" in rows else pd.Series(1.0, rows.index)
    observed = available.astype(float).fillna(1.0) >= FULL_DAY
    covariates: dict[str, Any] = {}
    if "price" in rows:
        covariates["unit_price"] = last_known(cells.wide(rows["price"]))
        covariates["price"] = relative_price(covariates["unit_price"])
    for name in {"promotion", "planned_promotion"} & set(rows):
        covariates[name] = np.nan_to_num(cells.wide(rows[name]))
    return DemandPanel(
        series=cells.series,
        first_day=days[0].date(),
        units=np.nan_to_num(cells.wide(rows["units"])),
        observed=np.nan_to_num(cells.wide(observed)) > 0,
        open=open_days > 0,
        location_open=_location_open(open_days, [location for _, location in cells.series]) > 0,
        panel_hash=panel_hash,
        **covariates,
    )


class _Cells:
    """Where each row of a long table stands in arrays (series, days); series are sorted."""

    def __init__(self, rows: pd.DataFrame, days: pd.DatetimeIndex) -> None:
        sku, location = (_sorted_categories(rows[name]) for name in ("sku", "location"))
        places = len(location.categories)
        keys, self._row = np.unique(sku.codes * np.int64(places) + location.codes, return_inverse=True)
        self.series = tuple(
            (sku.categories[key // places], location.categories[key % places]) for key in keys
        )
        self._column = (rows["date"] - days[0]).dt.days.to_numpy()
        self._shape = (len(keys), len(days))
        count = np.bincount(self._row * len(days) + self._column)
        if (count > 1).any():
            row, column = divmod(int(np.argmax(count > 1)), len(days))
            raise StockstreamError(
                f"panel has {count.max()} rows of {self.series[row]} on {days[column].date()}"
            )

    def wide(self, column: "pd.Series[Any]") -> Floats:
        """(series, days), NaN where there is no row."""
        values = np.full(self._shape, np.nan)
        values[self._row, self._column] = column
        return values


def _sorted_categories(column: "pd.Series[Any]") -> pd.Categorical:
    names = column.astype("category").cat.rename_categories(str)
    return pd.Categorical(names.cat.reorder_categories(sorted(names.cat.categories)))


def _location_open(open_days: Floats, locations: list[str]) -> Floats:
    names = np.array(locations)
    opened = np.zeros_like(open_days)
    for location in np.unique(names):
        opened[names == location] = open_days[names == location].max(axis=0)
    return opened
