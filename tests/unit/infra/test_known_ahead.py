"""What a shop knows ahead: price plans, holidays and weather."""

import json
from typing import Any

import pytest

from infra.contracts.codec import decode
from infra.contracts.topics import ARCHIVED, CALENDARS, PROMOTIONS
from infra.errors import ContractError

SHOP = {"event_id": "a", "event_time_ms": 1_316_991_600_000, "location": "gb-main"}


def price_plan(*starts_ms: int) -> bytes:
    price = {"amount": "2.95", "currency": "GBP"}
    prices = [{"starts_ms": each, "price": price} for each in starts_ms]
    return json.dumps({**SHOP, "event_type": "price_plan", "sku": "85123A", "prices": prices}).encode()


def weather(**day: Any) -> bytes:
    return json.dumps({**SHOP, "event_type": "weather", "days": [{"date": "2011-09-26", **day}]}).encode()


def test_one_record_holds_all_prices_known_ahead_since_the_topic_keeps_one_per_sku() -> None:
    plan = decode(PROMOTIONS, price_plan(1, 2, 3))
    assert [planned.starts_ms for planned in plan.prices] == [1, 2, 3]


@pytest.mark.parametrize("starts", [(2, 1), (1, 1), ()])
def test_a_price_plan_has_prices_in_order_and_one_at_a_time(starts: tuple[int, ...]) -> None:
    with pytest.raises(ContractError, match="prices"):
        decode(PROMOTIONS, price_plan(*starts))


def test_weather_may_be_given_in_part() -> None:
    (day,) = decode(CALENDARS, weather(mean_temperature_c=14.5)).days
    assert (day.mean_temperature_c, day.precipitation_mm) == (14.5, None)


@pytest.mark.parametrize(
    ("measure", "value"),
    [("mean_temperature_c", 287.6), ("precipitation_mm", -1.0), ("mean_humidity_percent", 101.0)],
)
def test_weather_in_other_units_is_refused(measure: str, value: float) -> None:
    with pytest.raises(ContractError, match=measure):
        decode(CALENDARS, weather(**{measure: value}))


def test_what_is_known_ahead_is_archived_so_that_the_past_knows_what_was_known_then() -> None:
    assert {PROMOTIONS, CALENDARS} <= set(ARCHIVED)
