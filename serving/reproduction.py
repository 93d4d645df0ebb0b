"""Recomputes published decisions from their inputs alone and says where the record differs.

Nothing that a decision states as a result is used: ids, digests, quantities, adjustments and the allocation
are made anew from the inputs, the forecast messages and the run's budget and solver options.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import AllocationRun, Proposal, ReorderDecision
from serving.inventory.allocation import greedy_plan
from serving.inventory.decisions import allocation_run, decisions_of, limits_of, proposals_digest, wish_of
from serving.inventory.money import decimal_of
from serving.inventory.policy import decide
from serving.inventory.proposals import proposal_of, request_of
from serving.inventory.supersession import acted_decision, redecision
from serving.inventory.wishes import spending, total_value, violation

Written = TypeVar("Written", bound=BaseModel)

ForecastKey = tuple[str, str, int, str]
"""SKU, location, origin (ms) and model id."""


@dataclass(frozen=True)
class Difference:
    """A field whose recorded value is not what the inputs give."""

    subject: str
    field: str
    recorded: object
    recomputed: object

    def __str__(self) -> str:
        recorded, recomputed = (f"{value!r:.120}" for value in (self.recorded, self.recomputed))
        return f"{self.subject}: {self.field} is {recorded}, recomputed {recomputed}"


@dataclass
class Reproduction:
    """What came out: decisions reproduced, decisions of verified runs, and every difference."""

    reproduced: int = 0
    verified: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def compare(self, subject: str, name: str, recorded: object, recomputed: object) -> None:
        """Notes a difference if there is one."""
        if recorded != recomputed:
            self.differences.append(Difference(subject, name, recorded, recomputed))

    def compare_all(self, subject: str, recorded: BaseModel, recomputed: BaseModel) -> None:
        """Notes every field that differs."""
        for name in type(recorded).model_fields:
            self.compare(subject, name, getattr(recorded, name), getattr(recomputed, name))


def forecast_key(decision: ReorderDecision) -> ForecastKey | None:
    """Which forecast message a decision read."""
    reference = decision.inputs.forecast
    if reference is None:
        return None
    return decision.sku, decision.location, reference.origin_ms, reference.model_id


def reproduce(
    decisions: Iterable[ReorderDecision],
    forecasts: Mapping[ForecastKey, DemandForecast],
    runs: Iterable[AllocationRun],
) -> Reproduction:
    """Recomputes every decision and every run; repeated records must be the same."""
    result = Reproduction()
    once = _without_repetitions(result, decisions, "decision_id")
    runs_by_id = {run.run_id: run for run in _without_repetitions(result, runs, "run_id")}
    proposals = _proposals(result, [each for each in once if each.action is None], forecasts)
    by_id = {each.decision_id: each for each in once}
    by_run: dict[str, list[ReorderDecision]] = {run_id: [] for run_id in runs_by_id}
    for decision in once:
        run = runs_by_id.get(decision.allocation_run_id)
        if run is None:
            result.compare(decision.decision_id, "allocation_run_id", decision.allocation_run_id, None)
        elif decision.is_revision():
            _reproduce_revision(result, decision, run, by_id, proposals)
        else:
            by_run[run.run_id].append(decision)
    for run_id, run in runs_by_id.items():
        _reproduce_run(result, run, by_run[run_id], proposals)
    return result


def _without_repetitions(result: Reproduction, records: Iterable[Written], id_field: str) -> list[Written]:
    first: dict[str, Written] = {}
    for record in records:
        known = first.setdefault(getattr(record, id_field), record)
        result.compare_all(getattr(record, id_field), record, known)
    return [first[each] for each in sorted(first)]


def _proposals(
    result: Reproduction,
    decisions: Sequence[ReorderDecision],
    forecasts: Mapping[ForecastKey, DemandForecast],
) -> dict[str, Proposal]:
    """The proposal that each decision's inputs give, by recorded decision id."""
    answerable, requests = [], []
    digests = {key: identity.digest(forecast) for key, forecast in forecasts.items()}
    for decision in decisions:
        key = forecast_key(decision)
        forecast, found = (forecasts.get(key), digests.get(key)) if key else (None, None)
        wanted = decision.inputs.forecast.digest if decision.inputs.forecast else None
        result.compare(decision.decision_id, "inputs.forecast.digest", wanted, found)
        if wanted == found:
            answerable.append(decision)
            requests.append(request_of(decision, forecast))
    return {
        decision.decision_id: proposal_of(request, wanted, partition=0)
        for decision, request, wanted in zip(answerable, requests, decide(requests), strict=True)
    }


