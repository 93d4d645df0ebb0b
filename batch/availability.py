"""The share of each local day that a SKU was in stock, from stock levels, in Spark SQL."""

from pyspark.sql import DataFrame, SparkSession

_LEVELS = """
SELECT sku, location, event_time_ms, in_stock,
       lead(event_time_ms) OVER (
         PARTITION BY sku, location ORDER BY event_time_ms, topic, partition, offset
       ) AS until_ms
FROM (SELECT *, TRY_CAST(get_json_object(value, '$.on_hand') AS BIGINT) > 0 AS in_stock FROM {stock})
WHERE event_type IN ('level', 'snapshot') AND in_stock IS NOT NULL
  AND sku IS NOT NULL AND location IS NOT NULL AND event_time_ms IS NOT NULL
"""

_SPANS = """
SELECT sku, location, event_time_ms, in_stock, coalesce(until_ms, last_ms) AS until_ms
FROM {levels} JOIN (SELECT location, max(end_ms) AS last_ms FROM {days} GROUP BY location) USING (location)
WHERE event_time_ms < coalesce(until_ms, last_ms)
"""

_SHARES = """
WITH by_day AS (
  SELECT spans.*, explode(sequence(
           to_date(from_utc_timestamp(timestamp_millis(event_time_ms), time_zone)),
           to_date(from_utc_timestamp(timestamp_millis(until_ms - 1), time_zone))
         )) AS date
  FROM {spans} AS spans JOIN {zones} USING (location)
)
SELECT sku, location, date,
       CASE WHEN sum(least(until_ms, end_ms) - greatest(event_time_ms, start_ms)) = end_ms - start_ms
            THEN sum(CASE WHEN in_stock THEN least(until_ms, end_ms) - greatest(event_time_ms, start_ms)
                          ELSE 0 END) / (end_ms - start_ms)
       END AS available
FROM by_day JOIN {days} USING (location, date)
GROUP BY sku, location, date, start_ms, end_ms
"""


def daily_availability(spark: SparkSession, stock: DataFrame, days: DataFrame, zones: DataFrame) -> DataFrame:
    """Share of the day in stock, null where the stock of any part of the day is unknown.

    Args:
        spark: The session.
        stock: Events of the stock levels, with `batch.archive.EVENT_COLUMNS`.
        days: Columns location, date, open, start_ms, end_ms.
        zones: Columns location, time_zone.

    Returns:
        Columns sku, location, date, available in [0, 1].
    """
    return spark.sql(_SHARES, spans=stock_spans(spark, stock, days), days=days, zones=zones)


def stock_spans(spark: SparkSession, stock: DataFrame, days: DataFrame) -> DataFrame:
    """Columns sku, location, event_time_ms, until_ms (exclusive), in_stock: times of known stock.

    A level holds until the next one, the last until the last of the days ends; of two in one millisecond the
    later record holds.
    """
    return spark.sql(_SPANS, levels=spark.sql(_LEVELS, stock=stock), days=days)
