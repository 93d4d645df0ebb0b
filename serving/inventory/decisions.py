"""From the proposals of a group's epoch to its allocation run and its reorder decisions.

The Allocator and `stockstream replay` both build runs and decisions here.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from infra.contracts import identity
from infra.contracts.group_limits import GroupLimits, LimitsOutcome, SupplierOutcome, UnmetLimit
from infra.contracts.inventory import (
    Adjustment,
    AllocatedLine,
    AllocationRun,
    Proposal,
    ReasonCode,
    ReorderDecision,
    SolverOptions,
)
from infra.contracts.message import Money
from serving.inventory.allocation import Allocation, allocate
from serving.inventory.money import cost_of, decimal_of, total_of
from serving.inventory.order_rules import Steps, to_be_stored
from serving.inventory.wishes import Limits, Wish, order_values

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
    limits: GroupLimits | None = None,
) -> AllocationRun:
    """Shares budget and space among the proposals; the same whatever their order.

    A group plans in one currency, that of its budget or else of most of its proposals; what costs another
    currency cannot be weighed against the budget and is not ordered.
    """
    group, epoch_ms = group_and_epoch
    proposals = sorted(proposals, key=lambda proposal: proposal.decision_id)
    currency = budget.currency if budget else _usual_currency(proposals)
    comparable = [each for each in proposals if each.inputs.unit_cost.currency == currency]
    wishes = [wish_of(proposal) for proposal in comparable]
    result = allocate(wishes, limits_of(budget, limits, proposals), options)
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
        shadow_price=result.prices.budget,
        limits=limits,
        outcome=_outcome(result, limits, wishes) if limits else None,
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
        proposal.inputs.supplier,
        Decimal(proposal.inputs.unit_volume or 0),
        any(each.target == "order_quantity" for each in proposal.inputs.overrides),
    )


def limits_of(budget: Money | None, limits: GroupLimits | None, proposals: Sequence[Proposal]) -> Limits:
    """What a group's orders may come to; of the space, what its stock and open orders leave."""
    money = None if budget is None else decimal_of(budget)
    if limits is None:
        return Limits(money)
    minimums = {each.supplier: decimal_of(each.amount) for each in limits.supplier_minimums}
    if limits.space is None:
        return Limits(money, None, minimums)
    taken = sum(
        (Decimal(each.inputs.unit_volume or 0) * to_be_stored(each.inputs) for each in proposals), Decimal(0)
    )
    return Limits(money, max(Decimal(0), Decimal(limits.space) - taken), minimums)


def _outcome(result: Allocation, limits: GroupLimits, wishes: Sequence[Wish]) -> LimitsOutcome:
    served = order_values(wishes, result.plan)
    wanted = {wish.supplier for wish in wishes if wish.quantity}
    names = sorted({each.supplier for each in limits.supplier_minimums} & wanted)
    prices = result.prices.suppliers or {}
    return LimitsOutcome(
        space_price=result.prices.space,
        suppliers=[
            SupplierOutcome(supplier=name, left_out=name not in served, price=prices.get(name))
            for name in names
        ],
        unmet=[
            UnmetLimit(
                limit=each.limit,
                supplier=each.supplier,
                needed=f"{each.needed:f}",
                available=f"{each.available:f}",
            )
            for each in result.unmet
        ],
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


def _why_less(proposal: Proposal, run: AllocationRun, line: AllocatedLine) -> tuple[ReasonCode, int, str]:
    """The limit that took most: a supplier's minimum, else what is dearer, the SKU's space or its money."""
    inputs, outcome = proposal.inputs, run.outcome
    left_out = {each.supplier for each in outcome.suppliers if each.left_out} if outcome else set()
    if inputs.supplier in left_out:
        return "SUPPLIER_MINIMUM", line.allocated, f"{inputs.supplier} gets no order for its minimum"
    space_price = (outcome.space_price if outcome else None) or 0.0
    for_space = space_price * float(inputs.unit_volume or 0)
    for_money = (run.shadow_price or 0.0) * float(inputs.unit_cost.amount)
    if run.budget is None or for_space > for_money:
        space = run.limits.space if run.limits else None
        return "SPACE", line.allocated, f"space {space}, {space_price:.3g} a unit of volume"
    return "BUDGET", line.allocated, _price_of_money(run.budget, run.shadow_price)


def _adjustments(proposal: Proposal, run: AllocationRun, line: AllocatedLine | None) -> list[Adjustment]:
    steps = Steps(proposal.quantity, list(proposal.adjustments))
    if line is None:
        steps.remark("PARTITION_MISSING", 0, "the proposal came after the allocation run")
        return steps.adjustments
    currency = proposal.inputs.unit_cost.currency
    if currency != run.spent.currency and proposal.quantity:
        steps.change("BUDGET", 0, f"costs {currency}, the group plans in {run.spent.currency}")
    steps.change(*_why_less(proposal, run, line))
    if run.status == "greedy_fallback":
        steps.remark("ALLOCATION_FALLBACK", steps.quantity, "no solver plan; best value per money first")
    if run.missing_partitions:
        missing = ", ".join(map(str, run.missing_partitions))
        steps.remark("PARTITION_MISSING", steps.quantity, f"decided without partitions {missing}")
    return steps.adjustments
