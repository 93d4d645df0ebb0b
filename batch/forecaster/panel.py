"""The demand panel as arrays: one row per SKU and location, one column per day."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch.forecaster.windows import NEUTRAL, DemandWindow, Flags, Floats, fill_neutral
from infra.errors import StockstreamError

FULL_DAY = 0.999
"""Share of a day in stock from which its demand counts as fully observed."""

USUAL_PRICE_DAYS = 56
_ARRAYS = ("units", "observed", "open", "location_open", "price", "promotion")


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

    def __post_init__(self) -> None:
        fill_neutral(self, {"price": self.units.shape, "promotion": self.units.shape})

    def day(self, index: int) -> date:
        return self.first_day + timedelta(days=index)

    def index(self, day: date) -> int:
        return (day - self.first_day).days

    def window(self, last: int, days: int, horizon: int) -> DemandWindow:
        """What was known at the close of day `last` (a column), padded with unlaunched days in front.

        Open days, prices and promotions of the horizon come from the panel: they are known ahead.
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
            future_promotion=self.promotion[:, ahead],
        )

    def actual(self, last: int, horizon: int) -> Floats:
        """(n, horizon) demand of the days after column `last`."""
        return self.units[:, last + 1 : last + 1 + horizon]

    def rows(self, rows: slice) -> "DemandPanel":
        """The panel of some of its series."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, series=self.series[rows], **arrays)

    def picked(self, rows: NDArray[np.intp]) -> "DemandPanel":
        """The panel of the series in these rows, in their order."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, series=tuple(self.series[row] for row in rows), **arrays)

    def until(self, last: int) -> "DemandPanel":
        """The panel as it stood at the close of column `last`."""
        return replace(self, **{name: getattr(self, name)[:, : last + 1] for name in _ARRAYS})


def relative_price(price: Floats) -> Floats:
    """Prices (n, days) in multiples of the median of the last 56 days, today included.

    A day without a price (NaN) has the price of the day before; 1 before the first.
    """
    known = pd.DataFrame(price.T).ffill()
    usual = known.rolling(USUAL_PRICE_DAYS, min_periods=1).median()
    ratio: Floats = (known / usual).fillna(NEUTRAL["price"]).to_numpy().T
    return ratio


def read_panel(panel_dir: Path) -> DemandPanel:
    """Reads the panel that `stockstream history` wrote, with `price` and `promotion` where it has them.

    Raises:
        StockstreamError: there is no panel, or it is empty.
    """
    manifest = _read_manifest(panel_dir)
    rows = pd.read_parquet(panel_dir)
    if rows.empty:
        raise StockstreamError(f"panel {panel_dir} has no rows: run `stockstream history` first")
    rows["date"] = pd.to_datetime(rows["date"])
    return panel_of_rows(rows, str(manifest["panel_hash"]))


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
            stock, missing: all of it), price (in any currency, NaN: unknown) and promotion (0 to 1).
        panel_hash: content hash of the rows.
    """
    days = pd.date_range(rows["date"].min(), rows["date"].max())
    table = rows.set_index(["sku", "location", "date"]).sort_index()
    available = table["available"] if "available" in table else pd.Series(1.0, table.index)
    observed = available.astype(float).fillna(1.0) >= FULL_DAY
    units = _wide(table["units"], days)
    open_days = np.nan_to_num(_wide(table["open"], days))
    series = table["units"].unstack("date").index
    covariates = {}
    if "price" in table:
        covariates["price"] = relative_price(_wide(table["price"], days))
    if "promotion" in table:
        covariates["promotion"] = np.nan_to_num(_wide(table["promotion"], days))
    return DemandPanel(
        series=tuple((str(sku), str(location)) for sku, location in series),
        first_day=days[0].date(),
        units=np.nan_to_num(units),
        observed=np.nan_to_num(_wide(observed, days)) > 0,
        open=open_days > 0,
        location_open=_location_open(open_days, [location for _, location in series]) > 0,
        panel_hash=panel_hash,
        **covariates,
    )


def _wide(column: "pd.Series[Any]", days: pd.DatetimeIndex) -> Floats:
    """(series, days), NaN where there is no row."""
    wide: Floats = column.astype(float).unstack("date").reindex(columns=days).to_numpy(dtype=np.float64)
    return wide


def _location_open(open_days: Floats, locations: list[str]) -> Floats:
    names = np.array(locations)
    opened = np.zeros_like(open_days)
    for location in np.unique(names):
        opened[names == location] = open_days[names == location].max(axis=0)
    return opened
