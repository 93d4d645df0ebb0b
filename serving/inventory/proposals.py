"""Proposals and completion markers as messages, and back to the request they answer."""

from collections.abc import Iterable

from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import Proposal, ProposalsComplete, ReorderDecision
from serving.inventory.policy import Request, Wanted


def proposal_of(request: Request, wanted: Wanted, partition: int, supersedes: str | None = None) -> Proposal:
    """The message that states what a request wants."""
    return Proposal(
        planning_group=request.inputs.planning_group,
        epoch_ms=request.epoch_ms,
        partition=partition,
        decision_id=request.decision_id,
        sku=request.sku,
        location=request.location,
        cause=request.cause,
        unconstrained_quantity=wanted.unconstrained_quantity,
        quantity=wanted.quantity,
        blocked=wanted.blocked,
        adjustments=wanted.adjustments,
        segments=wanted.segments,
        expected_receipt_ms=wanted.expected_receipt_ms,
        forecaster=request.forecast.forecaster if request.forecast else None,
        inputs=request.inputs,
        input_digest=request.input_digest(),
        supersedes=supersedes,
    )


def completion_marker(
    planning_group: str, epoch_ms: int, partition: int, proposals: Iterable[Proposal]
) -> ProposalsComplete:
    """The message that ends a partition's epoch."""
    digests = sorted(proposal.input_digest for proposal in proposals)
    return ProposalsComplete(
        planning_group=planning_group,
        epoch_ms=epoch_ms,
        partition=partition,
        count=len(digests),
        digest=identity.digest(digests),
    )


def request_of(decision: ReorderDecision, forecast: DemandForecast | None) -> Request:
    """The request that a published decision answered; its id is made anew, not copied."""
    made_id = identity.decision_id(decision.sku, decision.location, decision.epoch_ms, decision.cause)
    return Request(
        made_id,
        decision.sku,
        decision.location,
        decision.epoch_ms,
        decision.cause,
        decision.inputs,
        forecast,
    )
