"""The demand features of archived events: the same declarations as the stream's, computed by Spark.

`infra.contracts.features` says what the columns mean.
"""

from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from batch.archive import read_events
from infra.contracts.features import FEATURES
from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS

_EVENTS = """
SELECT 'click' AS kind, sku, location, event_time_ms, offset, event_type,
       get_json_object(value, '$.session_id') AS session_id,
       CAST(get_json_object(value, '$.quantity') AS DECIMAL(13, 6)) AS quantity,
       CAST(get_json_object(value, '$.unit_price.amount') AS DECIMAL(16, 4)) AS unit_price,
       CAST(get_json_object(value, '$.list_price.amount') AS DECIMAL(16, 4)) AS list_price,
       get_json_object(value, '$.promotion_id') AS promotion_id,
       CAST(NULL AS INT) AS now_in, CAST(NULL AS STRUCT<bulk_threshold: DOUBLE>) AS item
FROM {clicks} WHERE {late_count} OR NOT late
UNION ALL
SELECT 'stock', sku, location, event_time_ms, offset, 'stock', NULL, NULL, NULL, NULL, NULL,
       IF(CAST(get_json_object(value, '$.on_hand') AS BIGINT) > 0, 1, 0), NULL
FROM {stock} WHERE {late_count} OR NOT late
UNION ALL
SELECT 'item', sku, location, event_time_ms, offset, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       named_struct('bulk_threshold', CAST(get_json_object(value, '$.bulk_threshold') AS DOUBLE))
FROM {items}
"""

_STATES = """
SELECT *, unix_millis(to_utc_timestamp(day, {zone})) AS window_start_ms,
       unix_millis(to_utc_timestamp(date_add(day, 1), {zone})) AS window_end_ms
FROM (
  SELECT *, to_date(from_utc_timestamp(timestamp_millis(event_time_ms), {zone})) AS day,
         last_value(now_in) IGNORE NULLS OVER so_far AS state_at,
         last_value(item) IGNORE NULLS OVER so_far AS item_at,
         lag(now_in) OVER of_kind AS state_before,
         lag(event_time_ms) OVER of_kind AS previous_ms
  FROM {events}
  WINDOW so_far AS (PARTITION BY sku, location ORDER BY event_time_ms, kind = 'click', offset
                    ROWS UNBOUNDED PRECEDING),
         of_kind AS (PARTITION BY sku, location, kind ORDER BY event_time_ms, offset)
)
"""

_FACTS = """
SELECT sku, location, window_start_ms, window_end_ms, event_type, event_time_ms, session_id, quantity,
       unit_price, list_price, promotion_id, item_at.bulk_threshold AS bulk_threshold,
       state_at AS in_stock, 0 AS stock_change, CAST(NULL AS BIGINT) AS carry
FROM {states} WHERE kind = 'click'
UNION ALL
SELECT sku, location, window_start_ms, window_end_ms, event_type, event_time_ms, NULL, NULL,
       NULL, NULL, NULL, NULL,
       before, now_in - before, IF(previous_ms <=> event_time_ms, NULL, event_time_ms * 2 + before)
FROM (
  SELECT *, coalesce(state_before, IF(event_time_ms = window_start_ms, now_in, NULL)) AS before
  FROM {states} WHERE kind = 'stock'
)
"""

_VALUES = ", ".join(f"CAST({feature.sql} AS DOUBLE) AS {feature.name}" for feature in FEATURES)
_ROWS = f"""
SELECT sku, location, window_start_ms, window_end_ms, {_VALUES}
FROM {{facts}} GROUP BY sku, location, window_start_ms, window_end_ms
"""


def feature_rows(spark: SparkSession, events: Path, zone: str, late_count: bool = False) -> DataFrame:
    """One row per SKU, location and local day with events or stock changes.

    Args:
        spark: the session.
        events: folder of `batch.archive.update_events`.
        zone: time zone of the local days.
        late_count: whether late events count, which corrects what the stream published without them.

    Returns:
        Columns sku, location, window_start_ms, window_end_ms and one double per feature.
    """
    topics = {"clicks": CLICKSTREAM, "stock": STOCK_LEVELS, "items": ITEMS}
    read: dict[str, Any] = {name: read_events(spark, events, topic) for name, topic in topics.items()}
    states = spark.sql(_STATES, events=spark.sql(_EVENTS, **read, late_count=late_count), zone=zone)
    return spark.sql(_ROWS, facts=spark.sql(_FACTS, states=states))
