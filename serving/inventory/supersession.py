"""Decisions that take the place of earlier ones, for the Allocator and `stockstream replay` alike."""

from dataclasses import replace
from decimal import Decimal

from infra.contracts import identity
from infra.contracts.inventory import AllocationRun, Proposal, ReasonCode, ReorderDecision
from infra.contracts.planning import DecisionAction
from serving.inventory.allocation import greedy_plan
from serving.inventory.decisions import decision_about, wish_of
from serving.inventory.money import cost_of, total_of
from serving.inventory.order_rules import Steps
from serving.inventory.wishes import Limits

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
    _stop(steps, action)
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


def _stop(steps: Steps, action: DecisionAction) -> None:
    steps.remark(_REASONS[action.event_type], 0, f"{action.author}: {action.reason}")


def redecision(
    proposal: Proposal, replaced: ReorderDecision | None, run: AllocationRun, unspent: Decimal | None
) -> ReorderDecision:
    """The decision about a proposal made between reviews; the group is not solved again.

    It buys what is worth the run's shadow price, as far as the money goes. Where a planner has stopped the
    decision that it replaces, nothing is ordered.

    Args:
        proposal: what the SKU wants now.
        replaced: the decision whose place it takes; None where that one has been placed.
        run: the last one that decided about the SKU.
        unspent: what is left of the run's budget, the cost of `replaced` included; None without a budget.
    """
    steps = Steps(proposal.quantity, list(proposal.adjustments))
    if replaced is not None and replaced.action is not None:
        _stop(steps, replaced.action)
    elif unspent is not None:
        _draw_on(max(unspent, Decimal(0)), steps, proposal, run)
    left = None if unspent is None else total_of(max(unspent, Decimal(0)), run.spent.currency)
    allocation = [identity.digest(run), None if left is None else left.amount]
    made = decision_about(
        proposal, steps.quantity, steps.adjustments, run.run_id, identity.digest(allocation)
    )
    return made.model_copy(
        update={
            "sequence": 1 if replaced is None else replaced.sequence + 1,
            "supersedes": None if replaced is None else replaced.decision_id,
            "unspent_budget": left,
        }
    )


def _draw_on(unspent: Decimal, steps: Steps, proposal: Proposal, run: AllocationRun) -> None:
    currency = proposal.inputs.unit_cost.currency
    if currency != run.spent.currency:
        steps.change("BUDGET", 0, f"costs {currency}, the group plans in {run.spent.currency}")
        return
    wish, price = wish_of(proposal), run.shadow_price or 0.0
    least_value = price * float(wish.unit_cost) * (1 - 1e-9)
    worth_it = [segment for segment in wish.segments if segment.unit_value >= least_value]
    plan = greedy_plan([replace(wish, segments=worth_it)], Limits(unspent))
    detail = f"{unspent} {currency} of the budget unspent, λ = {price:.3g}"
    steps.change("BUDGET", plan[wish.decision_id], detail)
