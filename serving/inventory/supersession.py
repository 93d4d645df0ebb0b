"""Decisions that take the place of earlier ones, for the Allocator and `stockstream replay` alike."""

from infra.contracts import identity
from infra.contracts.inventory import ReasonCode, ReorderDecision
from infra.contracts.planning import DecisionAction
from serving.inventory.money import cost_of
from serving.inventory.order_rules import Steps

_REASONS: dict[str, ReasonCode] = {"hold": "HELD", "reject": "REJECTED"}


def is_newer(one: ReorderDecision, other: ReorderDecision) -> bool:
    """Whether a decision comes after another of the same SKU and location."""
    return (one.epoch_ms, one.sequence) > (other.epoch_ms, other.sequence)


def stopping_id(sku: str, location: str, action: DecisionAction) -> str:
    """Id of the decision that an action leads to; an action said twice leads to one."""
    return identity.decision_id(sku, location, action.event_time_ms, _cause(action))


def _cause(action: DecisionAction) -> str:
    return f"{action.event_type}:{action.decision_id}"


def stopped_decision(stopped: ReorderDecision, action: DecisionAction) -> ReorderDecision:
    """What takes the place of a decision that a planner holds or rejects: nothing is ordered.

    Its epoch is the action's event time. Inputs and allocation are those of the decision that it stops.
    """
    steps = Steps(stopped.quantity, list(stopped.adjustments))
    steps.remark(_REASONS[action.event_type], 0, f"{action.author}: {action.reason}")
    return stopped.model_copy(
        update={
            "decision_id": stopping_id(stopped.sku, stopped.location, action),
            "epoch_ms": action.event_time_ms,
            "cause": _cause(action),
            "sequence": stopped.sequence + 1,
            "supersedes": stopped.decision_id,
            "status": "no_order",
            "quantity": 0,
            "adjustments": steps.adjustments,
            "cost": cost_of(0, stopped.inputs.unit_cost),
            "expected_receipt_ms": None,
            "input_digest": identity.digest([stopped.input_digest, action.model_dump(mode="json")]),
            "action": action,
        }
    )
