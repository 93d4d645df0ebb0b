"""Prices and promotions: what Spark makes of the archive equals what the Forecaster makes of the stream."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pyspark.sql import SparkSession

from batch.demand_history import build_history
from batch.forecaster.panel import DemandPanel, read_panel
from batch.forecaster.windows import DemandWindow
from batch.spark_session import spark_session
from infra.contracts.codec import decode
from infra.contracts.demand import DemandFeatures
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import CALENDARS, PROMOTIONS
from serving.demand_context import DemandContext, context_digests
from serving.inventory.local_days import midnight_ms
from tests.integration.test_history import Archive

FIRST, LAST_PANEL_DAY, LAST_DAY = date(2011, 2, 1), date(2011, 4, 10), date(2011, 5, 20)
HORIZON = 14
LENGTH = 80
ZONE = "Europe/London"
HASH_WITHOUT_PRICES = "3783c2158d1f2224ee382ac757d2a3e86992fc189975f861079703f42bf6c09f"
"""Of the shop without plans and promotions, before panels held prices."""
SKUS = ("planned", "promoted", "met", "plain")


def gbp(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}


def price(time: str, amount: str, offer: str | None = None) -> dict[str, Any]:
    return {"starts_ms": _ms(time), "price": gbp(amount)} | ({"promotion_id": offer} if offer else {})


def _ms(time: str) -> int:
    day, _, clock = time.partition("T")
    hours = int(clock or 0)
    return midnight_ms(date.fromisoformat(day), ZONE) + hours * 3_600_000


# Summer time begins on 27 March, when the day has 23 hours.
PLANS = {
    "2011-02-10T09": "2011-02-12 4.10, 2011-03-26T12 3.33 spring, 2011-03-28T07 4.10",
    "2011-03-29T10": "2011-03-29T10 4.25, 2011-04-20 2.99 easter, 2011-04-27 4.25",
    "2011-04-22T15": "2011-04-22T15 3.49",
    "2011-05-01": "2011-04-01 3.49, 2011-05-25 2.49 may, 2011-05-28T18 3.49",
    "2011-05-21T01": "2011-05-21 9.99",
}
"""By the time that a plan is known from: its prices, with the promotion where it is one."""


class Shop:
    """Every day one sale of each SKU; the archive and the stream get the same records."""

    def __init__(self, run_dir: Path) -> None:
        self.archive = Archive(run_dir)
        calendar = {"event_type": "location", "time_zone": ZONE, "review_weekdays": [0]}
        self.records = [self.archive.event(CALENDARS, "1970-01-01T00:00Z", **calendar, closed_weekdays=[6])]
        self.plans = [
            self._plan(
                time, "planned", event_type="price_plan", prices=[price(*each.split()) for each in plan]
            )
            for time, plan in ((time, text.split(", ")) for time, text in PLANS.items())
        ]
        span = {"starts_ms": _ms("2011-04-08T06"), "ends_ms": _ms("2011-05-23"), "price": gbp("1.00")}
        self.plans.append(
            self._plan("2011-04-01", "promoted", event_type="promotion", promotion_id="long", **span)
        )
        for day in days(FIRST, LAST_DAY + timedelta(days=2)):
            for sku in SKUS:
                self.records.append(self._sale(day, sku, self.met(day, sku)))

    def _plan(self, time: str, sku: str, **fields: Any) -> dict[str, Any]:
        event = self.archive.event(PROMOTIONS, "1970-01-01T00:00Z", sku=sku, **fields)
        value = json.loads(event["value"]) | {"event_time_ms": _ms(time)}
        return event | {"value": json.dumps(value)}

    def _sale(self, day: date, sku: str, met: bool) -> dict[str, Any]:
        offer = {"promotion_id": "seen"} if met else {}
        return self.archive.sale(f"{day}T12:00Z", self.units(day), sku=sku, **offer)

    def units(self, day: date) -> float:
        return float(1 + day.toordinal() % 5)

    def met(self, day: date, sku: str) -> bool:
        return sku == "met" and day.day % 9 == 0

    def until(self, last_day: date) -> list[dict[str, Any]]:
        """The records of the days up to one, and the sales of the next, which close it."""
        end = midnight_ms(last_day + timedelta(days=2), ZONE)
        everything = [*self.records, *self.plans]
        return [row for row in everything if json.loads(row["value"])["event_time_ms"] < end]

    def panel(self, spark: SparkSession, last_day: date, without_plans: bool = False) -> DemandPanel:
        rows = [r for r in self.until(last_day) if not (without_plans and r["topic"] == PROMOTIONS)]
        self.archive.add("part-0", *rows)
        build_history(spark, self.archive.settings)
        panel = read_panel(self.archive.settings.panel_dir)
        return panel.until(panel.index(last_day))


def days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with spark_session("test price parity") as session:
        yield session


@pytest.fixture(scope="module")
def panels(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[DemandPanel, DemandPanel]:
    """As it was when the stream began, and at the end."""
    early, late = (Shop(tmp_path_factory.mktemp(name)) for name in ("early", "late"))
    return early.panel(spark, LAST_PANEL_DAY), late.panel(spark, LAST_DAY)


@pytest.fixture(scope="module")
def from_stream(
    panels: tuple[DemandPanel, DemandPanel], tmp_path_factory: pytest.TempPathFactory
) -> DemandWindow:
    """The window at the end, from the early panel, the plans and the final rows of the days after it."""
    shop = Shop(tmp_path_factory.mktemp("stream"))
    calendar: LocationCalendar = decode(CALENDARS, shop.records[0]["value"].encode())
    context = DemandContext(LENGTH, panels[0])
    for row in shop.plans:
        context.plans.put(decode(PROMOTIONS, row["value"].encode()), row["offset"])
    for day in days(LAST_PANEL_DAY + timedelta(days=1), LAST_DAY):
        for sku in SKUS:
            values: dict[str, float | None] = {
                "units": shop.units(day),
                "promotion_on": float(shop.met(day, sku)),
            }
            window_ms = [midnight_ms(day + timedelta(days=n), ZONE) for n in (0, 1)]
            final = DemandFeatures(
                sku=sku, location="gb-main", window_start_ms=window_ms[0], window_end_ms=window_ms[1],
                is_final=True, values=values,
            )  # fmt: skip
            assert context.append(final, calendar)
    return context.window(panels[1].series, LAST_DAY, calendar, HORIZON)


def test_the_past_of_the_stream_is_that_of_the_panel(
    panels: tuple[DemandPanel, DemandPanel], from_stream: DemandWindow
) -> None:
    last = panels[1].units.shape[1] - 1
    from_panel = panels[1].window(last, LENGTH, 0)

    for name in ("units", "observed", "open", "price", "promotion"):
        assert_array_equal(getattr(from_stream, name), getattr(from_panel, name), err_msg=name)
    ahead = {name: value[:, :0] for name, value in vars(from_stream).items() if name.startswith("future")}
    assert context_digests(replace(from_stream, **ahead)) == context_digests(from_panel)


def test_the_days_ahead_are_those_of_a_panel_in_which_the_plan_came_true(
    spark: SparkSession, tmp_path: Path, from_stream: DemandWindow
) -> None:
    shop = Shop(tmp_path)
    shop.plans = shop.plans[:-2] + shop.plans[-1:]  # without the plan that became known after the origin
    for day in days(LAST_DAY + timedelta(days=3), LAST_DAY + timedelta(days=HORIZON + 1)):
        shop.records += [shop._sale(day, sku, False) for sku in SKUS]
    later = shop.panel(spark, LAST_DAY + timedelta(days=HORIZON))
    from_panel = later.window(later.index(LAST_DAY), LENGTH, HORIZON)

    assert_array_equal(from_stream.future_price, from_panel.future_price)
    assert_array_equal(from_stream.future_promotion, from_panel.future_promotion)
    assert len(np.unique(from_stream.future_price)) > 2
    assert set(np.unique(from_stream.future_promotion)) > {0, 1}


def test_a_shop_without_plans_and_promotions_has_the_panel_it_always_had(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = Shop(tmp_path)
    shop.records = [row for row in shop.records if '"met"' not in row["value"]]
    shop.panel(spark, LAST_PANEL_DAY, without_plans=True)
    manifest = json.loads((shop.archive.settings.panel_dir / "_manifest.json").read_text())

    assert manifest["panel_hash"] == HASH_WITHOUT_PRICES
    assert "days_on_promotion" not in manifest["counts"]


def test_the_history_counts_what_it_knows_of_prices(panels: tuple[DemandPanel, DemandPanel]) -> None:
    panel = panels[1]
    row = panel.series.index(("met", "gb-main"))

    assert panel.promotion[row].sum() == sum(day.day % 9 == 0 for day in days(FIRST, LAST_DAY))
    assert not panel.planned_promotion[row].any()
    assert {json.dumps(list(key)) for key in panel.series} == {json.dumps([s, "gb-main"]) for s in SKUS}
