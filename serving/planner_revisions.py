"""Decisions between reviews: what calls for one, which SKUs it concerns, and whether it is made.

A trigger is judged once every input has passed its instant, from exactly the records up to then, and after
whatever was decided about the SKU before; or at a deadline, with a remark that an input was stale.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from infra.contracts import identity
from infra.contracts.demand import DemandForecast, IntradayForecast
from infra.contracts.inventory import Proposal, ReorderDecision
from infra.contracts.planning import DecisionAction
from infra.contracts.shop import Item
from infra.contracts.topics import DECISION_ACTIONS, STOCK_MOVEMENTS
from infra.metrics import Meters
from serving.inventory.decision_history import DecisionHistory
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after, review_instants
from serving.inventory.nervousness import Nervousness
from serving.inventory.overrides import scopes_of
from serving.inventory.policy import Request, decide
from serving.inventory.position_watch import PositionWatch
from serving.inventory.proposals import proposal_of
from serving.partition_log import Entry
from serving.planner_state import OwnedItem, PlannerState
from serving.revision_triggers import Trigger, Triggers

_DAY_MS = 24 * 3600 * 1000
Verdict = Literal["wait", "moot", "frozen", "placed"]


@dataclass(frozen=True, order=True)
class Case:
    """A trigger and one SKU that it concerns; stale where it is judged at the deadline."""

    trigger: Trigger
    key: Key
    stale: bool


@dataclass(frozen=True)
class _Revision:
    """A case that is to be decided: the newest decision of its SKU, and whether that is replaced."""

    request: Request
    newest: ReorderDecision
    replaces: bool


class Revisions:
    """Triggers and cases that are still to be judged."""

    def __init__(
        self, owned: frozenset[int], deadline_seconds: float, nervousness: Nervousness, meters: Meters
    ) -> None:
        self._owned, self._nervousness, self._meters = owned, nervousness, meters
        self._history, self._watch = DecisionHistory(), PositionWatch()
        self._triggers = Triggers(deadline_seconds, nervousness.watch)
        self._cases: dict[Case, OwnedItem] = {}

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        match entry.message:
            case ReorderDecision() | DecisionAction() as message:
                self._history.apply(message)
            case DemandForecast() as forecast if self._nervousness.watch:
                self._watch.apply(forecast)
            case IntradayForecast() as made if self._nervousness.watch:
                self._watch.apply(made.forecast)
                self._triggers.apply(entry)
            case _:
                self._triggers.apply(entry)

    def is_waiting(self) -> bool:
        """Whether there is anything to judge."""
        return bool(self._triggers or self._cases)

    def due(
        self, state: PlannerState, settled: Container[str], open_keys: Iterable[Key], now: float
    ) -> list[Proposal]:
        """The proposals to make, one per SKU at most.

        Args:
            state: what the Planner knows.
            settled: ids of decisions that have a proposal or are made.
            open_keys: SKUs with a proposal that awaits its decision.
            now: seconds, for the deadline.
        """
        self._expand(state, now)
        busy, revisions = set(open_keys), {}
        for case in sorted(self._cases):
            if case.key in busy:
                continue
            verdict = self._judge(case, state, settled)
            if isinstance(verdict, _Revision):
                revisions[case] = verdict
            elif verdict != "wait":
                self._close(case, verdict)
                continue
            busy.add(case.key)
        return self._proposals(revisions)

    def _expand(self, state: PlannerState, now: float) -> None:
        for trigger, stale in self._triggers.passed(lambda epoch_ms: self._has_passed(state, epoch_ms), now):
            for owned in self._concerned(trigger, state):
                self._cases[Case(trigger, (owned.item.sku, owned.item.location), stale)] = owned

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

    def _judge(self, case: Case, state: PlannerState, settled: Container[str]) -> Verdict | _Revision:
        item, epoch_ms = self._cases[case].item, case.trigger.epoch_ms
        last_review = _last_review(state, item, epoch_ms)
        if last_review in (None, epoch_ms) or self._history.is_reviewed_after(case.key, epoch_ms):
            return "moot"
        newest = self._history.newest(case.key, epoch_ms)
        if newest is None or newest.epoch_ms < last_review or not state.has_forecast_of_day(item, epoch_ms):
            return "moot" if self._is_settled(case, case.trigger.cause, settled) else "wait"
        cause = self._cause(case, newest, state)
        if cause is None or self._is_settled(case, cause, settled):
            return "moot"
        placed = state.ledger.is_placed(case.key, newest.decision_id, epoch_ms)
        if (held_back := self._held_back(case.trigger, newest, placed)) is not None:
            return held_back
        replaced = None if placed else newest.decision_id
        return _Revision(state.revision(item, epoch_ms, cause, replaced, case.stale), newest, not placed)

    def _is_settled(self, case: Case, cause: str, settled: Container[str]) -> bool:
        return identity.decision_id(*case.key, case.trigger.epoch_ms, cause) in settled

    def _cause(self, case: Case, newest: ReorderDecision, state: PlannerState) -> str | None:
        trigger = case.trigger
        if trigger.kind != "stock_level":
            return trigger.cause
        return self._watch.cause(newest, state.ledger, trigger.record_id, trigger.epoch_ms)

    def _held_back(self, trigger: Trigger, newest: ReorderDecision, placed: bool) -> Verdict | None:
        """Why a decision is left as it is."""
        acted_on = self._history.is_acted_on(newest.decision_id, trigger.epoch_ms)
        if newest.action is not None or acted_on:
            return "frozen"
        if trigger.by_planner:
            return "placed" if placed else None
        return "frozen" if self._nervousness.freezes(newest, trigger.epoch_ms) else None

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
        nervousness = Nervousness(least_share=0.0) if case.trigger.by_planner else self._nervousness
        return nervousness.is_worth_it(revision.newest, revision.replaces, quantity)

    def _close(self, case: Case, outcome: str) -> None:
        del self._cases[case]
        self._meters.record("stockstream_triggers_total", outcome=outcome)

    def earliest_needed(self) -> int | None:
        """The oldest instant that a case still to be judged can ask about."""
        waiting = [case.trigger.epoch_ms for case in self._cases]
        if (earliest := self._triggers.earliest()) is not None:
            waiting.append(earliest)
        return min(waiting) - 2 * _DAY_MS if waiting else None

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no case of `as_of_ms` or later can need."""
        self._history.forget_before(as_of_ms)
        if self._nervousness.watch:
            self._watch.forget(as_of_ms, self._history.origins())


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
