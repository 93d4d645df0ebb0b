"""A log of real clicks, replayed as it was: views, additions to carts and purchases of a day or two.

A row is `user_id`, `item_id`, `behavior` (pv, cart, fav, buy) and `epoch_seconds`, as in Alibaba's
UserBehavior set (tianchi.aliyun.com, data set 649). It knows no sessions, quantities or prices: sessions stay
unknown, a purchase is of one unit at a price of 0 in the currency XXX, ISO 4217's code for no currency. A
favourite has no event type; it is left out and counted.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pyarrow as pa

from infra.contracts.codec import message_key
from infra.contracts.message import Money
from infra.contracts.shop import ClickEvent
from infra.contracts.topics import CLICKSTREAM
from infra.errors import StockstreamError
from infra.heartbeat import send_heartbeats
from infra.kafka import Producer
from serving.inventory.local_days import midnight_after

EVENT_TYPES = MappingProxyType({"pv": "view", "cart": "add_to_cart", "buy": "purchase"})
LEFT_OUT = "fav"
_COLUMNS = ("user_id", "item_id", "behavior", "epoch_seconds")
_UNKNOWN_PRICE = Money(amount="0", currency="XXX")
_PROGRESS_EVERY = 20_000


@dataclass(frozen=True)
class Replayed:
    """What a replay has sent, by event type, and left out."""

    sent: Counter[str]
    left_out: int


def read_click_log(path: Path) -> pd.DataFrame:
    """The rows of a Parquet file in order of time.

    Raises:
        StockstreamError: it cannot be read, lacks a column, or holds another behaviour.
    """
    try:
        rows = pd.read_parquet(path, columns=list(_COLUMNS))
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise StockstreamError(
            f"{path}: a Parquet file with {', '.join(_COLUMNS)} is accepted: {error}"
        ) from None
    accepted = {*EVENT_TYPES, LEFT_OUT}
    if unknown := sorted(set(rows["behavior"]) - accepted):
        raise StockstreamError(
            f"{path}: behavior has value {unknown[0]!r}: one of {', '.join(sorted(accepted))} is accepted"
        )
    return rows.sort_values("epoch_seconds", kind="stable", ignore_index=True)


def clicks(rows: pd.DataFrame, location: str) -> Iterator[ClickEvent]:
    """The events of a log at a location; event ids number its rows, so that a second replay repeats them."""
    known = rows[rows["behavior"] != LEFT_OUT]
    for number, user, item, behavior, seconds in known[list(_COLUMNS)].itertuples():
        event_type = EVENT_TYPES[behavior]
        yield ClickEvent.model_validate(
            {
                "event_id": f"click-{number}",
                "event_time_ms": seconds * 1000,
                "sku": str(item),
                "location": location,
                "event_type": event_type,
                "user_id": f"user-{user}",
                "quantity": None if event_type == "view" else 1.0,
                "unit_price": _UNKNOWN_PRICE if event_type == "purchase" else None,
            }
        )


def replay_clicks(
    producer: Producer, rows: pd.DataFrame, location: str, time_zone: str, bound_ms: int, speed: float
) -> Replayed:
    """Sends a log's events and closes its last local day.

    Args:
        producer: where to.
        rows: of `read_click_log`.
        location: of all events.
        time_zone: whose local day is closed.
        bound_ms: bound of disorder, milliseconds.
        speed: how many times faster than it happened; 0 for as fast as possible.
    """
    sent: Counter[str] = Counter()
    first_ms = int(rows["epoch_seconds"].min()) * 1000
    wait = _pace(first_ms, speed)
    event_time_ms = first_ms
    for event in clicks(rows, location):
        wait(event.event_time_ms)
        producer.send(CLICKSTREAM, message_key(event.sku, location), event)
        sent[event.event_type] += 1
        event_time_ms = event.event_time_ms
        if sent.total() % _PROGRESS_EVERY == 0:
            print(f"{sent.total():,} events sent", flush=True)
    producer.flush()
    send_heartbeats(producer, midnight_after(event_time_ms, 1, time_zone) + bound_ms + 1)
    return Replayed(sent, int((rows["behavior"] == LEFT_OUT).sum()))


def _pace(first_ms: int, speed: float) -> Callable[[int], None]:
    """Waits until an event's time has come."""
    began = time.monotonic()

    def wait(event_time_ms: int) -> None:
        if speed:
            due = began + (event_time_ms - first_ms) / 1000 / speed
            time.sleep(max(0.0, due - time.monotonic()))

    return wait
