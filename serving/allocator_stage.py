"""Decides each planning group's epochs: one allocation run, then one reorder decision per SKU.

The Allocator alone writes decisions. It reads its runs and decisions back, so an epoch that has a run is
never allocated again; decisions that a crash left out are made from the stored run. Between reviews it
answers planners' actions and the Planner's further proposals.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kafka import TopicPartition

from infra.contracts import identity
from infra.contracts.codec import message_key
from infra.contracts.inventory import (
    REVIEW,
    AllocationRun,
    Policy,
    Proposal,
    ProposalsComplete,
    ReorderDecision,
    SolverOptions,
)
from infra.contracts.planning import DecisionAction
from infra.contracts.shop import PurchaseOrderEvent
from infra.contracts.topics import (
    ALLOCATION_RUNS,
    DECISION_ACTIONS,
    DECISIONS,
    POLICIES,
    PROPOSALS,
    PURCHASE_ORDERS,
)
from infra.kafka import topic_partitions
from infra.metrics import Meters
from serving.current_decisions import CurrentDecisions
from serving.decision_actions import DecisionActions
from serving.event_time import EventTime
from serving.inventory.decisions import allocation_run, decisions_of
from serving.inventory.group_policies import GroupPolicies
from serving.partition_log import Entry, Outgoing
from serving.redecisions import Redecisions

log = logging.getLogger(__name__)

GroupEpoch = tuple[int, str]
"""Epoch (ms) and planning group."""


def allocator_partitions(partition_count: int) -> list[TopicPartition]:
    """What the Allocator reads: all of it."""
    topics = (PROPOSALS, POLICIES, DECISION_ACTIONS, PURCHASE_ORDERS, ALLOCATION_RUNS, DECISIONS)
    return topic_partitions(topics, range(partition_count))


@dataclass
class _Collected:
    """What has come of one group's epoch."""

    first_sign: float | None = None
    proposals: dict[str, Proposal] = field(default_factory=dict)
    markers: dict[int, ProposalsComplete] = field(default_factory=dict)
    run: AllocationRun | None = None
    decided: dict[str, str] = field(default_factory=dict)

    def missing(self, partition_count: int) -> list[int]:
        """Partitions without a completion marker, or with fewer proposals than their marker counts."""
        come = Counter(proposal.partition for proposal in self.proposals.values())
        return [
            partition
            for partition in range(partition_count)
            if partition not in self.markers or come[partition] < self.markers[partition].count
        ]

    def is_settled(self) -> bool:
        """Whether there is nothing to allocate: every proposal has its decision."""
        return bool(self.decided) and not self.undecided()

    def undecided(self) -> list[Proposal]:
        """Proposals without a decision, by decision id."""
        return [
            proposal for made_id, proposal in sorted(self.proposals.items()) if made_id not in self.decided
        ]


