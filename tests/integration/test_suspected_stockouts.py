"""The rule of suspected stock-outs as Spark applies it, against the rule read day by day."""

import numpy as np
import pandas as pd

from batch.demand_panel import mark_stockouts
from batch.forecaster.windows import Flags, Floats
from batch.spark_session import spark_session

TYPES = {"sku": "STRING", "location": "STRING", "date": "DATE", "open": "BOOLEAN", "order_lines": "INT"}


def test_a_run_is_judged_by_the_open_days_of_the_365_days_before_it() -> None:
    rng = np.random.default_rng(8)
    units = rng.poisson(np.repeat([0.05, 3.0, 0.3], 300)).astype(np.float64)
    units[420:435] = units[650:662] = units[780:800] = 0.0
    is_open = rng.random(900) < 0.9
    panel = sold(units, is_open)
    schema = ", ".join(f"{name} {TYPES.get(str(name), 'DOUBLE')}" for name in panel)
    with spark_session("test suspected stock-outs") as spark:
        marked = mark_stockouts(spark, spark.createDataFrame(panel, schema)).toPandas().sort_values("date")
    assert marked["suspected_stockout"].tolist() == suspected(units, is_open)
    assert 30 < marked["suspected_stockout"].sum() < 200


def sold(units: Floats, is_open: Flags) -> pd.DataFrame:
    """A SKU's days in the columns of the panel, of unknown availability."""
    nothing = dict.fromkeys(("bulk_units", "returned_units", "revenue", "mean_price"), 0.0)
    days = pd.date_range("2024-01-01", periods=len(units)).date
    known = {"sku": "A", "location": "L", "date": days, "units": units, "order_lines": 0, "open": is_open}
    return pd.DataFrame(known | nothing).assign(available=None)


def suspected(units: Floats, is_open: Flags) -> list[bool]:
    """The rule, run by run: the next sale ends a run, a closed day between does not."""
    silent = is_open & (units == 0)
    found = [False] * len(units)
    for days in np.split(np.arange(len(units)), np.flatnonzero(units > 0)):
        run = days[silent[days]]
        if not len(run):
            continue
        year = slice(max(0, run[0] - 365), run[0])
        share = (silent[year].sum() + 1) / (is_open[year].sum() + 2)
        for day in run:
            found[day] = bool(is_open[year].sum() >= 28 and share ** len(run) < 1e-4)
    return found
