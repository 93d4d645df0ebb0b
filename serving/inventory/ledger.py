"""Stock and open orders of every SKU as they were at any instant, from stock levels and order events.

On hand comes from stock levels alone: the latest event time wins, ties go to the later offset. Movements
explain levels and are never added to them. Nothing here depends on the order of arrival across topics.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.contracts.inventory import OpenOrder
from infra.contracts.shop import PurchaseOrderEvent, StockLevel
from serving.inventory.local_days import days_between

Key = tuple[str, str]
"""SKU and location."""


@dataclass
class _Order:
    """Events of one order line; which of them count depends on the instant asked for."""

    order_id: str
    events: dict[str, PurchaseOrderEvent] = field(default_factory=dict)

    def _until(self, as_of_ms: int) -> list[PurchaseOrderEvent]:
        known = (event for event in self.events.values() if event.event_time_ms <= as_of_ms)
        return sorted(known, key=lambda event: (event.event_time_ms, event.event_id))

    def open_at(self, as_of_ms: int) -> OpenOrder | None:
        """What was still to come; None before the order is placed and after its last unit."""
        known = self._until(as_of_ms)
        placed = [event for event in known if event.event_type == "placed"]
        if not placed:
            return None
        ordered = [event for event in known if event.event_type in ("placed", "acknowledged")][-1].quantity
        gone = sum(event.quantity for event in known if event.event_type in ("received", "cancelled"))
        if gone >= ordered:
            return None
        first = placed[0]
        return OpenOrder(
            order_id=self.order_id,
            supplier=first.supplier,
            outstanding=ordered - gone,
            placed_ms=first.event_time_ms,
        )


class Ledger:
    """On hand and open orders by key, queryable as of an instant."""

    def __init__(self) -> None:
        self._levels: dict[Key, list[tuple[int, int, int]]] = {}
        self._orders: dict[Key, dict[str, _Order]] = {}

    def apply_level(self, level: StockLevel, offset: int) -> None:
        """Takes a stock level; repeating one changes nothing."""
        entries = self._levels.setdefault((level.sku, level.location), [])
        entry = (level.event_time_ms, offset, level.on_hand)
        if entry not in entries[-1:]:
            insort(entries, entry)

    def apply_order(self, event: PurchaseOrderEvent) -> None:
        """Takes an order event; its id makes a repetition harmless, and a receipt may precede its order."""
        orders = self._orders.setdefault((event.sku, event.location), {})
        order = orders.setdefault(event.order_id, _Order(event.order_id))
        order.events.setdefault(event.event_id, event)

    def keys(self) -> Iterator[Key]:
        """Every key with a level or an order; sorted."""
        return iter(sorted(self._levels.keys() | self._orders.keys()))

    def on_hand(self, key: Key, as_of_ms: int) -> int | None:
        """Units on the shelf, None before the first stock level: unknown, never zero."""
        entries = self._levels.get(key, [])
        known = bisect_right(entries, as_of_ms, key=lambda entry: entry[0])
        return entries[known - 1][2] if known else None

    def open_orders(self, key: Key, as_of_ms: int) -> list[OpenOrder]:
        """What is still to come, oldest order first."""
        orders = (order.open_at(as_of_ms) for order in self._orders.get(key, {}).values())
        return sorted(filter(None, orders), key=lambda order: (order.placed_ms, order.order_id))

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no question about `as_of_ms` or later can need."""
        for key, entries in self._levels.items():
            known = bisect_right(entries, as_of_ms, key=lambda entry: entry[0])
            self._levels[key] = entries[max(0, known - 1) :]


class Receipts:
    """Lead times learnt per supplier, from the orders and receipts of all keys."""

    def __init__(self) -> None:
        self._placed: dict[tuple[str, Key], tuple[str, int]] = {}
        self._received: dict[str, tuple[tuple[str, Key], int]] = {}

    def apply(self, event: PurchaseOrderEvent) -> None:
        """Takes an order event; each receipt counts once, however often it is repeated."""
        line = (event.order_id, (event.sku, event.location))
        if event.event_type == "placed":
            self._placed.setdefault(line, (event.supplier, event.event_time_ms))
        elif event.event_type == "received":
            self._received.setdefault(event.event_id, (line, event.event_time_ms))

    def observed_days(self, as_of_ms: int, time_zone: str) -> dict[str, list[int]]:
        """Calendar days from placed to received of every receipt known then, by supplier."""
        observed: dict[str, list[int]] = {}
        for line, received_ms in self._received.values():
            if received_ms > as_of_ms or line not in self._placed:
                continue
            supplier, placed_ms = self._placed[line]
            observed.setdefault(supplier, []).append(days_between(placed_ms, received_ms, time_zone))
        return observed