def _reproduce_revision(
    result: Reproduction,
    decision: ReorderDecision,
    run: AllocationRun,
    by_id: Mapping[str, ReorderDecision],
    proposals: Mapping[str, Proposal],
) -> None:
    """A decision between reviews, from the one it replaces and what a planner said or the SKU wanted."""
    before = len(result.differences)
    replaced = by_id.get(decision.supersedes) if decision.supersedes else None
    if decision.supersedes and replaced is None:
        result.compare(decision.decision_id, "supersedes", decision.supersedes, None)
    elif decision.action is not None and replaced is not None:
        result.compare_all(decision.decision_id, decision, acted_decision(replaced, decision.action))
    elif proposal := proposals.get(decision.decision_id):
        unspent = None if decision.unspent_budget is None else decimal_of(decision.unspent_budget)
        result.compare_all(decision.decision_id, decision, redecision(proposal, replaced, run, unspent))
    else:
        result.compare(decision.decision_id, "cause", decision.cause, None)
    result.reproduced += len(result.differences) == before


def _reproduce_run(
    result: Reproduction,
    run: AllocationRun,
    decisions: Sequence[ReorderDecision],
    proposals: Mapping[str, Proposal],
) -> None:
    before = len(result.differences)
    lines = {line.decision_id for line in run.lines}
    weighed = [
        proposals[each.decision_id]
        for each in decisions
        if each.decision_id in lines and each.decision_id in proposals
    ]
    result.compare(f"run {run.run_id}", "lines", sorted(lines), sorted(each.decision_id for each in weighed))
    status = _reproduce_allocation(result, run, weighed) if len(weighed) == len(lines) else run.status
    proposed = [each for each in decisions if each.decision_id in proposals]
    recomputed = decisions_of([proposals[each.decision_id] for each in proposed], run)
    for decision, again in zip(proposed, recomputed, strict=True):
        result.compare_all(decision.decision_id, decision, again)
    result.runs[status] += 1
    if len(result.differences) == before:
        if status == "feasible_time_limit":
            result.verified += len(decisions)
        else:
            result.reproduced += len(decisions)


def _reproduce_allocation(result: Reproduction, run: AllocationRun, proposals: Sequence[Proposal]) -> str:
    """Solves again, or verifies a plan that ended at a time limit here or then; the status that counts."""
    subject = f"run {run.run_id}"
    if run.status in ("unconstrained", "optimal"):
        group = (run.planning_group, run.epoch_ms)
        again = allocation_run(proposals, group, run.budget, run.missing_partitions, run.solver, run.limits)
        if run.status == again.status or again.status == "unconstrained":
            result.compare_all(subject, run, again)
            return run.status
    _verify(result, run, proposals)
    return "greedy_fallback" if run.status == "greedy_fallback" else "feasible_time_limit"


def _verify(result: Reproduction, run: AllocationRun, proposals: Sequence[Proposal]) -> None:
    """Feasibility and objective of a recorded plan; a greedy plan is also made again."""
    subject = f"run {run.run_id}"
    proposals = sorted(proposals, key=lambda proposal: proposal.decision_id)
    comparable = [each for each in proposals if each.inputs.unit_cost.currency == run.spent.currency]
    wishes = [wish_of(each) for each in comparable]
    plan = {line.decision_id: line.allocated for line in run.lines}
    limits = limits_of(run.budget, run.limits, proposals)
    result.compare(subject, "proposals_digest", run.proposals_digest, proposals_digest(proposals))
    result.compare(subject, "lines", violation(wishes, plan, limits), None)
    result.compare(subject, "objective", run.objective, total_value(wishes, plan))
    result.compare(subject, "spent", decimal_of(run.spent), spending(wishes, plan))
    if run.status == "greedy_fallback":
        greedy = greedy_plan(wishes, limits)
        recorded = {wish.decision_id: plan[wish.decision_id] for wish in wishes}
        result.compare(subject, "lines", recorded, greedy)
