"""Stock and open orders of every SKU as they were at any instant, from stock levels and order events.

What is on hand, owed and reserved comes from stock levels alone: the latest event time wins, ties go to the
later offset. A level says all three; what it leaves out is 0, not as it was. Movements explain levels and are
never added to them. Nothing here depends on the order of arrival across topics.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.contracts.inventory import OpenOrder, ReorderDecision
from infra.contracts.shop import PurchaseOrderEvent, StockLevel
from serving.inventory.local_days import days_between
from serving.inventory.order_line import OrderLine
from serving.inventory.unanswered import UnansweredDecisions

Key = tuple[str, str]
"""SKU and location."""


class Stock(NamedTuple):
    """Units on the shelf, units owed to customers who wait, and units set aside for some."""

    on_hand: int
    backordered: int = 0
    reserved: int = 0

    @property
    def net(self) -> int:
        """On hand that is free, less what is owed; below 0 where more is owed or set aside than is there."""
        return self.on_hand - self.backordered - self.reserved


class Ledger:
    """Stock and open orders by key, queryable as of an instant."""

    def __init__(self) -> None:
        self._levels: dict[Key, list[tuple[int, int, Stock]]] = {}
        self._orders: dict[Key, dict[str, OrderLine]] = {}
        self._settled: dict[Key, dict[str, OrderLine]] = {}
        self._unanswered = UnansweredDecisions()

    def apply_level(self, level: StockLevel, offset: int) -> None:
        """Takes a stock level; repeating one changes nothing."""
        entries = self._levels.setdefault((level.sku, level.location), [])
        stock = Stock(level.on_hand, level.backordered, level.reserved)
        entry = (level.event_time_ms, offset, stock)
        if entry not in entries[-1:]:
            insort(entries, entry)

    def apply_order(self, event: PurchaseOrderEvent) -> None:
        """Takes an order event; its id makes a repetition harmless, and a receipt may precede its order."""
        key = (event.sku, event.location)
        line = self._settled.get(key, {}).pop(event.order_id, None) or OrderLine(event.order_id)
        self._orders.setdefault(key, {}).setdefault(event.order_id, line).apply(event)
        self._unanswered.apply_order(event)

    def apply_decision(self, decision: ReorderDecision) -> None:
        """Takes a decision; repeating one changes nothing."""
        self._unanswered.apply_decision(decision)

    def is_placed(self, key: Key, decision_id: str, as_of_ms: int) -> bool:
        """Whether an order event of the key had named the decision by then."""
        return any(line.answers(decision_id, as_of_ms) for line in self._lines(key))

    def _lines(self, key: Key) -> Iterator[OrderLine]:
        yield from self._orders.get(key, {}).values()
        yield from self._settled.get(key, {}).values()

    def keys(self) -> Iterator[Key]:
        """Every key with a level or an order; sorted."""
        return iter(sorted(self._levels.keys() | self._orders.keys()))

    def on_hand(self, key: Key, as_of_ms: int) -> int | None:
        """Units on the shelf, None before the first stock level: unknown, never zero."""
        stock = self.stock(key, as_of_ms)
        return None if stock is None else stock.on_hand

    def stock(self, key: Key, as_of_ms: int) -> Stock | None:
        """What the latest stock level says, None before the first."""
        entries = self._levels.get(key, [])
        known = bisect_right(entries, as_of_ms, key=lambda entry: entry[0])
        return entries[known - 1][2] if known else None

    def open_orders(self, key: Key, as_of_ms: int) -> list[OpenOrder]:
        """What is still to come, oldest order first."""
        orders = (order.open_at(as_of_ms) for order in self._orders.get(key, {}).values())
        return _oldest_first(filter(None, orders))

    def received(self, key: Key, after_ms: int, until_ms: int) -> int:
        """Units of all orders that arrived after one instant, up to another."""
        return sum(line.received(after_ms, until_ms) for line in self._lines(key))

    def on_order(self, key: Key, as_of_ms: int) -> list[OpenOrder]:
        """Open orders, and earlier decisions that are still to become orders; oldest first."""
        return _oldest_first([*self.open_orders(key, as_of_ms), *self._unanswered.at(key, as_of_ms)])

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no question about `as_of_ms` or later can need, and sets settled orders aside.

        They are kept, since a late repetition of one's placing would otherwise open it again.
        """
        for key, entries in self._levels.items():
            known = bisect_right(entries, as_of_ms, key=lambda entry: entry[0])
            self._levels[key] = entries[max(0, known - 1) :]
        for key, orders in self._orders.items():
            settled = [each for each in orders.values() if each.is_settled(as_of_ms)]
            self._settled.setdefault(key, {}).update(
                (each.order_id, orders.pop(each.order_id)) for each in settled
            )
        self._unanswered.forget_before(as_of_ms)


def _oldest_first(orders: Iterable[OpenOrder]) -> list[OpenOrder]:
    return sorted(orders, key=lambda order: (order.placed_ms, order.order_id))


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
