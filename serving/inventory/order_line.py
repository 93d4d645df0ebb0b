"""One line of a purchase order, from its events in whatever order and number they come."""

from dataclasses import dataclass, field

from infra.contracts.inventory import OpenOrder
from infra.contracts.shop import PurchaseOrderEvent


@dataclass
class OrderLine:
    """Events of one order line; which of them count depends on the instant asked for."""

    order_id: str
    events: dict[str, PurchaseOrderEvent] = field(default_factory=dict)

    def apply(self, event: PurchaseOrderEvent) -> None:
        """Takes an event; its id makes a repetition harmless."""
        self.events.setdefault(event.event_id, event)

    def open_at(self, as_of_ms: int) -> OpenOrder | None:
        """What was still to come; None before the order exists and after its last unit.

        An acknowledgement replaces the quantity that was placed, and stands in for it where the record of
        the placing was lost. What arrives beyond the order leaves nothing to come, never less than nothing.
        """
        known = self._until(as_of_ms)
        agreed = [event for event in known if event.event_type in ("placed", "acknowledged")]
        gone = sum(event.quantity for event in known if event.event_type in ("received", "cancelled"))
        if not agreed or gone >= agreed[-1].quantity:
            return None
        return OpenOrder(
            order_id=self.order_id,
            supplier=agreed[0].supplier,
            outstanding=agreed[-1].quantity - gone,
            placed_ms=agreed[0].event_time_ms,
        )

    def _until(self, as_of_ms: int) -> list[PurchaseOrderEvent]:
        known = (event for event in self.events.values() if event.event_time_ms <= as_of_ms)
        return sorted(known, key=lambda event: (event.event_time_ms, event.event_id))
