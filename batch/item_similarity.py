"""Which items are alike: factors of Spark ALS on views and purchases, and what the catalogue says of them.

Implicit feedback (Hu, Koren & Volinsky 2008, Collaborative filtering for implicit feedback datasets): a
session, or a pseudonymous user where an event has one, that looked at an item or bought it. Without such
events, as after a bulk import, there are no factors, and items are alike by their attributes alone.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession

from batch.archive import read_events
from batch.forecaster.categories import write_categories
from batch.forecaster.cold_start_file import write_cold_start
from batch.forecaster.cold_start_fit import fit_cold_start
from batch.forecaster.items import (
    NO_ATTRIBUTE,
    Floats,
    ItemFactors,
    Items,
    fit_item_factors,
    no_factors,
)
from batch.forecaster.panel import read_panel
from infra.contracts.topics import CLICKSTREAM, ITEMS
from infra.errors import StockstreamError

RANK, ITERATIONS, REGULARISATION, ALPHA, SEED = 8, 10, 0.1, 10.0, 1
BLOCKS = 2
PURCHASE_WEIGHT = 4.0
"""Views that a purchase counts as."""
LEAST_VISITORS, LEAST_ITEMS = 50, 10
"""Fewer than these say too little for `RANK` factors."""

log = logging.getLogger(__name__)

_FEEDBACK = """
SELECT visitor, sku, sum(weight) AS weight
FROM (
  SELECT coalesce(fields.user_id, fields.session_id) AS visitor, sku,
         CASE WHEN event_type = 'purchase' THEN {purchase} ELSE 1.0 END AS weight
  FROM (
    SELECT sku, event_type, from_json(value, 'user_id STRING, session_id STRING') AS fields
    FROM {events} WHERE event_type IN ('view', 'purchase') AND sku IS NOT NULL
  )
)
WHERE visitor IS NOT NULL
GROUP BY visitor, sku
"""

_NUMBERED = """
SELECT dense_rank() OVER (ORDER BY visitor) AS visitor, dense_rank() OVER (ORDER BY sku) AS item, sku,
       CAST(weight AS FLOAT) AS weight
FROM {feedback}
"""

_ITEMS = """
SELECT sku, fields.category AS category, fields.supplier AS supplier,
       TRY_CAST(fields.price.amount AS DOUBLE) AS price,
       TRY_CAST(fields.unit_cost.amount AS DOUBLE) AS unit_cost
FROM (
  SELECT sku, location, event_time_ms, offset,
         from_json(value, 'category STRING, supplier STRING, price STRUCT<amount: STRING>,
                           unit_cost STRUCT<amount: STRING>') AS fields
  FROM {events} WHERE event_type = 'item' AND sku IS NOT NULL
)
QUALIFY row_number() OVER (PARTITION BY sku ORDER BY event_time_ms DESC, location, offset DESC) = 1
ORDER BY sku
"""


def update_cold_start(spark: SparkSession, events: Path, panel_dir: Path) -> str:
    """Writes the categories beside the current panel, and the cold start learned from it; says what from."""
    items = catalogue_items(spark, read_events(spark, events, ITEMS))
    write_categories(panel_dir, items)
    factors = item_factors(spark, read_events(spark, events, CLICKSTREAM), items)
    try:
        cold = fit_cold_start(read_panel(panel_dir), items, factors)
    except StockstreamError as error:
        return f"none: {error}"
    write_cold_start(panel_dir, cold)
    source = (
        f"{len(factors.sku)} items' views and purchases" if factors.sku else "attributes alone, no clicks"
    )
    return f"{len(cold.categories)} categories from {len(items.sku)} catalogue items; {source}"


def catalogue_items(spark: SparkSession, events: DataFrame) -> Items:
    """The latest attributes of each SKU, whatever the location."""
    rows = spark.sql(_ITEMS, events=events).toPandas()
    numbers = rows[["price", "unit_cost"]].to_numpy(dtype=np.float64)
    return Items(
        tuple(rows["sku"]),
        tuple(rows["category"].fillna(NO_ATTRIBUTE)),
        tuple(rows["supplier"].fillna(NO_ATTRIBUTE)),
        np.where(numbers > 0, numbers, np.nan),
    )


def item_factors(spark: SparkSession, clicks: DataFrame, items: Items) -> ItemFactors:
    """Factors of the items that enough sessions saw, and of the others by their attributes."""
    feedback = spark.sql(_FEEDBACK, events=clicks, purchase=PURCHASE_WEIGHT)
    numbered = spark.sql(_NUMBERED, feedback=feedback).localCheckpoint()
    visitors, known = numbered.selectExpr("count(DISTINCT visitor)", "count(DISTINCT item)").collect()[0]
    if visitors < LEAST_VISITORS or known < LEAST_ITEMS:
        log.info("%d visitors of %d items: items are alike by their attributes alone", visitors, known)
        return no_factors()
    sku, factors = als_factors(numbered)
    return fit_item_factors(items, sku, factors)


def als_factors(numbered: DataFrame) -> tuple[list[str], Floats]:
    """SKUs and their factors (skus, RANK), from rows of visitor, item, sku and weight."""
    als = ALS(
        rank=RANK,
        maxIter=ITERATIONS,
        regParam=REGULARISATION,
        alpha=ALPHA,
        implicitPrefs=True,
        userCol="visitor",
        itemCol="item",
        ratingCol="weight",
        seed=SEED,
        numUserBlocks=BLOCKS,
        numItemBlocks=BLOCKS,
    )
    names = numbered.select("item", "sku").distinct()
    table = als.fit(numbered).itemFactors.withColumnRenamed("id", "item").join(names, "item")
    rows: pd.DataFrame = table.select("sku", "features").toPandas().sort_values("sku")
    return rows["sku"].tolist(), np.array(rows["features"].tolist(), dtype=np.float64)
