"""Clickstream messages that keep and break the contract in many ways."""

import json
from collections.abc import Callable
from typing import Any

from infra.contracts.codec import decode
from infra.contracts.topics import CLICKSTREAM
from infra.errors import ContractError

PRICE = {"amount": "2.50", "currency": "GBP"}
FAR_FUTURE_MS = 4_000_000_000_000


def click(name: str, time_ms: int, **changes: Any) -> dict[str, Any]:
    """A valid view with its own id; `...` as a change leaves the field out."""
    event = {
        "version": 1,
        "event_id": name,
        "event_time_ms": time_ms,
        "sku": "CORPUS",
        "location": "gb-main",
        "event_type": "view",
        **changes,
    }
    return {field: value for field, value in event.items() if value is not ...}


def corpus(time_ms: int) -> dict[str, bytes]:
    """Messages by name, most of them wrong in one way, all at the given event time where they say one."""
    fields = {f"field {n}": click(f"f{n}", time_ms, **changes) for n, changes in enumerate(_FIELDS)}
    texts = {f"text {n}": change(click(f"t{n}", time_ms)) for n, change in enumerate(_TEXTS)}
    heartbeats = {
        f"heartbeat {n}": {"event_type": "heartbeat", **changes} for n, changes in enumerate(_HEARTBEATS)
    }
    odd = {f"difference {n}": change(click(f"d{n}", time_ms)) for n, change in enumerate(_DIFFERENCES)}
    encoded = {name: json.dumps(event).encode() for name, event in {**fields, **heartbeats}.items()}
    return {**encoded, **texts, **odd}


def is_accepted(value: bytes) -> bool:
    """What the contract's codec says, but for the declared differences, and that no clock is years ahead."""
    try:
        keeps_contract = bool(decode(CLICKSTREAM, value).event_time_ms != FAR_FUTURE_MS)
    except ContractError:
        keeps_contract = False
    return keeps_contract != is_declared_difference(value)


def is_declared_difference(value: bytes) -> bool:
    return _MARK in value


def _purchase(**changes: Any) -> dict[str, Any]:
    return {"event_type": "purchase", "quantity": 1, "unit_price": PRICE, **changes}


_FIELDS: list[dict[str, Any]] = [
    {},
    {"session_id": None, "user_id": None, "quantity": None, "unit_price": None, "promotion_id": None},
    {"a": 1, "unknown": {"sku": "X", "quantity": 5}, "zz": ["é", "😀", None]},
    {"version": ...},
    {"version": 2},
    {"version": "1"},
    {"version": None},
    {"event_id": ...},
    {"event_id": ""},
    {"event_id": "with space"},
    {"event_id": "x" * 64},
    {"event_id": "x" * 65},
    {"event_id": 7},
    {"event_time_ms": ...},
    {"event_time_ms": None},
    {"event_time_ms": "1319885000000"},
    {"event_time_ms": 1319885000000.0},
    {"event_time_ms": 1319885000000.5},
    {"event_time_ms": -1},
    {"event_time_ms": True},
    {"event_time_ms": 4_102_444_800_000},
    {"event_time_ms": 10**30},
    {"event_time_ms": FAR_FUTURE_MS},
    {"sku": ...},
    {"sku": None},
    {"sku": 12},
    {"sku": "A|B"},
    {"sku": "A\n"},
    {"sku": ".A"},
    {"sku": ["A"]},
    {"location": "gb/main"},
    {"location": {"name": "gb-main"}},
    {"event_type": ...},
    {"event_type": None},
    {"event_type": 1},
    {"event_type": "favourite"},
    {"event_type": "VIEW"},
    {"session_id": ""},
    {"session_id": 5},
    {"session_id": "s-1", "user_id": "u:1"},
    {"user_id": False},
    {"promotion_id": "spring sale"},
    {"quantity": 1.5},
    {"quantity": 0},
    {"quantity": -2},
    {"quantity": "5"},
    {"quantity": True},
    {"quantity": [1]},
    {"quantity": 1e6},
    {"quantity": 1000000.5},
    {"quantity": 1e-9},
    {"unit_price": PRICE},
    {"unit_price": {**PRICE, "note": "x", "batch": 4, "a": None}},
    {"unit_price": "2.50"},
    {"unit_price": 2.5},
    {"unit_price": {"amount": 2.5, "currency": "GBP"}},
    {"unit_price": {"amount": "-2.50", "currency": "GBP"}},
    {"unit_price": {"amount": "2.50000", "currency": "GBP"}},
    {"unit_price": {"amount": "2.50"}},
    {"unit_price": {"amount": "2.50", "currency": "gbp"}},
    {"list_price": {"currency": "GBP"}},
    {"event_type": "add_to_cart"},
    {"event_type": "add_to_cart", "quantity": None},
    {"event_type": "add_to_cart", "quantity": 2},
    {"event_type": "return"},
    {"event_type": "return", "quantity": 2},
    _purchase(),
    _purchase(quantity=None),
    _purchase(quantity=...),
    _purchase(unit_price=None),
    _purchase(unit_price=...),
    _purchase(list_price=None),
]

