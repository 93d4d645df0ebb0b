"""Prices and promotions of past days, from the catalogue's plans and from promotions that customers met."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from batch.forecaster.price_plan import days_as_known
from infra.contracts.codec import decode
from infra.contracts.features import FEATURES
from infra.contracts.topics import PROMOTIONS

PRICE_COLUMNS = ("price", "promotion", "planned_promotion")
"""Columns of a panel in which anything is known of prices or promotions: see `batch.forecaster.panel`."""

_PLANNED = "sku STRING, location STRING, date DATE, price DOUBLE, planned_promotion DOUBLE"
_PROMOTION_ON = next(feature.sql for feature in FEATURES if feature.name == "promotion_on")

_MET = f"""
SELECT sku, location, date, CAST({_PROMOTION_ON} AS DOUBLE) AS promotion_on
FROM (
  SELECT sku, location, event_type, promotion_id,
         to_date(from_utc_timestamp(timestamp_millis(event_time_ms), time_zone)) AS date
  FROM (SELECT *, get_json_object(value, '$.promotion_id') AS promotion_id FROM {{clicks}})
  JOIN {{zones}} USING (location)
  WHERE promotion_id IS NOT NULL
)
GROUP BY sku, location, date
"""

_PRICED = """
SELECT panel.*, price, greatest(coalesce(planned_promotion, 0), coalesce(promotion_on, 0)) AS promotion,
       coalesce(planned_promotion, CAST(0 AS DOUBLE)) AS planned_promotion
FROM {panel} AS panel LEFT JOIN {planned} USING (sku, location, date)
LEFT JOIN {met} USING (sku, location, date)
"""


def with_prices(
    spark: SparkSession,
    panel: DataFrame,
    plans: DataFrame,
    clicks: DataFrame,
    days: DataFrame,
    zones: DataFrame,
) -> DataFrame:
    """The panel with `PRICE_COLUMNS`, or as it is where nothing is known of prices or promotions.

    Args:
        spark: The session.
        panel: One row per sku, location and date.
        plans: Events of the promotions, with `batch.archive.EVENT_COLUMNS`.
        clicks: Events of the clickstream, likewise.
        days: Columns location, date, open, start_ms, end_ms, without gaps.
        zones: Columns location, time_zone.
    """
    plans = plans.where("event_type IN ('price_plan', 'promotion')")
    met = spark.sql(_MET, clicks=clicks, zones=zones).where("promotion_on > 0").localCheckpoint()
    if plans.isEmpty() and met.isEmpty():
        return panel
    return spark.sql(_PRICED, panel=panel, planned=_planned(plans, days), met=met)


def _planned(plans: DataFrame, days: DataFrame) -> DataFrame:
    grouped = days.toPandas().sort_values("date").groupby("location")
    by_location = {str(location): of_location for location, of_location in grouped}
    return plans.groupBy("sku", "location").applyInPandas(_planned_days(by_location), _PLANNED)


def _planned_days(days: dict[str, pd.DataFrame]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What is known of one SKU's days, from the records of its plans; days of no plan are left out."""

    def planned(records: pd.DataFrame) -> pd.DataFrame:
        """Days of one SKU at one location, as columns of `_PLANNED`."""
        sku, location = records["sku"].iloc[0], records["location"].iloc[0]
        of_location = days.get(location)
        if of_location is None:
            return pd.DataFrame(columns=["sku", "location", "date", "price", "planned_promotion"])
        ordered = records.sort_values(["event_time_ms", "offset"])
        versions = [
            (int(known_ms), decode(PROMOTIONS, str(value).encode()))
            for known_ms, value in zip(ordered["event_time_ms"], ordered["value"], strict=True)
        ]
        bounds = np.append(of_location["start_ms"], of_location["end_ms"].iloc[-1])
        found = days_as_known(versions, bounds)
        rows = {"date": of_location["date"], "price": found.price, "planned_promotion": found.promotion}
        made = pd.DataFrame({"sku": sku, "location": location} | rows)
        return made[~np.isnan(found.price) | (found.promotion > 0)]

    return planned
