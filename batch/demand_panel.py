"""The demand panel in Spark SQL: events and calendars in, one row per SKU, location and local day out.

Sums are decimal, so that neither row order nor file splits change a bit of the result.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession

from infra.contracts.shop import LocationCalendar

MIN_LINES_FOR_BULK = 100
"""A SKU with fewer purchase lines has no 99th percentile worth the name, so none of its lines is bulk."""

STOCKOUT_PROBABILITY = 1e-4
STOCKOUT_WINDOW_DAYS = 365
MIN_OPEN_DAYS_FOR_STOCKOUT = 28

PanelDay = tuple[str, date, bool, int, int]
"""A local day of a location: location, date, open, start_ms (inclusive), end_ms (exclusive)."""

DAY_COLUMNS = "location STRING, date DATE, open BOOLEAN, start_ms BIGINT, end_ms BIGINT"

PANEL_COLUMNS = (
    "sku", "location", "date", "units", "order_lines", "bulk_units", "returned_units", "revenue",
    "mean_price", "open", "available", "suspected_stockout",
)  # fmt: skip

_LINES = """
SELECT event_type, event_time_ms, sku, location, quantity, price, currency,
       event_type = 'heartbeat' OR (
         sku IS NOT NULL AND location IS NOT NULL AND event_time_ms IS NOT NULL
         AND quantity > 0 AND (event_type = 'return' OR price >= 0)
       ) IS TRUE AS usable
FROM (
  SELECT *, TRY_CAST(fields.quantity AS DECIMAL(13, 6)) AS quantity,
         TRY_CAST(fields.unit_price.amount AS DECIMAL(16, 4)) AS price, fields.unit_price.currency AS currency
  FROM (
    SELECT *, from_json(
             value, 'quantity DOUBLE, unit_price STRUCT<amount: STRING, currency: STRING>'
           ) AS fields
    FROM {events} WHERE event_type IN ('purchase', 'return', 'heartbeat')
  )
)
"""

_EXTENT = """
SELECT location, min(event_time_ms) FILTER (WHERE usable) AS first_ms,
       max(event_time_ms) FILTER (WHERE usable) AS last_ms,
       count_if(NOT usable) AS unusable, collect_set(currency) AS currencies
FROM {lines} GROUP BY location
"""

_DATED = """
SELECT lines.*, to_date(from_utc_timestamp(timestamp_millis(event_time_ms), time_zone)) AS date
FROM {lines} AS lines JOIN {zones} AS zones USING (location)
WHERE usable AND event_type <> 'heartbeat'
"""

_THRESHOLDS = """
SELECT sku, location, percentile(CAST(quantity AS DOUBLE), 0.99) AS threshold
FROM {lines} WHERE event_type = 'purchase' GROUP BY sku, location HAVING count(*) >= {minimum}
"""

_DAILY = """
SELECT sku, location, date,
       sum(quantity) FILTER (WHERE event_type = 'purchase') AS units,
       count_if(event_type = 'purchase') AS order_lines,
       count_if(event_type = 'return') AS return_lines,
       count_if(event_type = 'purchase' AND quantity > threshold) AS bulk_lines,
       sum(quantity) FILTER (WHERE event_type = 'purchase' AND quantity > threshold) AS bulk_units,
       sum(quantity) FILTER (WHERE event_type = 'return') AS returned_units,
       sum(quantity * price) FILTER (WHERE event_type = 'purchase') AS revenue
FROM {lines} LEFT JOIN {thresholds} USING (sku, location)
GROUP BY sku, location, date
"""

_FILLED = """
WITH launched AS (
  SELECT sku, location, min(date) AS first_date FROM {daily} WHERE order_lines > 0 GROUP BY sku, location
)
SELECT sku, location, date,
       CAST(coalesce(units, 0) AS DOUBLE) AS units,
       CAST(coalesce(order_lines, 0) AS INT) AS order_lines,
       CAST(coalesce(bulk_units, 0) AS DOUBLE) AS bulk_units,
       CAST(coalesce(returned_units, 0) AS DOUBLE) AS returned_units,
       CAST(coalesce(revenue, 0) AS DOUBLE) AS revenue,
       CAST(revenue / units AS DOUBLE) AS mean_price,
       days.open AS open, available