_HEARTBEATS: list[dict[str, Any]] = [
    {},
    {"event_time_ms": "now"},
    {"event_time_ms": -5},
    {"event_time_ms": FAR_FUTURE_MS},
    {"event_time_ms": 4_102_444_800_000},
    {"event_time_ms": 0, "version": 3},
    {"event_time_ms": 0, "unknown": "x"},
]


def _dumped(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


_TEXTS: list[Callable[[dict[str, Any]], bytes]] = [
    lambda event: b"",
    lambda event: b"null",
    lambda event: b"17",
    lambda event: b"not json",
    lambda event: b"[" + _dumped(event) + b"]",
    lambda event: _dumped(event)[:-1],
    lambda event: _dumped(event)[:40],
    lambda event: _dumped(event) + _dumped(event),
    lambda event: _dumped(event) + b"," + _dumped(event),
    lambda event: _dumped(event) + b" trailing",
    lambda event: _dumped(event) + b"] trailing",
    lambda event: _dumped(event) + b',{"version":0}]',
    lambda event: _dumped({**event, "unit_price": {**PRICE, "of": {"each": 1}}}),
    lambda event: _dumped({**event, "event_type": "heartbeat", "event_time_ms": 0}),
    lambda event: b" \n" + _dumped(event) + b"\t",
    lambda event: b"\xef\xbb\xbf" + _dumped(event),
    lambda event: _dumped(event)[:-1] + b",}",
    lambda event: _dumped(event)[:-1] + b',"note":"\xff\xfe"}',
    lambda event: _dumped(event)[:-1] + b',"note":"\xc3"}',
    lambda event: _dumped(event)[:-1] + b',"note":"tab\there"}',
    lambda event: _dumped(event)[:-1] + b',"note":01}',
    lambda event: _dumped(event)[:-1] + b',"quantity":1e400}',
    lambda event: _dumped(event)[:-1] + b',"quantity":NaN}',
    lambda event: _dumped(event)[:-1] + b',"quantity":1E2}',
    lambda event: _dumped(event)[:-1] + b',"sku":"\\u0043ORPUS"}',
    lambda event: _dumped(event)[:-1] + b',"sku":"no good"}',
    lambda event: _dumped(event).replace(b'"', b"'"),
    lambda event: json.dumps(event, ensure_ascii=False, indent=2).encode(),
    lambda event: json.dumps(event).encode("utf-16"),
    lambda event: bytes(range(256)),
]

_MARK = b"declared difference"

_DIFFERENCES: list[Callable[[dict[str, Any]], bytes]] = [
    lambda event: _dumped({**event, "note": _MARK.decode(), "other": float("nan")}),
    lambda event: _dumped(event)[:-1] + b',"note":"declared difference \\ud800"}',
]
"""Where the job and the codec part, both in unknown fields: only the codec takes NaN, only the job half of a
surrogate pair."""
