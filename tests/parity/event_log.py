"""Event logs for the engines to agree on: random shops, and the orders in which their events may arrive.

All data is simulated.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS

ZONE = "Europe/London"
LOCATION = "gb-main"
BOUND_MS = 60_000
HOUR_MS = 3_600_000
_KINDS = ["view", "view", "search", "add_to_cart", "remove_from_cart", "purchase", "return"]
_ITEM = json.loads((Path(__file__).parents[1] / "golden/v1" / f"{ITEMS}.jsonl").read_text().splitlines()[0])

Message = dict[str, Any]
Sent = tuple[str, Message]
"""A topic and a message."""

Arrival = tuple[int, Sent]
"""When a message is written, in milliseconds, and what."""

RowKey = tuple[str, int, int]
"""SKU, start and end of a window."""

Values = Mapping[str, float | None]
"""Features by name."""


def midnight(day: date) -> int:
    """Start of a local day."""
    return int(datetime.combine(day, time(), ZoneInfo(ZONE)).timestamp() * 1000)


def event(identity: str, time_ms: int, sku: str, kind: str, **fields: Any) -> Message:
    shared = {"version": 1, "event_id": identity, "event_time_ms": time_ms, "sku": sku}
    return {**shared, "location": LOCATION, "event_type": kind, **fields}


def pounds(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}


def click(identity: str, time_ms: int, sku: str, kind: str, **fields: Any) -> Sent:
    return CLICKSTREAM, event(identity, time_ms, sku, kind, **fields)


def level(identity: str, time_ms: int, sku: str, on_hand: int) -> Sent:
    return STOCK_LEVELS, event(identity, time_ms, sku, "level", on_hand=on_hand)


def item(identity: str, time_ms: int, sku: str, bulk_threshold: float | None) -> Sent:
    return ITEMS, {**_ITEM, **event(identity, time_ms, sku, "item", bulk_threshold=bulk_threshold)}


def random_log(
    rng: random.Random, skus: Sequence[str], days: Sequence[date], clicks_a_day: int
) -> list[Sent]:
    """Days of events in order of time.

    Snapshots at each midnight but for the first SKU, which stays unknown until noon; changes of stock, two of
    them in one millisecond; every kind of customer event, fractional quantities, a threshold that changes.
    """
    log: list[Sent] = []
    for sku in skus:
        log.append(item(f"{sku}-item", midnight(days[0]), sku, 5.0))
        log.append(item(f"{sku}-item-again", midnight(days[-1]), sku, None))
        for day in days:
            log += _random_day(rng, sku, day, sku != skus[0], clicks_a_day)
    return sorted(log, key=_time)


def _random_day(rng: random.Random, sku: str, day: date, snapshot: bool, clicks: int) -> list[Sent]:
    start, end = midnight(day), midnight(day + timedelta(days=1))
    moments = [start + 12 * HOUR_MS, *sorted(rng.randrange(start, end) for _ in range(1 + clicks // 8))]
    moments += moments[-1:]
    if snapshot:
        moments.insert(0, start)
    stock = [
        level(f"{sku}-{day}-level-{number}", moment, sku, rng.choice([0, 0, 3, 8]))
        for number, moment in enumerate(moments)
    ]
    return stock + [
        _random_click(rng, f"{sku}-{day}-{n}", rng.randrange(start, end), sku) for n in range(clicks)
    ]


def _random_click(rng: random.Random, identity: str, time_ms: int, sku: str) -> Sent:
    return click(
        identity,
        time_ms,
        sku,
        rng.choice(_KINDS),
        session_id=rng.choice([None, "s1", "s2", "s3"]),
        quantity=rng.choice([1, 2.5, 0.333333, 7, 12]),
        unit_price=pounds(f"{rng.randrange(1, 999)}.{rng.randrange(100):02}"),
        list_price=rng.choice([None, pounds(f"{rng.randrange(1, 999)}.{rng.randrange(100):02}")]),
        promotion_id=rng.choice([None, None, None, "xmas"]),
    )


def changing_thresholds(sku: str, day: date) -> list[Sent]:
    """A bulk threshold that changes faster than the bound, and a purchase under each."""
    moments = [midnight(day) + 10 * HOUR_MS + number * BOUND_MS // 2 for number in range(6)]
    items = [item(f"{sku}-item-{at}", at, sku, float(2 + 8 * (at % BOUND_MS > 0))) for at in moments]
    bought = {"quantity": 3, "unit_price": pounds("1.00")}
    clicks = [click(f"{sku}-bought-{at}", at + BOUND_MS // 4, sku, "purchase", **bought) for at in moments]
    return sorted([*items, *clicks], key=_time)


def disordered(log: Sequence[Sent], rng: random.Random) -> list[Arrival]:
    """The events in an order of arrival within the bound, every tenth of them twice.

    Events of one key and millisecond keep their order, as a shop sends them.
    """
    delay: dict[tuple[str, str, int], int] = defaultdict(lambda: rng.randrange(BOUND_MS))
    arrivals = []
    for number, (topic, message) in enumerate(log):
        due = message["event_time_ms"] + delay[topic, message["sku"], message["event_time_ms"]]
        arrivals.append((due, number))
        if rng.random() < 0.1:
            arrivals.append((rng.randrange(due, message["event_time_ms"] + BOUND_MS), number))
    return [(due, log[number]) for due, number in sorted(arrivals)]


def renamed(log: Sequence[Sent], sku: str, name: str) -> list[Sent]:
    """The events of one SKU of the log, under another name."""
    return [
        (topic, {**message, "sku": name, "event_id": f"{name}-{message['event_id']}"})
        for topic, message in log
        if message["sku"] == sku
    ]


def in_order(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Arrivals of several logs as one; what arrives at one instant keeps its order."""
    return sorted(arrivals, key=lambda arrival: arrival[0])


def heartbeats(days: Sequence[date]) -> list[tuple[int, Message]]:
    """When the end of each local day is announced, and the message that does it."""
    instants = (midnight(day + timedelta(days=1)) + BOUND_MS + 1 for day in days)
    return [(at, {"version": 1, "event_type": "heartbeat", "event_time_ms": at}) for at in instants]


def _time(sent: Sent) -> int:
    time_ms: int = sent[1]["event_time_ms"]
    return time_ms