class AllocatorStage:
    """Turns complete sets of proposals into runs and decisions."""

    def __init__(
        self,
        partition_count: int,
        out_of_orderness_ms: int,
        deadline_seconds: float,
        options: SolverOptions,
        meters: Meters,
    ) -> None:
        self._partition_count, self._deadline_seconds = partition_count, deadline_seconds
        self._options, self._meters = options, meters
        self._event_time = EventTime(out_of_orderness_ms)
        self._policies = GroupPolicies()
        self._epochs: dict[GroupEpoch, _Collected] = {}
        self._current = CurrentDecisions()
        self._actions = DecisionActions(self._current, meters)
        self._redecisions = Redecisions(self._current)

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        if entry.topic == POLICIES:
            self._event_time.advance(POLICIES, entry.partition, message.event_time_ms)
        match message:
            case Policy():
                self._policies.put(message, entry.offset)
            case Proposal():
                self._keep_proposal(message)
            case ProposalsComplete():
                marker = self._of(message).markers.setdefault(message.partition, message)
                self._check_same(PROPOSALS, f"marker {message.partition}", marker.digest, message.digest)
            case AllocationRun():
                self._keep_run(message)
            case ReorderDecision():
                self._keep_decision(message)
            case DecisionAction() | PurchaseOrderEvent():
                self._actions.apply(message)

    def _of(self, message: Proposal | ProposalsComplete | AllocationRun) -> _Collected:
        return self._epochs.setdefault((message.epoch_ms, message.planning_group), _Collected())

    def _keep_proposal(self, proposal: Proposal) -> None:
        if proposal.cause != REVIEW:
            first = self._redecisions.apply(proposal)
            self._check_same(PROPOSALS, proposal.decision_id, first.input_digest, proposal.input_digest)
            return
        collected = self._of(proposal)
        known = collected.decided.get(proposal.decision_id)
        if known is None:
            known = collected.proposals.setdefault(proposal.decision_id, proposal).input_digest
        self._check_same(PROPOSALS, proposal.decision_id, known, proposal.input_digest)

    def _keep_run(self, run: AllocationRun) -> None:
        collected = self._of(run)
        collected.run = collected.run or run
        self._current.apply_run(run)
        self._check_same(ALLOCATION_RUNS, run.run_id, identity.digest(collected.run), identity.digest(run))

    def _keep_decision(self, decision: ReorderDecision) -> None:
        self._current.apply(decision)
        key = (decision.epoch_ms, decision.inputs.planning_group)
        decided = self._epochs.setdefault(key, _Collected()).decided
        known = decided.setdefault(decision.decision_id, decision.input_digest)
        self._check_same(DECISIONS, decision.decision_id, known, decision.input_digest)

    def _check_same(self, topic: str, what: str, known: str, new: str) -> None:
        if known != new:
            log.error("%s: %s came again with another content; the first stays", topic, what)
            self._meters.record("stockstream_conflicts_total", topic=topic)

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Runs and decisions to publish at `now` (seconds); a run is acknowledged before its decisions."""
        for key in sorted(self._epochs):
            collected = self._epochs[key]
            if collected.run is None and self._is_due(key, collected, now):
                run = self._allocate(key, collected)
                yield [Outgoing(ALLOCATION_RUNS, key[1].encode(), run)]
                self._keep_run(run)
            if collected.run is not None and collected.undecided():
                yield from self._decisions(collected, collected.run)
            if collected.run is not None:
                collected.proposals.clear()
        for revisions in (self._actions.due, self._redecisions.due):
            if decisions := revisions():
                yield from self._publish(decisions)
        self._meters.record("stockstream_waiting_seconds", self._waiting_seconds(now), stage="allocator")

    def _waiting_seconds(self, now: float) -> float:
        waiting = [each for each in self._epochs.values() if each.run is None and not each.is_settled()]
        return max((now - each.first_sign for each in waiting if each.first_sign is not None), default=0.0)

    def _is_due(self, key: GroupEpoch, collected: _Collected, now: float) -> bool:
        if collected.first_sign is None:
            collected.first_sign = now
        if collected.is_settled():
            return False
        policies_passed = all(
            self._event_time.passed(POLICIES, partition, key[0]) for partition in range(self._partition_count)
        )
        if policies_passed and not collected.missing(self._partition_count):
            return True
        expired = now - collected.first_sign >= self._deadline_seconds
        if expired:
            self._meters.record("stockstream_deadlines_total", stage="allocator")
        return expired

    def _allocate(self, key: GroupEpoch, collected: _Collected) -> AllocationRun:
        epoch_ms, group = key
        policy = self._policies.get(group, epoch_ms)
        started = time.perf_counter()
        run = allocation_run(
            list(collected.proposals.values()),
            (group, epoch_ms),
            policy.budget if policy else None,
            collected.missing(self._partition_count),
            self._options,
            policy.limits if policy else None,
        )
        self._meters.record("stockstream_allocation_seconds", time.perf_counter() - started)
        self._meters.record("stockstream_allocations_total", status=run.status)
        return run

    def _decisions(self, collected: _Collected, run: AllocationRun) -> Iterator[list[Outgoing]]:
        yield from self._publish(decisions_of(collected.undecided(), run))
        self._meters.record("stockstream_last_epoch_seconds", run.epoch_ms / 1000, stage="allocator")

    def _publish(self, decisions: Sequence[ReorderDecision]) -> Iterator[list[Outgoing]]:
        yield [
            Outgoing(DECISIONS, message_key(decision.sku, decision.location), decision)
            for decision in decisions
        ]
        for decision in decisions:
            self._keep_decision(decision)
            self._meters.record("stockstream_decisions_total", status=decision.status)
            if decision.supersedes is not None:
                kind = decision.cause.partition(":")[0]
                self._meters.record("stockstream_revisions_total", cause=kind)
            for adjustment in decision.adjustments:
                self._meters.record("stockstream_decision_reasons_total", reason=adjustment.reason)
