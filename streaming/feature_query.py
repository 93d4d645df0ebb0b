"""The feature rows: facts with their stock state, cumulated over local days.

Stock changes carry the state before them and a delta; customer events carry the state at their time. A day
that starts with a snapshot is known from its first millisecond, even if that is the key's first level. The
versions that events look up come from the changes because those are in order of event time: keeping the
latest of rows in order of arrival forgets every change that another one overtook.
"""

from infra.contracts.features import FEATURES
from streaming.contract_sql import interval
from streaming.sources import CATALOGUE, CLICKS, STOCK, milliseconds

_GOOD = "problem IS NULL AND late_ms IS NULL AND event_type <> 'heartbeat'"


def views() -> list[str]:
    """DDL of every view between the sources and the feature rows, in order."""
    return [
        _once(CLICKS.name),
        _once(STOCK.name),
        _STOCK_CHANGE,
        _latest("stock_version", "stock_change", "now_in"),
        _latest("catalogue_version", f"(SELECT * FROM {CATALOGUE.name} WHERE {_GOOD})", "bulk_threshold"),
        _FACTS,
    ]


def _once(name: str) -> str:
    """Good events, each `event_id` once: the first to arrive; ordering by event time would drop late rows."""
    return f"""CREATE TEMPORARY VIEW {name}_once AS SELECT * FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY seen) AS arrival FROM {name} WHERE {_GOOD}
    ) WHERE arrival = 1"""


def _latest(view: str, table: str, column: str) -> str:
    """The value of each key, versioned by event time."""
    return f"""CREATE TEMPORARY VIEW {view} AS SELECT sku, location, {column}, ts FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY sku, location ORDER BY ts DESC) AS age FROM {table}
    ) WHERE age = 1"""


# LAG looks back over a range, so that changes of one millisecond would all see the last but one of them.
_STOCK_CHANGE = """CREATE TEMPORARY VIEW stock_change AS SELECT
        sku, location, ts, event_time_ms, now_in,
        CASE WHEN looked_at = 2 THEN earlier_in
             WHEN CAST(CAST(ts AS DATE) AS TIMESTAMP_LTZ(3)) = ts THEN now_in END AS before_in,
        looked_at = 1 OR earlier_ms <> event_time_ms AS first_of_millisecond
    FROM (
        SELECT sku, location, ts, event_time_ms, now_in,
            FIRST_VALUE(now_in) OVER step AS earlier_in, FIRST_VALUE(event_time_ms) OVER step AS earlier_ms,
            COUNT(*) OVER step AS looked_at
        FROM (SELECT *, CASE WHEN on_hand > 0 THEN 1 ELSE 0 END AS now_in FROM stock_once)
        WINDOW step AS (PARTITION BY sku, location ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )"""

_FACTS = """CREATE TEMPORARY VIEW facts AS
    SELECT c.sku, c.location, c.ts, c.event_type, c.event_time_ms, c.session_id, c.quantity, c.unit_price,
        c.list_price, c.promotion_id, i.bulk_threshold,
        s.now_in AS in_stock, 0 AS stock_change, CAST(NULL AS BIGINT) AS carry
    FROM clicks_once AS c
    LEFT JOIN stock_version FOR SYSTEM_TIME AS OF c.ts AS s ON c.sku = s.sku AND c.location = s.location
    LEFT JOIN catalogue_version FOR SYSTEM_TIME AS OF c.ts AS i ON c.sku = i.sku AND c.location = i.location
    UNION ALL
    SELECT sku, location, ts, 'stock', event_time_ms, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(13, 6)),
        CAST(NULL AS DECIMAL(16, 4)), CAST(NULL AS DECIMAL(16, 4)), CAST(NULL AS STRING),
        CAST(NULL AS DOUBLE), before_in, now_in - before_in,
        CASE WHEN first_of_millisecond THEN event_time_ms * 2 + before_in END
    FROM stock_change"""


def feature_rows(step_minutes: int) -> str:
    """Query of the sink's columns: one row per key and step, cumulated over the key's local day."""
    bounds = {
        f"{bound}_ms": milliseconds(f"CAST({bound} AS TIMESTAMP_LTZ(3))")
        for bound in ("window_start", "window_end")
    }
    values = ", ".join(f"CAST({_with_bounds(feature.sql, bounds)} AS DOUBLE)" for feature in FEATURES)
    return f"""SELECT sku || '|' || location, 1, sku, location,
        {bounds["window_start_ms"]}, {bounds["window_end_ms"]},
        window_end = window_start + INTERVAL '1' DAY,
        ROW({values})
    FROM TABLE(CUMULATE(TABLE facts, DESCRIPTOR(ts), {interval(step_minutes * 60)}, INTERVAL '1' DAY))
    GROUP BY sku, location, window_start, window_end"""


def _with_bounds(sql: str, bounds: dict[str, str]) -> str:
    for name, expression in bounds.items():
        sql = sql.replace(name, expression)
    return sql
