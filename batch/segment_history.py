"""The segment of every series of the panel in Spark: what champions are chosen by.

The same classes as `batch.forecaster.segmentation`, of which a test compares them; sums are decimal, so that
neither row order nor file splits move a series across a cut.
"""

import os
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from batch.forecaster.panel import FULL_DAY
from batch.forecaster.segmentation import ABC_SHARES, ADI_CUT, CV2_CUT, FILE, XYZ_CUTS

_KNOWN = """
SELECT sku, location, CAST(units AS DECIMAL(15, 4)) AS units, datediff(last_date, date) DIV 7 AS week, weeks,
       CAST(units * coalesce(price, 1.0) AS DECIMAL(20, 6)) AS value
FROM (
  SELECT sku, location, date, units, open, available,
         last(price, true) OVER (PARTITION BY sku, location ORDER BY date) AS price
  FROM {panel}
) CROSS JOIN (
  SELECT max(date) AS last_date, (datediff(max(date), min(date)) + 1) DIV 7 AS weeks FROM {panel}
)
WHERE open AND coalesce(available, 1.0) >= {full_day}
"""

_SALES = """
SELECT sku, location, sum(value) AS value, count(*) AS days, count_if(units > 0) AS sold,
       CAST(sum(units) FILTER (WHERE units > 0) AS DOUBLE) AS total,
       CAST(sum(units * units) FILTER (WHERE units > 0) AS DOUBLE) AS squares
FROM {known} GROUP BY sku, location
"""

_WEEKS = """
SELECT sku, location, count(*) AS weeks, CAST(sum(units) AS DOUBLE) AS total,
       CAST(sum(units * units) AS DOUBLE) AS squares
FROM (
  SELECT sku, location, CAST(sum(units) * 7 / count(*) AS DECIMAL(18, 6)) AS units
  FROM {known} WHERE week < weeks GROUP BY sku, location, week
) GROUP BY sku, location
"""

_SEGMENTS = """
SELECT sku, location, concat_ws('/', abc, xyz, kind) AS segment
FROM (
  SELECT sales.sku, sales.location,
    CASE WHEN value <= 0 THEN 'C' WHEN before < {a_share} * all_value THEN 'A'
         WHEN before < {b_share} * all_value THEN 'B' ELSE 'C' END AS abc,
    CASE WHEN variation <= {x_cut} THEN 'X' WHEN variation <= {y_cut} THEN 'Y' ELSE 'Z' END AS xyz,
    CASE WHEN sold = 0 THEN 'none'
         WHEN try_divide(days, sold) < {adi_cut} THEN if(cv2 < {cv2_cut}, 'smooth', 'erratic')
         ELSE if(cv2 < {cv2_cut}, 'intermittent', 'lumpy') END AS kind
  FROM (
    SELECT *, try_divide(squares * sold, total * total) - 1 AS cv2, sum(value) OVER () AS all_value,
           sum(value) OVER (ORDER BY value DESC, sku, location) - value AS before
    FROM {sales}
  ) AS sales
  LEFT JOIN (
    SELECT *, try_divide(sqrt(greatest(squares * weeks - total * total, 0)), total) AS variation
    FROM {weekly}
  ) AS weekly ON sales.sku = weekly.sku AND sales.location = weekly.location
)
ORDER BY sku, location
"""


def series_segments(spark: SparkSession, panel: DataFrame) -> pd.DataFrame:
    """Columns sku, location and segment, such as `A/X/smooth`; a series of which no day is known has none."""
    if "price" not in panel.columns:
        panel = panel.selectExpr("*", "CAST(NULL AS DOUBLE) AS price")
    known = spark.sql(_KNOWN, panel=panel, full_day=FULL_DAY).localCheckpoint()
    sales, weekly = (spark.sql(query, known=known) for query in (_SALES, _WEEKS))
    (a_share, b_share), (x_cut, y_cut) = ABC_SHARES, XYZ_CUTS
    made = spark.sql(
        _SEGMENTS,
        sales=sales,
        weekly=weekly,
        a_share=a_share,
        b_share=b_share,
        x_cut=x_cut,
        y_cut=y_cut,
        adi_cut=ADI_CUT,
        cv2_cut=CV2_CUT,
    )
    rows: pd.DataFrame = made.toPandas()
    return rows


def update_segments(spark: SparkSession, panel_dir: Path) -> dict[str, int]:
    """Writes the segments beside the current panel in one step; how many series each has."""
    rows = series_segments(spark, spark.read.parquet(str(panel_dir)))
    unfinished = panel_dir / f".{FILE}.{os.getpid()}"
    rows.to_parquet(unfinished, index=False)
    os.replace(unfinished, panel_dir / FILE)
    return rows["segment"].value_counts().sort_index().to_dict()
