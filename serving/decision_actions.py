"""What planners say to decisions: a hold or a rejection stops one not yet placed, an approval releases it."""

import logging

from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import DecisionAction
from infra.contracts.shop import PurchaseOrderEvent
from infra.metrics import Meters
from serving.current_decisions import CurrentDecisions
from serving.inventory.money import decimal_of
from serving.inventory.supersession import acted_decision, acting_id, held_quantity, is_held

_REVISING = ("stopped", "released")

log = logging.getLogger(__name__)


class DecisionActions:
    """The actions that await the decision they name.

    An action counts for the decision that it names if that is still the newest of its SKU, and if no order
    placed up to the action's event time names it.
    """

    def __init__(self, current: CurrentDecisions, meters: Meters) -> None:
        self._current, self._meters = current, meters
        self._placed: dict[str, int] = {}
        self._waiting: dict[str, dict[int, DecisionAction]] = {}

    def apply(self, message: DecisionAction | PurchaseOrderEvent) -> None:
        """Takes a record; repeating one changes nothing."""
        match message:
            case DecisionAction():
                self._waiting.setdefault(message.decision_id, {})[message.event_time_ms] = message
            case PurchaseOrderEvent(decision_id=str(placed), event_time_ms=time_ms):
                self._placed[placed] = min(time_ms, self._placed.get(placed, time_ms))

    def due(self) -> list[ReorderDecision]:
        """The decisions that actions lead to, each once."""
        known = [decision_id for decision_id in self._waiting if decision_id in self._current]
        actions = [each for decision_id in known for each in self._waiting.pop(decision_id).values()]
        stopped = (self._answer(each) for each in sorted(actions, key=_by_event_time))
        return [decision for decision in stopped if decision is not None]

    def _answer(self, action: DecisionAction) -> ReorderDecision | None:
        key = self._current.key_of(action.decision_id)
        if acting_id(*key, action) in self._current:
            return None
        decision, outcome = self._current.newest(key), "recorded"
        if (
            decision is None
            or decision.decision_id != action.decision_id
            or action.event_time_ms < decision.epoch_ms
        ):
            outcome = "not_current"
        elif self._placed.get(action.decision_id, action.event_time_ms + 1) <= action.event_time_ms:
            outcome = "already_placed"
        elif action.event_type != "approve":
            outcome = "stopped"
        elif is_held(decision):
            outcome = "released" if self._is_affordable(decision) else "no_budget"
        self._report(action, outcome)
        return acted_decision(decision, action) if decision and outcome in _REVISING else None

    def _is_affordable(self, held: ReorderDecision) -> bool:
        """Whether the budget that its run shared still has the money: others may have drawn on it since."""
        unspent = self._current.unspent_of(held.allocation_run_id)
        return unspent is None or decimal_of(held.inputs.unit_cost) * held_quantity(held) <= unspent

    def _report(self, action: DecisionAction, outcome: str) -> None:
        self._meters.record("stockstream_decision_actions_total", outcome=outcome)
        if outcome in ("not_current", "already_placed", "no_budget"):
            log.warning(
                "%s of decision %s by %s has no effect: %s",
                action.event_type, action.decision_id, action.author, outcome.replace("_", " "),
            )  # fmt: skip


def _by_event_time(action: DecisionAction) -> tuple[int, str]:
    return action.event_time_ms, action.decision_id
