"""Ways to break the contracts of the clickstream and of the stock levels, each with the field it breaks."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.contracts.topics import CLICKSTREAM, STOCK_LEVELS
from tests.integration.click_corpus import FAR_FUTURE_MS, PRICE

WHOLE = "$"


@dataclass(frozen=True)
class Kind:
    """A way to break the contract of a topic.

    Attributes:
        name: in words, unique.
        topic: whose contract it breaks.
        field: what the reason must name; `$` for the message as a whole.
        broken: a good event of the topic, made wrong.
    """

    name: str
    topic: str
    field: str
    broken: Callable[[dict[str, Any]], bytes]


_SHARED: list[tuple[str, Any]] = [
    ("version", None),
    ("version", 2),
    ("version", "1"),
    ("event_id", ...),
    ("event_id", ""),
    ("event_id", "with space"),
    ("event_id", "x" * 65),
    ("event_id", 7),
    ("event_time_ms", ...),
    ("event_time_ms", None),
    ("event_time_ms", "1319885000000"),
    ("event_time_ms", 1319885000000.5),
    ("event_time_ms", -1),
    ("event_time_ms", True),
    ("event_time_ms", 4_102_444_800_000),
    ("event_time_ms", 10**30),
    ("event_time_ms", FAR_FUTURE_MS),
    ("sku", ...),
    ("sku", None),
    ("sku", 12),
    ("sku", "A|B"),
    ("sku", "A\n"),
    ("sku", ".A"),
    ("sku", ["A"]),
    ("location", ...),
    ("location", "gb/main"),
    ("location", {"name": "gb-main"}),
    ("event_type", ...),
    ("event_type", None),
    ("event_type", 1),
    ("event_type", "favourite"),
    ("event_type", "LEVEL"),
]

_CLICK: list[tuple[str, Any]] = [
    ("session_id", ""),
    ("session_id", 5),
    ("user_id", False),
    ("promotion_id", "spring sale"),
    ("quantity", 0),
    ("quantity", -2),
    ("quantity", "5"),
    ("quantity", True),
    ("quantity", [1]),
    ("quantity", 1000000.5),
    ("unit_price", "2.50"),
    ("unit_price", 2.5),
    ("unit_price", {"amount": 2.5, "currency": "GBP"}),
    ("unit_price", {"amount": "-2.50", "currency": "GBP"}),
    ("unit_price", {"amount": "2.50000", "currency": "GBP"}),
    ("unit_price", {"amount": "2.50"}),
    ("unit_price", {"amount": "2.50", "currency": "gbp"}),
    ("list_price", {"currency": "GBP"}),
]

_STOCK: list[tuple[str, Any]] = [
    ("on_hand", ...),
    ("on_hand", None),
    ("on_hand", -1),
    ("on_hand", 1.5),
    ("on_hand", "5"),
    ("on_hand", True),
    ("on_hand", [5]),
    ("on_hand", 10_000_001),
    ("on_hand", 10**30),
]

_PURCHASE = {"event_type": "purchase", "quantity": 1, "unit_price": PRICE}
_INCOMPLETE: list[tuple[str, dict[str, Any]]] = [
    ("quantity", {"event_type": "add_to_cart"}),
    ("quantity", {"event_type": "remove_from_cart", "quantity": None}),
    ("quantity", {"event_type": "return"}),
    ("quantity", {**_PURCHASE, "quantity": ...}),
    ("unit_price", {**_PURCHASE, "unit_price": ...}),
    ("unit_price", {**_PURCHASE, "unit_price": None}),
]


def _with(changes: dict[str, Any]) -> Callable[[dict[str, Any]], bytes]:
    def broken(event: dict[str, Any]) -> bytes:
        return json.dumps({n: v for n, v in {**event, **changes}.items() if v is not ...}).encode()

    return broken


_dumped = _with({})

_TEXTS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "empty": lambda event: b"",
    "null": lambda event: b"null",
    "a number": lambda event: b"17",
    "a string": lambda event: json.dumps(event["event_id"]).encode(),
    "not JSON": lambda event: event["event_id"].encode(),
    "in an array": lambda event: b"[" + _dumped(event) + b"]",
    "cut by one byte": lambda event: _dumped(event)[:-1],
    "cut in the middle": lambda event: _dumped(event)[:60],
    "twice": lambda event: _dumped(event) * 2,
    "followed by text": lambda event: _dumped(event) + b" trailing",
    "a byte order mark": lambda event: b"\xef\xbb\xbf" + _dumped(event),
    "a comma too many": lambda event: _dumped(event)[:-1] + b",}",
    "not UTF-8": lambda event: _dumped(event)[:-1] + b',"note":"\xff\xfe"}',
    "half a UTF-8 character": lambda event: _dumped(event)[:-1] + b',"note":"\xc3"}',
    "a control character": lambda event: _dumped(event)[:-1] + b',"note":"tab\there"}',
    "a leading zero": lambda event: _dumped(event)[:-1] + b',"note":01}',
    "not a number": lambda event: _dumped(event)[:-1] + b',"note":NaN}',
    "single quotes": lambda event: _dumped(event).replace(b'"', b"'"),
    "UTF-16": lambda event: _dumped(event).decode().encode("utf-16"),
}

_HEARTBEATS: list[tuple[str, dict[str, Any]]] = [
    ("event_time_ms", {"event_type": "heartbeat"}),
    ("event_time_ms", {"event_type": "heartbeat", "event_time_ms": "now"}),
    ("event_time_ms", {"event_type": "heartbeat", "event_time_ms": FAR_FUTURE_MS}),
    ("version", {"event_type": "heartbeat", "event_time_ms": 0, "version": 3}),
]


def _kinds(topic: str, own: list[tuple[str, Any]]) -> list[Kind]:
    fields = [
        Kind(f"{topic} {name} {value!r}", topic, name, _with({name: value}))
        for name, value in [*_SHARED, *own]
    ]
    texts = [Kind(f"{topic} {name}", topic, WHOLE, change) for name, change in _TEXTS.items()]
    beats = [Kind(f"{topic} {changes}", topic, name, _heartbeat(changes)) for name, changes in _HEARTBEATS]
    return [*fields, *texts, *beats]


def _heartbeat(fields: dict[str, Any]) -> Callable[[dict[str, Any]], bytes]:
    return lambda event: json.dumps({**fields, "note": event["event_id"]}).encode()


KINDS = (
    *_kinds(CLICKSTREAM, _CLICK),
    *(Kind(f"{CLICKSTREAM} {c}", CLICKSTREAM, name, _with(c)) for name, c in _INCOMPLETE),
    *_kinds(STOCK_LEVELS, _STOCK),
)
