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
    """Decisions by SKU and location, with the instants from which each is superseded and answered."""

    _decisions: dict[tuple[str, str], dict[str, ReorderDecision]] = field(default_factory=dict)
    _superseded: dict[str, int] = field(default_factory=dict)
    _answered: dict[str, int] = field(default_factory=dict)

    def apply_decision(self, decision: ReorderDecision) -> None:
        """Takes a decision; from its epoch on it takes the place of the one that it supersedes."""
        of_key = self._decisions.setdefault((decision.sku, decision.location), {})
        of_key.setdefault(decision.decision_id, decision)
        if decision.supersedes is not None:
            _keep_earliest(self._superseded, decision.supersedes, decision.epoch_ms)

    def apply_order(self, event: PurchaseOrderEvent) -> None:
        """Takes an order event: whatever it says, the decision that it names has been answered."""
        if event.decision_id is not None:
            _keep_earliest(self._answered, event.decision_id, event.event_time_ms)

    def is_answered(self, decision_id: str, as_of_ms: int) -> bool:
        """Whether an order event had named the decision by then."""
        return self._answered.get(decision_id, as_of_ms + 1) <= as_of_ms

    def _is_waited_for(self, decision: ReorderDecision, as_of_ms: int) -> bool:
        made_id = decision.decision_id
        is_recent = 0 < as_of_ms - decision.epoch_ms <= LAPSES_AFTER_MS
        is_superseded = self._superseded.get(made_id, as_of_ms + 1) <= as_of_ms
        return is_recent and not is_superseded and not self.is_answered(made_id, as_of_ms)

    def at(self, key: tuple[str, str], as_of_ms: int) -> Iterator[OpenOrder]:
        """What decisions before the instant will bring, under the id of the decision."""
        for decision in self._decisions.get(key, {}).values():
            if decision.quantity > 0 and self._is_waited_for(decision, as_of_ms):
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
        for instants in (self._superseded, self._answered):
            for old in [k for k, time_ms in instants.items() if as_of_ms - time_ms > 2 * LAPSES_AFTER_MS]:
                del instants[old]


def _keep_earliest(instants: dict[str, int], decision_id: str, time_ms: int) -> None:
    instants[decision_id] = min(time_ms, instants.get(decision_id, time_ms))
