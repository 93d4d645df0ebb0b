"""FreshRetailNet as arrays: hourly sales and stock-outs of every series, real data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow.parquet as pq

from batch.stockout_day import Floats, Ints

SAMPLE = Path(__file__).parent / "freshretailnet" / "freshretailnet_10stores.parquet"
_COLUMNS = ["store_id", "product_id", "dt", "stockout_hours_6_22", "hours_sale"]


@dataclass(frozen=True)
class FreshRetail:
    """Series with the same days.

    Attributes:
        names: store/product.
        first_day: days since 1970-01-01.
        sales: shape (series, days, 24).
        stockout_hours: hours out of stock from 6 to 21, shape (series, days).
    """

    names: list[str]
    first_day: int
    sales: Floats
    stockout_hours: Ints

    def of(self, wanted: list[int]) -> Self:
        names = [self.names[at] for at in wanted]
        return type(self)(names, self.first_day, self.sales[wanted], self.stockout_hours[wanted])


def read_fresh_retail(path: Path) -> FreshRetail:
    table = pq.read_table(path, columns=_COLUMNS).sort_by([(name, "ascending") for name in _COLUMNS[:3]])
    dates = table["dt"].to_numpy().astype("datetime64[D]").astype(np.int64)
    shape = (-1, int(dates.max() - dates.min()) + 1)
    days = dates.reshape(shape)
    if (days != days[0]).any():
        raise ValueError(f"{path}: not every series has every day")
    keys = zip(
        table["store_id"].to_numpy()[:: shape[1]], table["product_id"].to_numpy()[:: shape[1]], strict=True
    )
    return FreshRetail(
        [f"{store}/{product}" for store, product in keys],
        int(dates.min()),
        table["hours_sale"].combine_chunks().flatten().to_numpy().astype(float).reshape(*shape, 24),
        table["stockout_hours_6_22"].to_numpy().astype(np.int64).reshape(shape),
    )
