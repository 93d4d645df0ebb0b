"""A shop of twelve SKUs, with what the features job would make of its days."""

from infra.contracts.codec import message_key
from infra.contracts.topics import (
    ARCHIVED,
    CALENDARS,
    FEATURES,
    ITEMS,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from infra.kafka import Producer
from tests.unit.serving.records import BOUND_MS, LOCATION, calendar, final_row, item, level, policy

SKUS = [f"S{number}" for number in range(12)]


class SmallShop:
    """Writes what a shop and the features job would write."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def open(self) -> None:
        self._producer.send(CALENDARS, LOCATION.encode(), calendar())
        self._producer.send(POLICIES, b"policy-1", policy("200.00"))
        for sku in SKUS:
            self._producer.send(ITEMS, message_key(sku, LOCATION), item(sku))
            self._producer.send(STOCK_LEVELS, message_key(sku, LOCATION), level(sku, 10))
        self._producer.flush()

    def close_days(self, days: list[str], until_ms: int) -> None:
        for day in days:
            for number, sku in enumerate(SKUS):
                self._producer.send(FEATURES, message_key(sku, LOCATION), final_row(sku, day, 1.0 + number))
        for topic in ARCHIVED:
            self._producer.send_heartbeat(topic, until_ms + BOUND_MS + 1)
        self._producer.flush()

    def send_garbage(self) -> None:
        for topic in (PURCHASE_ORDERS, CALENDARS):
            self._producer.send_bytes(topic, b"x", b"\xff not JSON", partition=1)
        self._producer.flush()
