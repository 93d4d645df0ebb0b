"""From the proposals of a group's epoch to its allocation run and its reorder decisions.

The Allocator and `stockstream replay` both build runs and decisions here.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence

from infra.contracts import identity
from infra.contracts.inventory import (
    Adjustment,
    AllocatedLine,
    AllocationRun,
    Proposal,
    ReorderDecision,
    SolverOptions,
)
from infra.contracts.message import Money
from serving.inventory.allocation import Allocation, Wish, allocate
from serving.inventory.money import cost_of, decimal_of, total_of
from serving.inventory.order_rules import Steps

_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "stockstream:allocation-run")
_MAX_IDENTIFIER = 64


def allocation_run_id(planning_group: str, epoch_ms: int) -> str:
    """The one run of a group's epoch."""
    return str(uuid.uuid5(_RUNS, f"{planning_group}|{epoch_ms}"))


def order_group_id(supplier: str, epoch_ms: int) -> str:
    """What is ordered from one supplier at one epoch belongs together."""
    readable = f"{supplier}:{epoch_ms}"
    return readable if len(readable) <= _MAX_IDENTIFIER else str(uuid.uuid5(_RUNS, readable))


def allocation_run(
    proposals: Sequence[Proposal],
    group_and_epoch: tuple[str, int],
    budget: Money | None,
    missing_partitions: Sequence[int],
    options: SolverOptions,
) -> AllocationRun:
    """Shares the budget among the proposals; the same whatever their order.

    A group plans in one currency, that of its budget or else of most of its proposals; what costs another
    currency cannot be weighed against the budget and is not ordered.
    """
    group, epoch_ms = group_and_epoch
    proposals = sorted(proposals, key=lambda proposal: proposal.decision_id)
    currency = budget.currency if budget else _usual_currency(proposals)
    comparable = [each for each in proposals if each.inputs.unit_cost.currency == currency]
    wishes = [wish_of(proposal) for proposal in comparable]
    result = allocate(wishes, None if budget is None else decimal_of(budget), options)
    return AllocationRun(
        run_id=allocation_run_id(group, epoch_ms),
        planning_group=group,
        epoch_ms=epoch_ms,
        budget=budget,
        proposals_digest=proposals_digest(proposals),
        missing_partitions=sorted(missing_partitions),
        solver=options,
        status=result.status,
        objective=result.objective,
        gap=result.gap,
        shadow_price=result.shadow_price,
        spent=total_of(result.spent, currency),
        lines=[_line(proposal, result) for proposal in proposals],
    )


def wish_of(proposal: Proposal) -> Wish:
    """A proposal as the allocation sees it."""
    return Wish(
        proposal.decision_id,
        proposal.quantity,
        proposal.inputs.case_pack,
        decimal_of(proposal.inputs.unit_cost),
        proposal.segments,
    )


def proposals_digest(proposals: Sequence[Proposal]) -> str:
    """Digest of what was weighed: which decisions, from which inputs."""
    return identity.digest(sorted([each.decision_id, each.input_digest] for each in proposals))


def _usual_currency(proposals: Sequence[Proposal]) -> str:
    counts = Counter(proposal.inputs.unit_cost.currency for proposal in proposals)
    return min(counts, key=lambda currency: (-counts[currency], currency), default="XXX")


def _line(proposal: Proposal, result: Allocation) -> AllocatedLine:
    allocated = result.plan.get(proposal.decision_id, 0)
    return AllocatedLine(decision_id=proposal.decision_id, wanted=proposal.quantity, allocated=allocated)


def decisions_of(proposals: Iterable[Proposal], run: AllocationRun) -> list[ReorderDecision]:
    """What a run decided about proposals, in their order; blocked where one came after the run."""
    lines, digest = {line.decision_id: line for line in run.lines}, identity.digest(run)
    return [_decision(proposal, run, lines.get(proposal.decision_id), digest) for proposal in proposals]


def _decision(
    proposal: Proposal, run: AllocationRun, line: AllocatedLine | None, run_digest: str
) -> ReorderDecision:
    quantity = line.allocated if line else 0
    blocked = proposal.blocked or line is None
    made = decision_about(proposal, quantity, _adjustments(proposal, run, line), run.run_id, run_digest)
    return made.model_copy(update={"status": "blocked"}) if blocked else made


def decision_about(
    proposal: Proposal, quantity: int, adjustments: list[Adjustment], run_id: str, allocation_digest: str
) -> ReorderDecision:
    """The first decision about a proposal, once it is known how much is ordered and why."""
    inputs = proposal.inputs
    return ReorderDecision(
        decision_id=proposal.decision_id,
        sku=proposal.sku,
        location=proposal.location,
        epoch_ms=proposal.epoch_ms,
        cause=proposal.cause,
        sequence=1,
        status="order" if quantity else "no_order",
        quantity=quantity,
        unconstrained_quantity=proposal.unconstrained_quantity,
        adjustments=adjustments,
        supplier=inputs.supplier,
        order_group_id=order_group_id(inputs.supplier, proposal.epoch_ms),
        cost=cost_of(quantity, inputs.unit_cost),
        expected_receipt_ms=proposal.expected_receipt_ms if quantity else None,
        forecaster=proposal.forecaster,
        inputs=inputs,
        input_digest=proposal.input_digest,
        allocation_run_id=run_id,
        allocation_digest=allocation_digest,
    )


def _price_of_money(budget: Money, shadow_price: float | None) -> str:
    price = "" if shadow_price is None else f", λ = {shadow_price:.3g}"
    return f"budget {budget.amount} {budget.currency}{price}"


def _adjustments(proposal: Proposal, run: AllocationRun, line: AllocatedLine | None) -> list[Adjustment]:
    steps = Steps(proposal.quantity, list(proposal.adjustments))
    if line is None:
        steps.remark("PARTITION_MISSING", 0, "the proposal came after the allocation run")
        return steps.adjustments
    currency = proposal.inputs.unit_cost.currency
    if currency != run.spent.currency and proposal.quantity:
        steps.change("BUDGET", 0, f"costs {currency}, the group plans in {run.spent.currency}")
    if run.budget is not None:
        steps.change("BUDGET", line.allocated, _price_of_money(run.budget, run.shadow_price))
    if run.status == "greedy_fallback":
        steps.remark("ALLOCATION_FALLBACK", steps.quantity, "no solver plan; best value per money first")
    if run.missing_partitions:
        missing = ", ".join(map(str, run.missing_partitions))
        steps.remark("PARTITION_MISSING", steps.quantity, f"decided without partitions {missing}")
    return steps.adjustments
