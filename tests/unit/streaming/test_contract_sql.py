import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from infra.contracts.message import Heartbeat
from infra.contracts.shop import ClickEvent, StockLevel
from streaming.contract_sql import fields, interval, literal, pattern, required_for

CLICK = {
    "version": 1,
    "event_id": "e-1",
    "event_time_ms": 1316988000000,
    "sku": "85123A",
    "location": "gb-main",
    "event_type": "purchase",
    "quantity": 6,
    "unit_price": {"amount": "2.95", "currency": "GBP"},
}


def matches(model: type[BaseModel], message: dict[str, Any]) -> bool:
    """Whether a message, in the canonical JSON that Flink makes of it, has the shape of the model."""
    known = {name: value for name, value in message.items() if name in model.model_fields}
    canonical = json.dumps([known, {"version": 0}], sort_keys=True, separators=(",", ":"))
    return re.search(pattern(fields(model)), canonical) is not None


def test_a_message_that_keeps_the_contract_has_its_shape() -> None:
    assert matches(ClickEvent, CLICK)
    assert matches(StockLevel, {**CLICK, "event_type": "snapshot", "on_hand": 0})
    assert matches(Heartbeat, {"event_type": "heartbeat", "event_time_ms": 5})


@pytest.mark.parametrize("name", ["event_id", "event_time_ms", "sku", "location", "event_type"])
def test_no_required_field_may_be_missing_or_null(name: str) -> None:
    assert not matches(ClickEvent, {key: value for key, value in CLICK.items() if key != name})
    assert not matches(ClickEvent, {**CLICK, name: None})


@pytest.mark.parametrize(
    "name", ["session_id", "user_id", "quantity", "unit_price", "list_price", "promotion_id"]
)
def test_every_optional_field_may_be_missing_or_null(name: str) -> None:
    assert matches(ClickEvent, {key: value for key, value in CLICK.items() if key != name})
    assert matches(ClickEvent, {**CLICK, name: None})


@pytest.mark.parametrize("name", sorted(ClickEvent.model_fields))
@pytest.mark.parametrize("value", [True, [], {}, "no good!", [{"sku": "A"}], ""])
def test_no_field_takes_a_value_of_another_kind(name: str, value: Any) -> None:
    assert not matches(ClickEvent, {**CLICK, name: value})


@given(st.text(max_size=70))
def test_names_have_the_shape_that_the_model_asks_for(sku: str) -> None:
    accepted = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", sku) is not None
    assert matches(ClickEvent, {**CLICK, "sku": sku}) == accepted


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers(), max_size=4))
def test_plain_unknown_fields_of_money_never_hide_a_field_of_the_event(extra: dict[str, Any]) -> None:
    price = {**extra, "amount": "2.95", "currency": "GBP"}
    if matches(ClickEvent, {**CLICK, "list_price": price}):
        text = json.dumps({**CLICK, "list_price": price}, sort_keys=True, separators=(",", ":"))
        assert all(text.count(f'"{name}":') == 1 for name in CLICK)


def test_the_schema_says_which_event_types_need_a_quantity_and_a_price() -> None:
    assert required_for(ClickEvent) == [
        ("quantity", ("add_to_cart", "remove_from_cart", "purchase", "return")),
        ("unit_price", ("purchase",)),
    ]
    assert required_for(StockLevel) == []


def test_quotes_in_a_literal_are_doubled() -> None:
    assert literal("it's") == "'it''s'"


@pytest.mark.parametrize(("seconds", "text"), [(3_661, "0 01:01:01"), (86_400, "1 00:00:00")])
def test_an_interval_is_split_into_units(seconds: int, text: str) -> None:
    assert interval(seconds) == f"INTERVAL '{text}' DAY TO SECOND"
