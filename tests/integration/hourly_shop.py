"""A simulated shop that sends hour after hour, and a plain sum over what it sent."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.contracts.codec import message_key
from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS
from infra.kafka import Producer
from tests.integration.click_corpus import PRICE, click

SKUS = [f"SKU-{number}" for number in range(6)]
ZONE = ZoneInfo("Europe/London")
FIRST_HOUR = datetime(2011, 10, 28, tzinfo=ZONE).astimezone(UTC)
HOUR_MS = 3_600_000
DISORDER_MS = 60_000
OVERDUE_HOURS = 2
"""Far beyond the bound, in a day that is still open."""

Row = tuple[str, int]


@dataclass
class DayOfSku:
    """What a SKU's final row must say."""

    views: int = 0
    units: int = 0
    in_stock_ms: int = 0


class Shop:
    """Sends hour after hour of events, and adds up what each local day of a SKU must come to."""

    def __init__(self, producer: Producer, rng: random.Random) -> None:
        self._producer = producer
        self._rng = rng
        self._on_hand = dict.fromkeys(SKUS, 5)
        self.hours = 0
        self.is_overdue = False
        self.overdue = 0
        self.expected: dict[Row, DayOfSku] = defaultdict(DayOfSku)

    def send_hour(self) -> None:
        """Each SKU is seen, perhaps bought, perhaps sold out or filled up; one message is malformed."""
        start = self._now
        if self.hours == 0:
            self._send_snapshots(start)
        for sku in SKUS:
            self._send_events(sku, start)
        broken = click(f"broken-{self.hours}", _ms(start), quantity=-self.hours - 1)
        self._send(CLICKSTREAM, broken)
        self.hours += 1
        if self.day_is_complete:
            self._send_snapshots(self._now)
        self._send_heartbeats(_ms(self._now))

    def close_last_day(self) -> None:
        """Tells every topic that the day has ended and that nothing of it is still on its way."""
        self._send_heartbeats(_ms(self._now) + DISORDER_MS + 1)
        self._producer.flush()

    def _send_heartbeats(self, time_ms: int) -> None:
        for topic in (CLICKSTREAM, STOCK_LEVELS, ITEMS):
            self._producer.send_heartbeat(topic, time_ms)

    @property
    def day_is_complete(self) -> bool:
        return _local_midnight(self._now) == self._now

    @property
    def _now(self) -> datetime:
        return FIRST_HOUR + timedelta(hours=self.hours)

    def _send_snapshots(self, midnight: datetime) -> None:
        for sku in SKUS:
            self._send_level(f"{sku}-{_ms(midnight)}-snapshot", _ms(midnight), sku, "snapshot")

    def _send_events(self, sku: str, start: datetime) -> None:
        name, start_ms = f"{sku}-{self.hours}", _ms(start)
        day = self.expected[sku, _ms(_local_midnight(start))]
        for number in range(self._rng.randrange(1, 4)):
            self._send(CLICKSTREAM, click(f"{name}-{number}", start_ms + number, sku=sku))
            day.views += 1
        if self.is_overdue and start - _local_midnight(start) >= timedelta(hours=OVERDUE_HOURS):
            self._send(CLICKSTREAM, click(f"{name}-overdue", start_ms - OVERDUE_HOURS * HOUR_MS, sku=sku))
            day.views += 1
            self.overdue += 1
        if self._rng.random() < 0.3:
            quantity = self._rng.randrange(1, 9)
            bought = {"event_type": "purchase", "quantity": quantity, "unit_price": PRICE}
            self._send(CLICKSTREAM, click(f"{name}-bought", start_ms + 30_000, sku=sku, **bought))
            day.units += quantity
        self._change_stock(name, sku, start_ms, day)

    def _change_stock(self, name: str, sku: str, start_ms: int, day: DayOfSku) -> None:
        after_ms = self._rng.randrange(600_000, HOUR_MS)
        before = self._on_hand[sku]
        if self._rng.random() < 0.2:
            self._on_hand[sku] = self._rng.choice([0, 7])
            self._send_level(f"{name}-level", start_ms + after_ms, sku, "level")
        day.in_stock_ms += after_ms * (before > 0) + (HOUR_MS - after_ms) * (self._on_hand[sku] > 0)

    def _send_level(self, name: str, time_ms: int, sku: str, kind: str) -> None:
        self._send(STOCK_LEVELS, click(name, time_ms, sku=sku, event_type=kind, on_hand=self._on_hand[sku]))

    def _send(self, topic: str, event: dict[str, Any]) -> None:
        self._producer.send_bytes(
            topic, message_key(event["sku"], event["location"]), json.dumps(event).encode()
        )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _local_midnight(moment: datetime) -> datetime:
    local = moment.astimezone(ZONE)
    return datetime(local.year, local.month, local.day, tzinfo=ZONE).astimezone(UTC)
