"""Positions: on hand and open orders of every owned key, published once per closed local day."""

from infra.contracts.codec import message_key
from infra.contracts.inventory import Position
from infra.contracts.topics import POSITIONS, PURCHASE_ORDERS, STOCK_LEVELS, STOCK_MOVEMENTS
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after
from serving.partition_log import Entry, Outgoing
from serving.planner_state import PlannerState

_SOURCES = (STOCK_LEVELS, PURCHASE_ORDERS, STOCK_MOVEMENTS)


class Positions:
    """Publishes the state at the latest day close; days that close together are coalesced."""

    def __init__(self) -> None:
        self._published: dict[Key, int] = {}
        self._partitions: dict[Key, int] = {}
        self._closed: dict[tuple[int, str], int] = {}
        self._later: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._next: dict[tuple[str, int], int] = {}

    def apply(self, entry: Entry) -> None:
        """Takes an input record of an owned partition, or a position published before."""
        message = entry.message
        if isinstance(message, Position):
            key = (message.sku, message.location)
            self._published[key] = max(message.as_of_ms, self._published.get(key, 0))
        elif entry.topic in _SOURCES:
            source = (entry.topic, entry.partition)
            self._later.setdefault(source, []).append((message.event_time_ms, entry.offset))
            self._next[source] = max(entry.offset + 1, self._next.get(source, 0))
            if hasattr(message, "sku"):
                self._partitions[(message.sku, message.location)] = entry.partition

    def due(self, state: PlannerState) -> list[Outgoing]:
        """The positions at day closes that have not been published yet."""
        outgoing = []
        for key, partition in sorted(self._partitions.items()):
            closed_ms = self._day_close(state, partition, key[1])
            if closed_ms is not None and closed_ms > self._published.get(key, -1):
                position = self._position(state, key, partition, closed_ms)
                outgoing.append(Outgoing(POSITIONS, message_key(*key), position))
                self._published[key] = closed_ms
        return outgoing

    def _day_close(self, state: PlannerState, partition: int, location: str) -> int | None:
        """The latest local midnight that the partition's inputs have passed."""
        until = min(state.event_time.complete_until(topic, partition) for topic in _SOURCES)
        calendar = state.calendars.get(location, until)
        return None if calendar is None else midnight_after(until, 0, calendar.time_zone)

    def _position(self, state: PlannerState, key: Key, partition: int, as_of_ms: int) -> Position:
        stock = state.ledger.stock(key, as_of_ms)
        return Position(
            sku=key[0],
            location=key[1],
            as_of_ms=as_of_ms,
            on_hand=stock.on_hand if stock else None,
            backordered=stock.backordered if stock else 0,
            reserved=stock.reserved if stock else 0,
            unexplained_gain=self._unexplained_gain(state, key, as_of_ms),
            open_orders=state.ledger.open_orders(key, as_of_ms),
            source_offsets={topic: self._next_offset(topic, partition, as_of_ms) for topic in _SOURCES},
        )

    def _unexplained_gain(self, state: PlannerState, key: Key, as_of_ms: int) -> int:
        since_ms = self._published.get(key)
        if since_ms is None:
            return 0
        before, after = (state.ledger.on_hand(key, at_ms) for at_ms in (since_ms, as_of_ms))
        return state.account.unexplained_gain(key, since_ms, as_of_ms, before, after)

    def _next_offset(self, topic: str, partition: int, as_of_ms: int) -> int:
        """The first offset whose record is later than the position."""
        source = (topic, partition)
        self._later[source] = [entry for entry in self._later.get(source, []) if entry[0] > as_of_ms]
        return min((offset for _, offset in self._later[source]), default=self._next.get(source, 0))

    def earliest_needed(self) -> int | None:
        """The oldest instant that a position still to come can be asked for."""
        return min(self._published.values(), default=None)
