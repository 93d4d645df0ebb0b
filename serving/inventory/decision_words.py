"""A reorder decision in words: from what was wanted to what is ordered, with each reason."""

from infra.contracts.inventory import Adjustment, DecisionInputs, ReorderDecision
from serving.inventory.lead_times import median_lead_days
from serving.inventory.local_days import local_date
from serving.inventory.named_policies import policy_words

_PLAIN = {
    "CASE_PACK": "",
    "BUDGET": "",
    "FORECAST_FALLBACK": "fallback forecast",
    "OVERRIDE_FORECAST": "overridden forecast",
    "OVERRIDE_QUANTITY": "overridden quantity",
}
"""Reasons whose code in lower case would not be plain; an empty one leaves the word to the detail."""


def explain_decision(decision: ReorderDecision) -> str:
    """One line: what was wanted and why, each step to what is ordered, and what that costs and brings.

    Quantities are base units; an arrow leads to the quantity after a step, and a step without one changed
    nothing.
    """
    steps = [_step(each) for each in decision.adjustments if each.reason != "POLICY"]
    return "; ".join([_wanted(decision), *steps, _outcome(decision)])


def _wanted(decision: ReorderDecision) -> str:
    purpose = "" if decision.status == "blocked" else f" {_purpose(decision.inputs)}"
    wanted = f"wanted {decision.unconstrained_quantity}{purpose}{_promised(decision.inputs)}"
    return wanted if not decision.is_revision() else f"because of {decision.cause}: {wanted}"


def _purpose(inputs: DecisionInputs) -> str:
    if inputs.replenishment is not None:
        return f"by {policy_words(inputs)}"
    days = median_lead_days(inputs.lead_times) + inputs.review_period_days
    return f"to cover {days} days at {inputs.cycle_service_level * 100:.3g} %"


def _promised(inputs: DecisionInputs) -> str:
    units = {"backordered": inputs.backordered, "reserved": inputs.reserved}
    said = " and ".join(f"{count} {name}" for name, count in units.items() if count)
    return f" with {said}" if said else ""


def _step(step: Adjustment) -> str:
    plain = _PLAIN.get(step.reason, step.reason.lower().replace("_", " "))
    said = f"{plain} ({step.detail})" if plain and step.detail else plain or step.detail
    return f"{said} → {step.after}" if step.after != step.before else said


def _outcome(decision: ReorderDecision) -> str:
    if decision.status == "blocked":
        return "blocked, nothing is ordered"
    if decision.quantity == 0:
        return "nothing is ordered"
    ordered = (
        f"{decision.quantity} from {decision.supplier} for {decision.cost.amount} {decision.cost.currency}"
    )
    if decision.expected_receipt_ms is None:
        return ordered
    return f"{ordered}, expected {local_date(decision.expected_receipt_ms, decision.inputs.time_zone)}"