FROM launched JOIN {days} AS days USING (location)
LEFT JOIN {daily} USING (sku, location, date)
LEFT JOIN {available} USING (sku, location, date)
WHERE days.date >= first_date
"""

_STOCKOUTS = """
WITH marked AS (
  SELECT *, open AND units = 0 AS silent,
         count_if(units > 0) OVER so_far AS run,
         count_if(open) OVER so_far AS open_so_far,
         count_if(open AND units = 0) OVER so_far AS silent_so_far
  FROM {panel}
  WINDOW so_far AS (PARTITION BY sku, location ORDER BY date)
), before AS (
  SELECT *,
         lag(open_so_far, 1, 0L) OVER days - lag(open_so_far, {window} + 1, 0L) OVER days AS open_before,
         lag(silent_so_far, 1, 0L) OVER days - lag(silent_so_far, {window} + 1, 0L) OVER days AS silent_before
  FROM marked
  WINDOW days AS (PARTITION BY sku, location ORDER BY date)
), runs AS (
  SELECT *, count_if(silent) OVER whole AS length,
         first(CASE WHEN silent THEN open_before END) IGNORE NULLS OVER whole AS open_days,
         first(CASE WHEN silent THEN silent_before END) IGNORE NULLS OVER whole AS silent_days
  FROM before
  WINDOW whole AS (
    PARTITION BY sku, location, run ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  )
)
SELECT sku, location, date, units, order_lines, bulk_units, returned_units, revenue, mean_price, open,
       available,
       silent AND available IS NULL AND open_days >= {minimum}
         AND power((silent_days + 1) / (open_days + 2), length) < {probability} AS suspected_stockout
FROM runs
"""

_COUNTS = """
SELECT sum(order_lines) AS purchase_lines, sum(return_lines) AS return_lines, sum(bulk_lines) AS bulk_lines,
       sum(CASE WHEN first_date IS NULL OR date < first_date THEN return_lines ELSE 0 END)
         AS returns_before_first_sale,
       sum(CASE WHEN date > last_date THEN order_lines + return_lines ELSE 0 END) AS lines_of_unfinished_days
FROM (
  SELECT *, min(CASE WHEN order_lines > 0 THEN date END) OVER (PARTITION BY sku, location) AS first_date
  FROM {daily}
)
JOIN (SELECT location, max(date) AS last_date FROM {days} GROUP BY location) USING (location)
"""


def sale_lines(spark: SparkSession, events: DataFrame) -> DataFrame:
    """Purchases, returns and heartbeats, with decimal `quantity` and `price` and whether it is `usable`."""
    return spark.sql(_LINES, events=events)


def extent(spark: SparkSession, lines: DataFrame) -> DataFrame:
    """Per location (null: heartbeats) first_ms, last_ms, how many lines are unusable, and the currencies."""
    return spark.sql(_EXTENT, lines=lines)


def dated(spark: SparkSession, lines: DataFrame, zones: DataFrame) -> DataFrame:
    """Usable purchases and returns with their local `date`; `zones` holds location and time_zone."""
    return spark.sql(_DATED, lines=lines, zones=zones)


def bulk_thresholds(spark: SparkSession, lines: DataFrame) -> DataFrame:
    """99th percentile (linear interpolation) of the purchase line quantity per sku and location."""
    return spark.sql(_THRESHOLDS, lines=lines, minimum=MIN_LINES_FOR_BULK)


def daily_demand(spark: SparkSession, lines: DataFrame, thresholds: DataFrame) -> DataFrame:
    """Sums per sku, location and date with any line."""
    return spark.sql(_DAILY, lines=lines, thresholds=thresholds)


def fill_gaps(spark: SparkSession, daily: DataFrame, days: DataFrame, available: DataFrame) -> DataFrame:
    """One row per day of `days` (DAY_COLUMNS) from each SKU's first sale day on."""
    return spark.sql(_FILLED, daily=daily, days=days, available=available)


def mark_stockouts(spark: SparkSession, panel: DataFrame) -> DataFrame:
    """Adds `suspected_stockout` to a panel without gaps.

    A run of r open days without a sale, of unknown availability, is suspected where p0 ** r < 1e-4. The
    SKU's own share of such days is p0 = (z + 1) / (n + 2), with z of the n open days in the 365 days before
    the run; below 28 open days too little is known to suspect anything.

    Trailing counts are differences of running ones: Spark counts a sliding window anew for every row.
    """
    return spark.sql(
        _STOCKOUTS,
        panel=panel,
        window=STOCKOUT_WINDOW_DAYS,
        minimum=MIN_OPEN_DAYS_FOR_STOCKOUT,
        probability=STOCKOUT_PROBABILITY,
    )


def line_counts(spark: SparkSession, daily: DataFrame, days: DataFrame) -> dict[str, int]:
    """How many lines each rule touched."""
    counts: dict[str, int] = spark.sql(_COUNTS, daily=daily, days=days).collect()[0].asDict()
    return counts


def is_open(calendar: LocationCalendar, day: date) -> bool:
    """Whether a location sells on a local day."""
    if day.isoformat() in calendar.opened_dates:
        return True
    return day.weekday() not in calendar.closed_weekdays and day.isoformat() not in calendar.closed_dates


def panel_days(calendar: LocationCalendar, first: date, last: date) -> list[PanelDay]:
    """Every day of a location from first to last."""
    days = [first + timedelta(days=i) for i in range((last - first).days + 2)]
    starts = [_midnight_ms(day, calendar.time_zone) for day in days]
    return [
        (calendar.location, day, is_open(calendar, day), start, end)
        for day, start, end in zip(days, starts, starts[1:], strict=False)
    ]


def _midnight_ms(day: date, zone: str) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp() * 1000)
