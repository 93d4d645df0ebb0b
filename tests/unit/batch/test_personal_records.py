import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.personal_records import Person, content, session_of
from infra.contracts.codec import decode
from infra.contracts.topics import CLICKSTREAM, STOCK_LEVELS, TOPICS

PERSON = Person("u-17", {"u-17": "erased-0", "s-1": "erased-1", "s-2": "erased-2"})
EVENT: dict[str, Any] = {
    "version": 1,
    "event_id": "e-1",
    "event_time_ms": 1_320_000_000_000,
    "sku": "85123A",
    "location": "gb-main",
    "event_type": "purchase",
    "quantity": 2.5,
    "unit_price": {"amount": "2.50", "currency": "GBP"},
}
PLACE = {"topic": CLICKSTREAM, "partition": "3", "offset": 17, "late": False}

identifiers = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,10}", fullmatch=True)


def row(**fields: Any) -> dict[str, Any]:
    return {**PLACE, "value": json.dumps(EVENT | fields)}


def erased(before: dict[str, Any]) -> dict[str, Any]:
    return PERSON.erased_from(CLICKSTREAM, before)


@given(
    session=st.none() | st.sampled_from(sorted(PERSON.tokens)) | identifiers,
    event_id=identifiers,
    quantity=st.floats(1e-6, 1e6),
)
def test_erasure_changes_nothing_of_an_event_but_who_it_was(
    session: str | None, event_id: str, quantity: float
) -> None:
    fields = {"session_id": session, "event_id": event_id, "quantity": quantity}
    after = erased(row(user_id="u-17", **fields))
    token = PERSON.tokens.get(session, session) if session else None
    expected = decode(CLICKSTREAM, json.dumps(EVENT | fields | {"session_id": token}).encode())
    assert decode(CLICKSTREAM, after["value"].encode()) == expected
    assert {name: after[name] for name in PLACE} == PLACE


@given(
    user=st.none() | identifiers.filter(lambda name: name != "u-17"),
    session=st.none() | identifiers.filter(lambda name: name not in PERSON.tokens),
)
def test_nobody_else_s_record_changes(user: str | None, session: str | None) -> None:
    before = row(user_id=user, session_id=session, sku="u-17", event_id="u-17")
    assert erased(before) is before


def test_events_of_the_person_s_session_lose_it_though_they_name_nobody() -> None:
    assert json.loads(erased(row(session_id="s-2"))["value"])["session_id"] == "erased-2"


@pytest.mark.parametrize(
    "unknown",
    [
        {"note": "u-17"},
        {"note": "mailto:u-17@shop"},
        {"customer": {"user_id": "u-17", "since": [2011]}},
        {"seen by": ["x", {"u-17": 1}]},
        {"of": {"quantity": {"session": "s-1"}}},
    ],
)
def test_what_names_the_person_outside_the_contract_is_left_out(unknown: dict[str, Any]) -> None:
    after = json.loads(erased(row(user_id="someone", **unknown))["value"])
    assert not unknown.keys() & after.keys()
    assert after["user_id"] == "someone"


def test_a_number_outside_the_contract_can_name_a_person() -> None:
    person = Person("17850", {"17850": "erased-0"})
    before = row(customer=17850)
    assert "customer" not in person.erased_from(CLICKSTREAM, before)["value"]
    counted = row(quantity=17850)
    assert person.erased_from(CLICKSTREAM, counted) is counted


def test_a_pseudonym_spelled_with_escapes_is_found() -> None:
    spelled = row(user_id="u-17")["value"].replace("u-17", r"\u0075-17")
    assert "17" not in erased({**PLACE, "value": spelled})["value"].partition('"user_id"')[2]


@pytest.mark.parametrize(
    "broken",
    [
        json.dumps(EVENT | {"user_id": "u-17", "version": 2}).encode(),
        json.dumps(EVENT | {"user_id": "u-17"}).encode()[:-1],
        rb'{"user_id": "\u0075-17", ',
        json.dumps({"user_id": "u-17"}).encode("utf-16"),
        b"\xff\xfe u-17 \xff",
    ],
)
def test_of_a_refused_record_that_names_the_person_only_its_place_is_kept(broken: bytes) -> None:
    assert erased({**PLACE, "value_base64": base64.b64encode(broken).decode()}) == PLACE


def test_a_refused_record_of_somebody_else_keeps_its_bytes() -> None:
    before = {**PLACE, "value_base64": base64.b64encode(b'{"user_id": "u-170", ').decode()}
    assert erased(before) is before


def test_stock_and_what_was_erased_before_stay_as_they_are() -> None:
    level = {**PLACE, "topic": STOCK_LEVELS, "value": json.dumps({**EVENT, "on_hand": 17, "sku": "u-17"})}
    assert PERSON.erased_from(STOCK_LEVELS, level) is level
    assert erased(PLACE) is PLACE
    assert content(PLACE) is None


def test_only_a_record_of_the_person_tells_a_session_of_theirs() -> None:
    record = json.dumps(EVENT | {"user_id": "u-17", "session_id": "s-9"}).encode()
    assert session_of("u-17", record) == "s-9"
    assert session_of("u-1", record) is None
    assert session_of("u-17", b"not json") is None


def test_nothing_the_system_writes_has_a_field_for_a_person_or_a_session() -> None:
    written = [topic for topic in TOPICS.values() if topic.name.startswith(("demand.", "inventory."))]
    assert len(written) > 10
    names = {name for topic in written for name in property_names(topic.message.json_schema())}
    assert {"sku", "author"} < names
    assert {name for name in names if "user" in name or "session" in name} <= {"sessions"}  # a count


def property_names(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(property_names, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", {})).union(*map(property_names, schema.values()))
