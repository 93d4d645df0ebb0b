"""The feature rows: facts with their stock state, cumulated over local days.

Stock changes carry the state before them and a delta; customer events carry the state at their time. A day
that starts with a snapshot is known from its first millisecond, even if that is the key's first level.
`stock_state` puts the versions in order of event time: keeping the latest in order of arrival forgets every
change that another one overtook.
"""

from infra.contracts.features import FEATURES
from streaming.sources import CATALOGUE, CLICKS, STOCK, interval, milliseconds

_GOOD = "problem IS NULL AND late_ms IS NULL AND event_type <> 'heartbeat'"


def views() -> list[str]:
    """DDL of every view between the sources and the feature rows, in order."""
    return [_once(CLICKS.name), _once(STOCK.name), _EVENTS]


def _once(name: str) -> str:
    """Good events, each `event_id` once: the first to arrive; ordering by event time would drop late rows."""
    return f"""CREATE TEMPORARY VIEW {name}_once AS SELECT * FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY seen) AS arrival FROM {name} WHERE {_GOOD}
    ) WHERE arrival = 1"""


_EVENTS = f"""CREATE TEMPORARY VIEW events AS
    SELECT event_type, event_time_ms, CAST(NULL AS INT) AS level, CAST(NULL AS BOOLEAN) AS starts_day,
        CAST(NULL AS DOUBLE) AS threshold, sku, location, ts,
        session_id, quantity, unit_price, list_price, promotion_id
    FROM clicks_once
    UNION ALL
    SELECT 'stock', event_time_ms, CASE WHEN on_hand > 0 THEN 1 ELSE 0 END,
        CAST(CAST(ts AS DATE) AS TIMESTAMP_LTZ(3)) = ts, CAST(NULL AS DOUBLE), sku, location, ts,
        CAST(NULL AS STRING), CAST(NULL AS DECIMAL(13, 6)), CAST(NULL AS DECIMAL(16, 4)),
        CAST(NULL AS DECIMAL(16, 4)), CAST(NULL AS STRING)
    FROM stock_once
    UNION ALL
    SELECT 'item', event_time_ms, CAST(NULL AS INT), CAST(NULL AS BOOLEAN), bulk_threshold, sku, location, ts,
        CAST(NULL AS STRING), CAST(NULL AS DECIMAL(13, 6)), CAST(NULL AS DECIMAL(16, 4)),
        CAST(NULL AS DECIMAL(16, 4)), CAST(NULL AS STRING)
    FROM {CATALOGUE.name} WHERE {_GOOD}"""

FACTS = """SELECT * FROM stock_state(
    events => TABLE events PARTITION BY (sku, location), on_time => DESCRIPTOR(ts), uid => 'stock-state'
)"""
"""Query of the facts; `CREATE VIEW` cannot hold a call with named arguments."""


_INSTANT_OF_END = "CAST(window_end AS TIMESTAMP_LTZ(3))"


def feature_rows(step_seconds: int) -> str:
    """Query of the sink's columns: one row per key and step, cumulated over the key's local day.

    Where the clock skips an hour, the windows that would end in it are left out: they would repeat or
    contradict those that end after it. No window has 0 events: without this the planner would filter before
    the windows, and no longer slice them.
    """
    bounds = {
        "window_start_ms": milliseconds("CAST(window_start AS TIMESTAMP_LTZ(3))"),
        "window_end_ms": milliseconds(_INSTANT_OF_END),
    }
    values = ", ".join(f"CAST({_with_bounds(feature.sql, bounds)} AS DOUBLE)" for feature in FEATURES)
    return f"""SELECT sku || '|' || location, 1, sku, location,
        {bounds["window_start_ms"]}, {bounds["window_end_ms"]},
        window_end = window_start + INTERVAL '1' DAY,
        ROW({values})
    FROM TABLE(CUMULATE(TABLE facts, DESCRIPTOR(rowtime), {interval(step_seconds)}, INTERVAL '1' DAY))
    GROUP BY sku, location, window_start, window_end
    HAVING CAST({_INSTANT_OF_END} AS TIMESTAMP(3)) = window_end OR COUNT(*) = 0"""


def _with_bounds(sql: str, bounds: dict[str, str]) -> str:
    for name, expression in bounds.items():
        sql = sql.replace(name, expression)
    return sql
