"""Decisions to order that purchasing has not answered: on their way to being orders, so they count as such.

Between a decision and the record of its order lie minutes or days, and records are lost. A decision made
meanwhile that did not know of the first would order the same units again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.contracts.inventory import OpenOrder, ReorderDecision
from infra.contracts.shop import PurchaseOrderEvent

LAPSES_AFTER_MS = 7 * 24 * 3600 * 1000
"""A decision that has no answer this long after its epoch is taken as declined."""


@dataclass
class UnansweredDecisions:
    """Decisions by SKU and location, with the instant from which each is no longer waited for."""

    _decisions: dict[tuple[str, str], dict[str, ReorderDecision]] = field(default_factory=dict)
    _over: dict[str, int] = field(default_factory=dict)

    def apply_decision(self, decision: ReorderDecision) -> None:
        """Takes a decision; from its epoch on it takes the place of the one that it supersedes."""
        of_key = self._decisions.setdefault((decision.sku, decision.location), {})
        of_key.setdefault(decision.decision_id, decision)
        if decision.supersedes is not None:
            self._end(decision.supersedes, decision.epoch_ms)

    def apply_order(self, event: PurchaseOrderEvent) -> None:
        """Takes an order event: whatever it says, the decision that it names has been answered."""
        if event.decision_id is not None:
            self._end(event.decision_id, event.event_time_ms)

    def _end(self, decision_id: str, time_ms: int) -> None:
        self._over[decision_id] = min(time_ms, self._over.get(decision_id, time_ms))

    def at(self, key: tuple[str, str], as_of_ms: int) -> Iterator[OpenOrder]:
        """What decisions before the instant will bring, under the id of the decision."""
        for decision in self._decisions.get(key, {}).values():
            waiting = 0 < as_of_ms - decision.epoch_ms <= LAPSES_AFTER_MS
            if (
                waiting
                and decision.quantity > 0
                and as_of_ms < self._over.get(decision.decision_id, as_of_ms + 1)
            ):
                yield OpenOrder(
                    order_id=decision.decision_id,
                    supplier=decision.supplier,
                    outstanding=decision.quantity,
                    placed_ms=decision.epoch_ms,
                )

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no question about `as_of_ms` or later can need."""
        for key, of_key in self._decisions.items():
            kept = {k: each for k, each in of_key.items() if as_of_ms - each.epoch_ms <= LAPSES_AFTER_MS}
            self._decisions[key] = kept
        self._over = {
            k: time_ms for k, time_ms in self._over.items() if as_of_ms - time_ms <= 2 * LAPSES_AFTER_MS
        }
