"""Decisions that take the place of earlier ones, for the Allocator and `stockstream replay` alike."""

from dataclasses import replace
from decimal import Decimal

from infra.contracts import identity
from infra.contracts.inventory import AllocationRun, Proposal, ReasonCode, ReorderDecision
from infra.contracts.planning import DecisionAction
from serving.inventory.allocation import greedy_plan
from serving.inventory.decisions import decision_about, wish_of
from serving.inventory.lead_times import median_lead_days
from serving.inventory.local_days import midnight_after
from serving.inventory.money import cost_of, total_of
from serving.inventory.order_rules import Steps
from serving.inventory.wishes import Limits

_REASONS: dict[str, ReasonCode] = {"hold": "HELD", "reject": "REJECTED", "approve": "RELEASED"}


def is_newer(one: ReorderDecision, other: ReorderDecision) -> bool:
    """Whether a decision comes after another of the same SKU and location."""
    return (one.epoch_ms, one.sequence) > (other.epoch_ms, other.sequence)


def acting_id(sku: str, location: str, action: DecisionAction) -> str:
    """Id of the decision that an action leads to; an action said twice leads to one."""
    return identity.decision_id(sku, location, action.event_time_ms, _cause(action))


def _cause(action: DecisionAction) -> str:
    return f"{action.event_type}:{action.decision_id}"


def is_held(decision: ReorderDecision) -> bool:
    """Whether a planner holds it, so that an approval releases it."""
    return decision.action is not None and decision.action.event_type == "hold"


def held_quantity(held: ReorderDecision) -> int:
    """What a decision would have ordered had it not been held."""
    return held.adjustments[-1].before


def acted_decision(decision: ReorderDecision, action: DecisionAction) -> ReorderDecision:
    """What takes the place of a decision that a planner holds or rejects, or of a held one when released.

    Its epoch is the action's event time. Inputs and allocation are those of the decision that it replaces.
    """
    steps = Steps(decision.quantity, list(decision.adjustments))
    after = held_quantity(decision) if action.event_type == "approve" else 0
    steps.remark(_REASONS[action.event_type], after, f"{action.author}: {action.reason}")
    inputs = decision.inputs
    arrives_ms = midnight_after(action.event_time_ms, median_lead_days(inputs.lead_times), inputs.time_zone)
    return decision.model_copy(
        update={
            "decision_id": acting_id(decision.sku, decision.location, action),
            "epoch_ms": action.event_time_ms,
            "cause": _cause(action),
            "sequence": decision.sequence + 1,
            "supersedes": decision.decision_id,
            "status": "order" if after else "no_order",
            "quantity": after,
            "adjustments": steps.adjustments,
            "cost": cost_of(after, inputs.unit_cost),
            "expected_receipt_ms": arrives_ms if after else None,
            "input_digest": identity.digest([decision.input_digest, action.model_dump(mode="json")]),
            "action": action,
        }
    )


def redecision(
    proposal: Proposal, replaced: ReorderDecision | None, run: AllocationRun, unspent: Decimal | None
) -> ReorderDecision:
    """The decision about a proposal made between reviews; the group is not solved again.

    It buys what is worth the run's shadow price, as far as the money goes. Where a planner has acted on the
    decision that it replaces, that one's quantity stays.

    Args:
        proposal: what the SKU wants now.
        replaced: the decision whose place it takes; None where that one has been placed.
        run: the last one that decided about the SKU.
        unspent: what is left of the run's budget, the cost of `replaced` included; None without a budget.
    """
    steps = Steps(proposal.quantity, list(proposal.adjustments))
    if replaced is not None and (action := replaced.action) is not None:
        steps.remark(_REASONS[action.event_type], replaced.quantity, f"{action.author}: {action.reason}")
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
