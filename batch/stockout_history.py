"""The archive's stock-outs beside the panel: what was sold, looked at and probably wanted meanwhile.

`_latent_demand.parquet` in the panel's folder is no part of the panel: its readers skip names that begin
with `_`. It has one row per SKU, location and open day whose stock is known all day.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from batch.latent_demand import RecordedDays, estimate_demand

FILE = "_latent_demand.parquet"
_KEY = ["sku", "location", "date"]

_HOURS = """
WITH out_spans AS (
  SELECT sku, location, time_zone, event_time_ms, until_ms FROM {spans} JOIN {zones} USING (location)
  WHERE NOT in_stock
), facts AS (
  SELECT sku, location, date, from_utc_timestamp(timestamp_millis(event_time_ms), time_zone) AS time,
         quantity AS units, false AS out, 0 AS views
  FROM {sales} JOIN {zones} USING (location) WHERE event_type = 'purchase'
  UNION ALL
  SELECT sku, location, to_date(time), time, 0, true, 0
  FROM (
    SELECT *, explode(sequence(
             date_trunc('HOUR', from_utc_timestamp(timestamp_millis(event_time_ms), time_zone)),
             date_trunc('HOUR', from_utc_timestamp(timestamp_millis(until_ms - 1), time_zone)),
             INTERVAL '1' HOUR
           )) AS time
    FROM out_spans
  )
  UNION ALL
  SELECT sku, location, to_date(time), time, 0, false, 1
  FROM (
    SELECT clicks.sku, clicks.location,
           from_utc_timestamp(timestamp_millis(clicks.event_time_ms), time_zone) AS time
    FROM {clicks} AS clicks JOIN out_spans
      ON clicks.sku = out_spans.sku AND clicks.location = out_spans.location
      AND clicks.event_time_ms >= out_spans.event_time_ms AND clicks.event_time_ms < until_ms
    WHERE event_type = 'view'
  )
)
SELECT sku, location, date, panel.units AS units, available, coalesce(hour(time), 0) AS hour,
       CAST(coalesce(sum(facts.units), 0) AS DOUBLE) AS sold, coalesce(max(out), false) AS out,
       coalesce(sum(views), 0) AS views
FROM {panel} AS panel LEFT JOIN facts USING (sku, location, date)
WHERE open AND available IS NOT NULL
GROUP BY sku, location, date, panel.units, available, hour(time)
"""


def stocked_hours(
    spark: SparkSession,
    panel: DataFrame,
    sales: DataFrame,
    clicks: DataFrame,
    spans: DataFrame,
    zones: DataFrame,
) -> DataFrame:
    """What `latent_demand` takes: open days of known stock by local hour; an hour is `out` if any of it was.

    Args:
        spark: The session.
        panel: The panel.
        sales: Sale lines of `batch.demand_panel.dated`.
        clicks: Events of the clickstream.
        spans: Times of known stock of `batch.availability.stock_spans`.
        zones: Columns location, time_zone.
    """
    return spark.sql(_HOURS, panel=panel, sales=sales, clicks=clicks, spans=spans, zones=zones)


def write_latent_demand(hours: pd.DataFrame, folder: Path) -> dict[str, int]:
    """Writes the days of `latent_demand` into the panel's folder; returns how many had a stock-out."""
    days = latent_demand(hours)
    days.to_parquet(folder / FILE, index=False)
    return {"days_with_stockout": int(days["censored"].sum())}


def latent_demand(hours: pd.DataFrame) -> pd.DataFrame:
    """Days in the order of sku, location and date: units, available, views_while_out, demand and censored.

    `units` is what the panel records, `demand` the estimate, equal to it where `censored` is false.

    Args:
        hours: Columns sku, location, date, hour, sold, out, views, and of the day units and available.
    """
    whole = hours.groupby(_KEY, as_index=False).agg(
        units=("units", "first"), available=("available", "first"), views_while_out=("views", "sum")
    )
    row = hours.groupby(_KEY).ngroup().to_numpy()
    sales, out = np.zeros((len(whole), 24)), np.zeros((len(whole), 24), dtype=bool)
    sales[row, hours["hour"]], out[row, hours["hour"]] = hours["sold"], hours["out"]
    series = whole.groupby(["sku", "location"]).ngroup().to_numpy()
    day = pd.to_datetime(whole["date"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    days = RecordedDays(series, day, sales, out)
    demand = np.where(days.censored, np.maximum(estimate_demand(days), whole["units"]), whole["units"])
    return whole.assign(demand=demand, censored=days.censored)
