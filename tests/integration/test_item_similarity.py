"""Item factors and segments on a real Spark: shoppers of two tastes, items nobody has seen, any panel."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from batch.archive import EVENT_COLUMNS
from batch.forecaster.items import NUMBERS, Items
from batch.forecaster.panel import panel_of_rows
from batch.forecaster.segmentation import NEW, panel_segments
from batch.item_similarity import RANK, catalogue_items, item_factors
from batch.segment_history import series_segments
from batch.spark_session import spark_session

TASTES = ("tea", "tools")
PER_TASTE, SESSIONS = 12, 160
FIRST_DAY = date(2011, 1, 3)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with spark_session("test item similarity") as session:
        yield session


def sku(taste: str, number: int) -> str:
    return f"{taste}-{number:02}"


def row(number: int, event_type: str, name: str, **fields: Any) -> tuple[Any, ...]:
    shared = {"event_id": f"e{number}", "event_type": event_type, "event_time_ms": number, "sku": name}
    value = json.dumps({**shared, "location": "gb-main", **fields})
    return ("topic", "0", number, False, value, f"e{number}", event_type, number, name, "gb-main")


def clicks(spark: SparkSession, sessions: int) -> DataFrame:
    """Every session looks at six items of its taste, and buys one of them."""
    rng = np.random.default_rng(1)
    rows: list[tuple[Any, ...]] = []
    for session in range(sessions):
        taste = TASTES[session % 2]
        seen = rng.choice(PER_TASTE, 6, replace=False).tolist()
        for kind, number in [("view", number) for number in seen] + [("purchase", seen[0])]:
            rows.append(row(len(rows), kind, sku(taste, number), session_id=f"s{session}"))
    return spark.createDataFrame(rows, EVENT_COLUMNS)


def catalogue() -> Items:
    names = [sku(taste, number) for taste in TASTES for number in (*range(PER_TASTE), 99)]
    tastes = [name.partition("-")[0] for name in names]
    unknown = np.full((len(names), len(NUMBERS)), np.nan)
    return Items(tuple(names), tuple(tastes), ("supplier",) * len(names), unknown)


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_items_of_one_taste_are_alike_and_an_unseen_one_is_like_its_category(spark: SparkSession) -> None:
    items = catalogue()
    factors = dict(zip(items.sku, item_factors(spark, clicks(spark, SESSIONS), items).of(items), strict=True))

    assert len(factors["tea-99"]) == RANK
    for taste, other in (TASTES, TASTES[::-1]):
        for one in (sku(taste, 3), sku(taste, 99)):
            alike = np.mean(
                [cosine(factors[one], factors[sku(taste, number)]) for number in range(PER_TASTE)]
            )
            unlike = np.mean(
                [cosine(factors[one], factors[sku(other, number)]) for number in range(PER_TASTE)]
            )
            assert alike > unlike + 0.5


def test_without_shoppers_items_have_no_factors(spark: SparkSession) -> None:
    items = catalogue()

    assert item_factors(spark, clicks(spark, 4), items).of(items).shape == (len(items.sku), 0)


def test_the_catalogue_says_the_latest_of_each_item(spark: SparkSession) -> None:
    price = {
        "price": {"amount": "4.00", "currency": "GBP"},
        "unit_cost": {"amount": "1.50", "currency": "GBP"},
    }
    rows = [
        row(1, "item", "A", category="old", supplier="s1", **price),
        row(2, "item", "A", category="home:lamps", supplier="s2", **price),
        row(3, "item", "B", supplier="s1", price={"amount": "0.00", "currency": "GBP"}),
    ]

    items = catalogue_items(spark, spark.createDataFrame(rows, EVENT_COLUMNS))

    assert (items.sku, items.category, items.supplier) == (("A", "B"), ("home:lamps", "none"), ("s2", "s1"))
    np.testing.assert_array_equal(items.numbers, [[4.0, 1.5], [np.nan, np.nan]])


def test_spark_and_arrays_put_every_series_into_the_same_segment(spark: SparkSession) -> None:
    rng = np.random.default_rng(3)
    days, series = 200, 120
    rate = np.exp(rng.normal(0, 2, (series, 1)))
    units = rng.poisson(rate, (series, days)) * rng.choice([1, 1, 1, 20], (series, days))
    first = np.minimum(rng.integers(0, days + 40, series), days - 1)  # some have hardly a day
    frame = pd.DataFrame(
        [
            (f"s{n:03}", "here", FIRST_DAY + timedelta(days=day), float(units[n, day]), day % 7 != 2)
            for n in range(series)
            for day in range(first[n], days)
        ],
        columns=["sku", "location", "date", "units", "open"],
    )
    frame["available"] = rng.choice([1.0, np.nan, 0.4], len(frame))
    frame["price"] = np.where(rng.random(len(frame)) < 0.1, rng.uniform(1, 9, len(frame)), np.nan)

    made = series_segments(spark, spark.createDataFrame(frame.replace({np.nan: None})))

    frame["date"] = pd.to_datetime(frame["date"])
    panel = panel_of_rows(frame, "0" * 64)
    expected = dict(zip([sku for sku, _ in panel.series], panel_segments(panel).tolist(), strict=True))
    assert len({segment for segment in expected.values()}) > 8
    assert dict(zip(made["sku"], made["segment"], strict=True)) == {
        sku: segment for sku, segment in expected.items() if segment != NEW
    }
