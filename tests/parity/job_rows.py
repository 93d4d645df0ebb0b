"""A pure model of the rows that the features job makes of the events it has accepted.

Events get their stock state and threshold in order of event time, and SQLite runs the declared SQL over the
facts: the rules of `streaming/feature_query.py`.
"""

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from infra.contracts.features import FEATURE_NAMES, FEATURES
from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS
from tests.parity.event_log import ZONE, RowKey, Sent, Values, midnight


@cache
def _day_of_hour(hour: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(hour * 3600, UTC).astimezone(ZoneInfo(ZONE)).date()
    return midnight(day), midnight(day + timedelta(days=1))


def local_day(time_ms: int) -> tuple[int, int]:
    """Start and end of the local day of an instant; zones of whole hours only."""
    return _day_of_hour(time_ms // 3_600_000)


Key = tuple[str, str]
Versions = dict[Key, list[tuple[int, Any]]]


def _versions(log: Sequence[Sent], topic: str, value: Callable[[dict[str, Any]], Any]) -> Versions:
    """Times and values of each key in order of event time, then of arrival."""
    found: Versions = defaultdict(list)
    for sent_to, message in log:
        if sent_to == topic:
            found[message["sku"], message["location"]].append((message["event_time_ms"], value(message)))
    return {key: sorted(versions, key=lambda version: version[0]) for key, versions in found.items()}


def _as_of(versions: list[tuple[int, Any]], time_ms: int) -> Any:
    position = bisect_right(versions, time_ms, key=lambda version: version[0])
    return versions[position - 1][1] if position else None


_COLUMNS = ["sku", "location", "window_start_ms", "window_end_ms", "event_type", "event_time_ms"]
_COLUMNS += ["session_id", "quantity", "unit_price", "list_price", "promotion_id", "bulk_threshold"]
_COLUMNS += ["in_stock", "stock_change", "carry"]


def _facts(log: Sequence[Sent]) -> Iterator[dict[str, Any]]:
    stock = _versions(log, STOCK_LEVELS, lambda message: int(message["on_hand"] > 0))
    thresholds = _versions(log, ITEMS, lambda message: message["bulk_threshold"])
    for topic, message in log:
        if topic == CLICKSTREAM:
            key, time_ms = (message["sku"], message["location"]), message["event_time_ms"]
            states = {
                "in_stock": _as_of(stock.get(key, []), time_ms),
                "bulk_threshold": _as_of(thresholds.get(key, []), time_ms),
            }
            yield _placed(key, time_ms) | _customer_event(message) | states
    for key, changes in stock.items():
        yield from _stock_changes(key, changes)


def _placed(key: Key, time_ms: int) -> dict[str, Any]:
    start_ms, end_ms = local_day(time_ms)
    bounds = {"window_start_ms": start_ms, "window_end_ms": end_ms, "event_time_ms": time_ms}
    return dict.fromkeys(_COLUMNS) | {"sku": key[0], "location": key[1], "stock_change": 0} | bounds


def _customer_event(message: dict[str, Any]) -> dict[str, Any]:
    prices = {name: message.get(name) for name in ("unit_price", "list_price")}
    amounts = {name: price and float(price["amount"]) for name, price in prices.items()}
    others = ("event_type", "session_id", "quantity", "promotion_id")
    return {name: message.get(name) for name in others} | amounts


def _stock_changes(key: Key, changes: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    before: int | None = None
    previous_ms = 0
    for time_ms, now in changes:
        fact = _placed(key, time_ms) | {"event_type": "stock", "stock_change": None}
        if before is None and time_ms == fact["window_start_ms"]:
            before = now
        if before is not None:
            carry = time_ms * 2 + before if time_ms != previous_ms else None
            fact |= {"in_stock": before, "stock_change": now - before, "carry": carry}
        yield fact
        before, previous_ms = now, time_ms


_VALUES = ", ".join(f"{feature.sql} AS {feature.name}" for feature in FEATURES)
_ROWS = f"""
SELECT sku, window_start_ms, window_end_ms, {_VALUES}
FROM facts GROUP BY sku, location, window_start_ms, window_end_ms ORDER BY sku, window_start_ms
"""


def final_rows(log: Sequence[Sent]) -> dict[RowKey, Values]:
    """The final rows of accepted events; sums are exact for decimals that are exact in binary."""
    database = sqlite3.connect(":memory:")
    try:
        database.create_function("MOD", 2, lambda number, by: None if number is None else number % by)
        database.execute(f"CREATE TABLE facts ({', '.join(_COLUMNS)})")
        places = ", ".join(f":{name}" for name in _COLUMNS)
        database.executemany(f"INSERT INTO facts VALUES ({places})", _facts(log))
        found = database.execute(_ROWS).fetchall()
    finally:
        database.close()
    return {
        (sku, start, end): dict(zip(FEATURE_NAMES, values, strict=True)) for sku, start, end, *values in found
    }
