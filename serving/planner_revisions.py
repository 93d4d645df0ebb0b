"""Decisions between reviews: what calls for one, which SKUs it concerns, and whether it is made.

A trigger is judged once every input has passed its instant, from exactly the records up to then, and after
whatever was decided about the SKU before. It has no deadline: where an input stands still, the next review
has one, and takes in whatever the trigger stood for.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from infra.contracts import identity
from infra.contracts.inventory import Proposal, ReorderDecision
from infra.contracts.planning import DecisionAction, Override
from infra.contracts.shop import Item, PurchaseOrderEvent, StockMovement
from infra.contracts.topics import DECISION_ACTIONS, STOCK_MOVEMENTS
from infra.metrics import Meters
from serving.inventory.decision_history import DecisionHistory
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after, review_instants
from serving.inventory.nervousness import Nervousness
from serving.inventory.overrides import scopes_of
from serving.inventory.policy import Request, decide
from serving.inventory.proposals import proposal_of
from serving.partition_log import Entry
from serving.planner_state import OwnedItem, PlannerState

_DAY_MS = 24 * 3600 * 1000
Verdict = Literal["wait", "moot", "frozen", "placed"]


@dataclass(frozen=True, order=True)
class Trigger:
    """What calls for a decision: the instant and stable id of its record, and the scope it concerns."""

    epoch_ms: int
    cause: str
    scope: str
    by_planner: bool


@dataclass(frozen=True, order=True)
class Case:
    """A trigger and one SKU that it concerns."""

    trigger: Trigger
    key: Key

    @property
    def decision_id(self) -> str:
        """Id of the decision that it may lead to."""
        return identity.decision_id(*self.key, self.trigger.epoch_ms, self.trigger.cause)


@dataclass(frozen=True)
class _Revision:
    """A case that is to be decided: the newest decision of its SKU, and whether that is replaced."""

    request: Request
    newest: ReorderDecision
    replaces: bool


class Revisions:
    """Triggers and cases that are still to be judged."""

    def __init__(self, owned: frozenset[int], nervousness: Nervousness, meters: Meters) -> None:
        self._owned, self._nervousness, self._meters = owned, nervousness, meters
        self._history = DecisionHistory()
        self._triggers: set[Trigger] = set()
        self._cases: dict[Case, OwnedItem] = {}

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        match entry.message:
            case Override() as override:
                cause = identity.cause("override", override.override_id)
                self._triggers.add(Trigger(override.event_time_ms, cause, override.scope, by_planner=True))
            case StockMovement(event_type="stock_count") as count:
                cause = identity.cause("stock_count", count.event_id)
                scope = f"sku:{count.sku}|{count.location}"
                self._triggers.add(Trigger(count.event_time_ms, cause, scope, by_planner=False))
            case ReorderDecision() | DecisionAction() | PurchaseOrderEvent() as message:
                self._history.apply(message)

    def is_waiting(self) -> bool:
        """Whether there is anything to judge."""
        return bool(self._triggers or self._cases)

    def due(self, state: PlannerState, settled: Collection[str], open_keys: Iterable[Key]) -> list[Proposal]:
        """The proposals to make now, one per SKU at most.

        Args:
            state: what the Planner knows.
            settled: ids of decisions that have a proposal or are made.
            open_keys: SKUs with a proposal that awaits its decision.
        """
        self._expand(state)
        busy, revisions = set(open_keys), {}
        for case in sorted(self._cases):
            if case.key in busy:
                continue
            verdict = "moot" if case.decision_id in settled else self._judge(case, state)
            if isinstance(verdict, _Revision):
                revisions[case] = verdict
            elif verdict != "wait":
                self._close(case, verdict)
                continue
            busy.add(case.key)
        return self._proposals(revisions)

    def _expand(self, state: PlannerState) -> None:
        for trigger in sorted(self._triggers):
            if not self._has_passed(state, trigger.epoch_ms):
                break
            self._triggers.remove(trigger)
            for owned in self._concerned(trigger, state):
                self._cases[Case(trigger, (owned.item.sku, owned.item.location))] = owned

    def _has_passed(self, state: PlannerState, epoch_ms: int) -> bool:
        actions = all(state.event_time.passed(DECISION_ACTIONS, each, epoch_ms) for each in state.everything)
        return actions and all(
            state.passed(each, epoch_ms) and state.event_time.passed(STOCK_MOVEMENTS, each, epoch_ms)
            for each in self._owned
        )

    def _concerned(self, trigger: Trigger, state: PlannerState) -> Iterator[OwnedItem]:
        for owned in _candidates(trigger, state):
            if owned.partition in self._owned and trigger.scope in scopes_of(owned.item):
                yield owned

    def _judge(self, case: Case, state: PlannerState) -> Verdict | _Revision:
        item, epoch_ms = self._cases[case].item, case.trigger.epoch_ms
        last_review = _last_review(state, item, epoch_ms)
        if last_review in (None, epoch_ms) or self._history.is_reviewed_after(case.key, epoch_ms):
            return "moot"
        newest = self._history.newest(case.key, epoch_ms)
        if newest is None or newest.epoch_ms < last_review or not state.has_forecast_of_day(item, epoch_ms):
            return "wait"
        if newest.action is not None or self._history.is_acted_on(newest.decision_id, epoch_ms):
            return "frozen"
        placed = self._history.is_placed(newest.decision_id, epoch_ms)
        if case.trigger.by_planner and placed:
            return "placed"
        if not case.trigger.by_planner and self._nervousness.freezes(newest, epoch_ms):
            return "frozen"
        replaced = None if placed else newest.decision_id
        request = state.revision(item, epoch_ms, case.trigger.cause, replaced)
        return _Revision(request, newest, not placed)

    def _proposals(self, revisions: Mapping[Case, _Revision]) -> list[Proposal]:
        proposals = []
        answers = decide([each.request for each in revisions.values()])
        for (case, revision), wanted in zip(revisions.items(), answers, strict=True):
            partition = self._cases[case].partition
            if wanted.blocked or not self._is_worth_it(case, revision, wanted.quantity):
                self._close(case, "small")
                continue
            self._close(case, "proposed")
            superseded = revision.newest.decision_id if revision.replaces else None
            proposals.append(proposal_of(revision.request, wanted, partition, superseded))
        return proposals

    def _is_worth_it(self, case: Case, revision: _Revision, quantity: int) -> bool:
        nervousness = Nervousness(0, 1, 0.0) if case.trigger.by_planner else self._nervousness
        return nervousness.is_worth_it(revision.newest, revision.replaces, quantity)

    def _close(self, case: Case, outcome: str) -> None:
        del self._cases[case]
        self._meters.record("stockstream_triggers_total", outcome=outcome)

    def earliest_needed(self) -> int | None:
        """The oldest instant that a case still to be judged can ask about."""
        waiting = [*self._triggers, *(case.trigger for case in self._cases)]
        return min((trigger.epoch_ms - 2 * _DAY_MS for trigger in waiting), default=None)

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no case of `as_of_ms` or later can need."""
        self._history.forget_before(as_of_ms)


def _last_review(state: PlannerState, item: Item, epoch_ms: int) -> int | None:
    calendar = state.calendars.get(item.location, epoch_ms)
    if calendar is None:
        return None
    begin = midnight_after(epoch_ms, -7, calendar.time_zone)
    return max(review_instants(begin, epoch_ms, calendar), default=None)


def _candidates(trigger: Trigger, state: PlannerState) -> Iterable[OwnedItem]:
    kind, _, name = trigger.scope.partition(":")
    sku, _, location = name.partition("|")
    if kind == "sku" and location:
        owned = state.items.get((sku, location), trigger.epoch_ms)
        return [] if owned is None else [owned]
    return state.catalogue(trigger.epoch_ms)
