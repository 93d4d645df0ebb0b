"""The demand panel as arrays: one row per SKU and location, one column per day."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.errors import StockstreamError

FULL_DAY = 0.999
"""Share of a day in stock from which its demand counts as fully observed."""


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
    """

    series: tuple[tuple[str, str], ...]
    first_day: date
    units: Floats
    observed: Flags
    open: Flags
    location_open: Flags
    panel_hash: str

    def day(self, index: int) -> date:
        return self.first_day + timedelta(days=index)

    def index(self, day: date) -> int:
        return (day - self.first_day).days

    def window(self, last: int, days: int, horizon: int) -> DemandWindow:
        """What was known at the close of day `last` (a column), padded with unlaunched days in front.

        The open days of the horizon come from the panel's calendar: they are known ahead.
        """
        missing = max(0, days - last - 1)
        columns = slice(max(0, last + 1 - days), last + 1)
        front = ((0, 0), (missing, 0))
        return DemandWindow(
            last_day=self.day(last),
            units=np.pad(self.units[:, columns], front),
            observed=np.pad(self.observed[:, columns], front),
            open=np.pad(self.open[:, columns], front),
            future_open=self.location_open[:, last + 1 : last + 1 + horizon],
        )

    def actual(self, last: int, horizon: int) -> Floats:
        """(n, horizon) demand of the days after column `last`."""
        return self.units[:, last + 1 : last + 1 + horizon]

    def until(self, last: int) -> "DemandPanel":
        """The panel as it stood at the close of column `last`."""
        kept = slice(0, last + 1)
        return DemandPanel(
            self.series,
            self.first_day,
            self.units[:, kept],
            self.observed[:, kept],
            self.open[:, kept],
            self.location_open[:, kept],
            self.panel_hash,
        )


def read_panel(panel_dir: Path) -> DemandPanel:
    """Reads the panel that `stockstream history` wrote.

    Raises:
        StockstreamError: there is no panel, or it is empty.
    """
    manifest = _read_manifest(panel_dir)
    columns = ["sku", "location", "date", "units", "open", "available"]
    rows = pq.read_table(panel_dir, columns=columns).to_pandas()
    if rows.empty:
        raise StockstreamError(f"panel {panel_dir} has no rows: run `stockstream history` first")
    rows["date"] = pd.to_datetime(rows["date"])
    days = pd.date_range(rows["date"].min(), rows["date"].max())
    return _as_arrays(rows, days, str(manifest["panel_hash"]))


def _read_manifest(panel_dir: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((panel_dir / "_manifest.json").read_text())
    except FileNotFoundError:
        raise StockstreamError(f"no panel at {panel_dir}: run `stockstream history` first") from None
    return manifest


def _as_arrays(rows: pd.DataFrame, days: pd.DatetimeIndex, panel_hash: str) -> DemandPanel:
    rows = rows.assign(
        open=rows["open"].astype(float),
        observed=(rows["available"].astype(float).fillna(1.0) >= FULL_DAY).astype(float),
    )
    wide = {
        value: rows.pivot(index=["sku", "location"], columns="date", values=value).sort_index()
        for value in ("units", "open", "observed")
    }
    series = wide["units"].index
    units, open_days, observed = (
        np.nan_to_num(table.reindex(columns=days).to_numpy(dtype=np.float64)) for table in wide.values()
    )
    locations = np.array([location for _, location in series])
    location_open = np.zeros_like(open_days)
    for location in np.unique(locations):
        location_open[locations == location] = open_days[locations == location].max(axis=0)
    return DemandPanel(
        series=tuple((str(sku), str(location)) for sku, location in series),
        first_day=days[0].date(),
        units=units,
        observed=observed > 0,
        open=open_days > 0,
        location_open=location_open > 0,
        panel_hash=panel_hash,
    )
