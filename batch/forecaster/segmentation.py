"""Segments of series by volume (ABC), regularity (XYZ) and kind of demand (Syntetos-Boylan).

Kinds of demand: Syntetos, Boylan and Croston 2005, On the categorization of demand patterns, JORS 56(5): mean
interval between demands (ADI) cut at 1.32, squared coefficient of variation of their sizes at 0.49.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch.forecaster.panel import DemandPanel
from batch.forecaster.windows import Flags, Floats

ADI_CUT, CV2_CUT = 1.32, 0.49
ABC_SHARES = (0.80, 0.95)
XYZ_CUTS = (0.5, 1.0)
WEEK = 7

NEW = "new"
"""The segment of a series of which no day is known."""

FILE = "_segments.parquet"
"""Beside the panel: sku, location, segment (`batch.segment_history`)."""

Names = NDArray[np.str_]


def demand_classes(units: Floats, known: Flags) -> Names:
    """(n,) smooth, erratic, intermittent, lumpy, or `none` where nothing was sold on the known days.

    >>> daily = np.array([[3.0, 3, 4, 3], [9, 1, 12, 1], [0, 0, 4, 4], [0, 0, 1, 9]])
    >>> demand_classes(daily, daily >= 0).tolist()
    ['smooth', 'erratic', 'intermittent', 'lumpy']
    """
    sold = known & (units > 0)
    count = np.maximum(sold.sum(axis=1), 1)
    mean = np.where(sold, units, 0.0).sum(axis=1) / count
    variance = np.where(sold, (units - mean[:, None]) ** 2, 0.0).sum(axis=1) / count
    often = known.sum(axis=1) / count < ADI_CUT
    even = variance < CV2_CUT * mean**2
    even |= variance == 0
    names = np.where(often, np.where(even, "smooth", "erratic"), np.where(even, "intermittent", "lumpy"))
    return np.where(sold.any(axis=1), names, "none")


def abc_classes(value: Floats) -> Names:
    """(n,) A for the largest series that make up 80 % of the value, B up to 95 %, C for the rest.

    >>> abc_classes(np.array([4.0, 90, 6, 0])).tolist()
    ['C', 'A', 'B', 'C']
    """
    order = np.argsort(-value, kind="stable")
    before = np.cumsum(value[order]) - value[order]
    total = max(float(value.sum()), 1e-12)
    names = np.empty(len(value), dtype="<U1")
    names[order] = np.array(["A", "B", "C"])[np.searchsorted(ABC_SHARES, before / total, side="right")]
    return np.where(value > 0, names, "C")


def xyz_classes(units: Floats, known: Flags) -> Names:
    """(n,) X, Y or Z: coefficient of variation of weekly demand up to 0.5, up to 1, above.

    A week's demand is that of its known days, scaled up to seven; weeks without a known day do not count.
    """
    weeks = units.shape[1] // WEEK
    shape = (len(units), weeks, WEEK)
    recent = slice(units.shape[1] - weeks * WEEK, None)
    days = known[:, recent].reshape(shape).sum(axis=2)
    total = np.where(known, units, 0.0)[:, recent].reshape(shape).sum(axis=2) * WEEK / np.maximum(days, 1)
    counted = days > 0
    count = np.maximum(counted.sum(axis=1), 1)
    mean = np.where(counted, total, 0.0).sum(axis=1) / count
    spread = np.sqrt(np.where(counted, (total - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
    variation = np.divide(spread, mean, out=np.full(mean.shape, np.inf), where=mean > 0)
    return np.array(["X", "Y", "Z"])[np.searchsorted(XYZ_CUTS, variation, side="left")]


def segments(units: Floats, known: Flags, value: Floats) -> Names:
    """(n,) such as `A/X/smooth`."""
    parts = abc_classes(value), xyz_classes(units, known), demand_classes(units, known)
    return np.array(["/".join(names) for names in zip(*parts, strict=True)])


def panel_segments(panel: DemandPanel) -> Names:
    """(n,) the segment of every series of a panel; value is in money where prices are known."""
    known = panel.observed & panel.open
    price = np.nan_to_num(panel.unit_price, nan=1.0)
    value = np.where(known, panel.units * price, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), segments(panel.units, known, value), NEW)


def read_segments(panel_dir: Path) -> dict[tuple[str, str], str]:
    """The segment of each (sku, location) by the panel's last day; empty for a panel without them."""
    path = panel_dir / FILE
    if not path.exists():
        return {}
    rows = pd.read_parquet(path, partitioning=None)
    return {(sku, location): segment for sku, location, segment in rows.itertuples(index=False)}
