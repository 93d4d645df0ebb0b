"""One line of a purchase order, from its events in whatever order and number they come."""

from dataclasses import dataclass, field
from typing import NamedTuple

from infra.contracts.inventory import OpenOrder
from infra.contracts.shop import PurchaseOrderEvent


class _Event(NamedTuple):
    time_ms: int
    event_id: str
    kind: str
    quantity: int
    supplier: str
    decision_id: str


@dataclass(slots=True)
class OrderLine:
    """Events of one order line; which of them count depends on the instant asked for."""

    order_id: str
    _events: list[_Event] = field(default_factory=list)

    def apply(self, event: PurchaseOrderEvent) -> None:
        """Takes an event; its id makes a repetition harmless."""
        if all(event.event_id != known.event_id for known in self._events):
            self._events = sorted([*self._events, _event(event)])

    def open_at(self, as_of_ms: int) -> OpenOrder | None:
        """What was still to come; None before the order exists and after its last unit.

        An acknowledgement replaces the quantity that was placed, and stands in for it where the record of
        the placing was lost. What arrives beyond the order leaves nothing to come, never less than nothing.
        """
        known = [event for event in self._events if event.time_ms <= as_of_ms]
        agreed = [event for event in known if event.kind in ("placed", "acknowledged")]
        gone = sum(event.quantity for event in known if event.kind in ("received", "cancelled"))
        if not agreed or gone >= agreed[-1].quantity:
            return None
        return OpenOrder(
            order_id=self.order_id,
            supplier=agreed[0].supplier,
            outstanding=agreed[-1].quantity - gone,
            placed_ms=agreed[0].time_ms,
        )

    def received(self, after_ms: int, until_ms: int) -> int:
        """Units that arrived after one instant, up to another."""
        known = (event for event in self._events if after_ms < event.time_ms <= until_ms)
        return sum(event.quantity for event in known if event.kind == "received")

    def answers(self, decision_id: str, as_of_ms: int) -> bool:
        """Whether an event up to the instant names the decision."""
        return any(event.decision_id == decision_id and event.time_ms <= as_of_ms for event in self._events)

    def is_settled(self, as_of_ms: int) -> bool:
        """Whether nothing is to come at the instant or, by what is known, at any later one."""
        ended = any(event.kind in ("received", "cancelled") for event in self._events)
        return ended and self._events[-1].time_ms <= as_of_ms and self.open_at(as_of_ms) is None


def _event(event: PurchaseOrderEvent) -> _Event:
    return _Event(
        event.event_time_ms,
        event.event_id,
        event.event_type,
        event.quantity,
        event.supplier,
        event.decision_id or "",
    )
