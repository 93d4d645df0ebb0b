"""Decides each owned partition's epochs: a proposal per SKU, then the completion marker, then positions."""

import logging
import time
from collections.abc import Iterator, Sequence, Set

from kafka import TopicPartition

from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import REVIEW, Position, Proposal, ProposalsComplete
from infra.contracts.shop import Item
from infra.contracts.topics import (
    CALENDARS,
    CHECKED_BY_SERVING,
    DECISION_ACTIONS,
    DECISIONS,
    FORECASTS,
    INTRADAY_FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    POSITIONS,
    PROPOSALS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)
from infra.kafka import topic_partitions
from infra.metrics import Meters
from serving.inventory.ledger import Key
from serving.inventory.local_days import is_review
from serving.inventory.nervousness import Nervousness
from serving.inventory.policy import decide
from serving.inventory.proposals import completion_marker, proposal_of
from serving.open_epochs import EpochOfPartition, OpenEpochs
from serving.partition_log import Entry, Outgoing
from serving.planner_positions import Positions
from serving.planner_revisions import Revisions
from serving.planner_state import OwnedItem, PlannerState
from serving.stock_summary import StockSummary

WHOLE_TOPICS = (PURCHASE_ORDERS, ITEMS, CALENDARS, POLICIES, OVERRIDES, DECISION_ACTIONS, PROPOSALS)
_ONLY_CHECKED = sorted(set(CHECKED_BY_SERVING) - set(WHOLE_TOPICS))
OWNED_TOPICS = (STOCK_LEVELS, FORECASTS, INTRADAY_FORECASTS, DECISIONS, POSITIONS, *_ONLY_CHECKED)
_INPUTS = frozenset(
    {*WHOLE_TOPICS, STOCK_LEVELS, STOCK_MOVEMENTS, FORECASTS, INTRADAY_FORECASTS} - {PROPOSALS}
)

log = logging.getLogger(__name__)


def planner_partitions(owned: frozenset[int], partition_count: int) -> list[TopicPartition]:
    """What a Planner replica reads."""
    whole = topic_partitions(WHOLE_TOPICS, range(partition_count))
    return whole + topic_partitions(OWNED_TOPICS, sorted(owned))


class PlannerStage:
    """Turns stock, orders and forecasts of the owned partitions into proposals.

    A partition's epoch is decided at once, when every input has passed it, every SKU's forecast has come
    and earlier epochs have their decisions, or at the deadline after its first sign. A proposal that is in
    the log is never made again.
    """

    def __init__(
        self,
        owned: frozenset[int],
        partition_count: int,
        out_of_orderness_ms: int,
        deadline_seconds: float,
        meters: Meters,
        nervousness: Nervousness | None = None,
    ) -> None:
        self._owned, self._deadline_seconds, self._meters = owned, deadline_seconds, meters
        self._state = PlannerState(owned, partition_count, out_of_orderness_ms)
        self._epochs = OpenEpochs(owned)
        self._revisions = Revisions(owned, deadline_seconds, nervousness or Nervousness(), meters)
        self._positions = Positions()
        self._stock_summary = StockSummary(owned, meters)
        self._proposals: dict[str, Proposal] = {}
        self._markers: set[tuple[str, int, int]] = set()
        self._decided: dict[str, int] = {}

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        if entry.topic in _INPUTS:
            if not self._state.apply(entry):
                self._conflict(entry.topic, f"{message.sku} {message.location}")
            if isinstance(message, DemandForecast):
                self._epochs.note_forecast(message, entry.partition)
        elif isinstance(message, ProposalsComplete):
            self._markers.add((message.planning_group, message.epoch_ms, message.partition))
            self._epochs.note_completion(message.epoch_ms)
        elif isinstance(message, Proposal):
            self._keep(message)
        elif entry.topic == DECISIONS:
            self._decided[message.decision_id] = message.epoch_ms
            self._state.ledger.apply_decision(message)
        if entry.partition in self._owned:
            self._positions.apply(entry)
        if entry.partition in self._owned or entry.topic in (OVERRIDES, DECISION_ACTIONS):
            self._revisions.apply(entry)

    def _keep(self, proposal: Proposal) -> None:
        if proposal.partition not in self._owned:
            return
        known = self._proposals.setdefault(proposal.decision_id, proposal)
        if known.input_digest != proposal.input_digest:
            self._conflict(PROPOSALS, proposal.decision_id)

    def _conflict(self, topic: str, what: str) -> None:
        log.error("%s: %s came again with another content; the first stays", topic, what)
        self._meters.record("stockstream_conflicts_total", topic=topic)

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Proposals, markers and positions to publish at `now` (seconds)."""
        if self._revisions.is_waiting():
            yield from self._publish(
                self._revisions.due(self._state, self._settled(), self._open_keys(), now)
            )
        for epoch, first_sign in self._epochs.scan(self._state, now).items():
            yield from self._decide_if_due(epoch, expired=now - first_sign >= self._deadline_seconds)
        waiting = self._epochs.waiting_seconds(now)
        self._meters.record("stockstream_waiting_seconds", waiting, stage="planner")
        self._stock_summary.record(self._state, now)
        if positions := self._positions.due(self._state):
            yield positions
            self._report_gains(positions)
            self._forget()

    def _decide_if_due(self, epoch: EpochOfPartition, expired: bool) -> Iterator[list[Outgoing]]:
        epoch_ms, partition = epoch
        passed = self._state.passed(partition, epoch_ms) and self._earlier_decided(epoch_ms, partition)
        if not (passed or expired):
            return
        catalogue = self._reviewed(epoch_ms)
        owed = [owned.item for owned in catalogue if owned.partition == partition]
        forecast = all(self._state.has_forecast((item.sku, item.location), epoch_ms) for item in owed)
        if not (forecast or expired):
            return
        if not (passed and forecast):
            self._meters.record("stockstream_deadlines_total", stage="planner")
        started = time.perf_counter()
        yield from self._propose(owed, epoch, stale=not passed)
        yield from self._complete({owned.item.planning_group for owned in catalogue}, owed, epoch)
        self._epochs.close(epoch)
        self._meters.record("stockstream_epoch_seconds", time.perf_counter() - started)
        self._meters.record("stockstream_last_epoch_seconds", epoch_ms / 1000, stage="planner")

    def _earlier_decided(self, epoch_ms: int, partition: int) -> bool:
        """Whether every earlier proposal has its decision, which may be on its way to an order."""
        return all(
            made_id in self._decided
            for made_id, proposal in self._proposals.items()
            if proposal.partition == partition and proposal.epoch_ms < epoch_ms
        )

    def _reviewed(self, epoch_ms: int) -> list[OwnedItem]:
        """The catalogue of the locations that review at the epoch, all partitions."""
        reviewing = set()
        for location in self._state.calendars:
            calendar = self._state.calendars.get(location, epoch_ms)
            if calendar and is_review(epoch_ms, calendar):
                reviewing.add(location)
        return [owned for owned in self._state.catalogue(epoch_ms) if owned.item.location in reviewing]

    def _propose(
        self, owed: Sequence[Item], epoch: EpochOfPartition, stale: bool
    ) -> Iterator[list[Outgoing]]:
        epoch_ms, partition = epoch
        settled = self._settled()
        new = [item for item in owed if _decision_id(item, epoch_ms) not in settled]
        requests = self._state.requests(new, epoch_ms, stale)
        proposals = [
            proposal_of(request, wanted, partition)
            for request, wanted in zip(requests, decide(requests), strict=True)
        ]
        yield from self._publish(proposals)

    def _settled(self) -> Set[str]:
        """Ids of the decisions that have a proposal or are made."""
        return self._proposals.keys() | self._decided.keys()

    def _open_keys(self) -> set[Key]:
        open_ = (each for made_id, each in self._proposals.items() if made_id not in self._decided)
        return {(each.sku, each.location) for each in open_}

    def _publish(self, proposals: Sequence[Proposal]) -> Iterator[list[Outgoing]]:
        if proposals:
            yield [Outgoing(PROPOSALS, each.planning_group.encode(), each) for each in proposals]
        for proposal in proposals:
            self._keep(proposal)
            outcome = "blocked" if proposal.blocked else "wanted"
            self._meters.record("stockstream_proposals_total", outcome=outcome)

    def _complete(
        self, groups: set[str], owed: Sequence[Item], epoch: EpochOfPartition
    ) -> Iterator[list[Outgoing]]:
        markers = []
        for group in sorted(groups):
            ids = [_decision_id(item, epoch[0]) for item in owed if item.planning_group == group]
            proposals = [self._proposals[each] for each in ids if each in self._proposals]
            decided_long_ago = ids and not proposals
            if (group, *epoch) not in self._markers and not decided_long_ago:
                marker = completion_marker(group, *epoch, proposals)
                markers.append(Outgoing(PROPOSALS, group.encode(), marker))
        if markers:
            yield markers
        self._markers |= {(group, *epoch) for group in groups}

    def _report_gains(self, positions: Sequence[Outgoing]) -> None:
        for outgoing in positions:
            position = outgoing.message
            if isinstance(position, Position) and position.unexplained_gain:
                log.warning(
                    "%s at %s: stock rose by %d units until %d that no movement explains",
                    position.sku, position.location, position.unexplained_gain, position.as_of_ms,
                )  # fmt: skip
                self._meters.record("stockstream_unexplained_gains_total")

    def _forget(self) -> None:
        askers = (self._epochs.earliest, self._positions.earliest_needed, self._revisions.earliest_needed)
        before = min(instant for asker in askers if (instant := asker()) is not None)
        self._revisions.forget_before(before)
        self._state.forget_before(before)
        self._proposals = {k: each for k, each in self._proposals.items() if each.epoch_ms >= before}
        self._decided = {k: epoch_ms for k, epoch_ms in self._decided.items() if epoch_ms >= before}


def _decision_id(item: Item, epoch_ms: int) -> str:
    return identity.decision_id(item.sku, item.location, epoch_ms, REVIEW)
