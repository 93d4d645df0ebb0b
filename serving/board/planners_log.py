"""What planners said: overrides, actions on decisions and policies, in the order of the log."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from infra.contracts.inventory import Policy
from infra.contracts.planning import DecisionAction, Override

Said = Override | DecisionAction | Policy
Kind = Literal["override", "action", "policy"]
KEPT = 100_000
"""Entries of the audit kept in memory; the topics keep what compaction leaves."""


@dataclass(frozen=True, order=True)
class Entry:
    """One thing that somebody said, sorted by event time."""

    event_time_ms: int
    kind: Kind
    said_id: str
    author: str
    what: str
    reason: str


class PlannersLog:
    """The newest of each override, action and policy, and every one read since the start, for the audit."""

    def __init__(self) -> None:
        self.overrides: dict[str, Override] = {}
        self.actions: dict[str, DecisionAction] = {}
        self.policies: dict[str, Policy] = {}
        self._requests: dict[str, Said] = {}
        self._audit: list[Entry] = []
        self._writing = Lock()

    def apply(self, said: Said) -> None:
        """Takes an event; repeating one changes nothing. The log thread and requests both may call it."""
        with self._writing:
            self._apply(said)

    def _apply(self, said: Said) -> None:
        if said.request_id is not None:
            self._requests[said.request_id] = said
        newest: dict[str, Said] = {
            "override": self.overrides, "action": self.actions, "policy": self.policies,
        }[_kind(said)]  # type: ignore[assignment]  # fmt: skip
        known = newest.get(_id(said))
        if known == said:
            return
        if known is None or known.event_time_ms <= said.event_time_ms:
            newest[_id(said)] = said
        entry = Entry(said.event_time_ms, _kind(said), _id(said), said.author, described(said), said.reason)
        if entry not in self._audit[-1000:]:
            insort(self._audit, entry)
        del self._audit[: len(self._audit) - KEPT]

    def answered(self, request_id: str) -> Said | None:
        """The event that a request became, if it is one of those read or said since the start."""
        return self._requests.get(request_id)

    def audit(self) -> Iterator[Entry]:
        """Who did what, newest first."""
        return reversed(self._audit.copy())


def _kind(said: Said) -> Kind:
    match said:
        case Override():
            return "override"
        case Policy():
            return "policy"
        case _:
            return "action"


def _id(said: Said) -> str:
    match said:
        case Override():
            return said.override_id
        case Policy():
            return said.policy_id
        case _:
            return said.decision_id


def described(said: Said) -> str:
    """What was said, in words."""
    match said:
        case Override() if said.expires_ms <= said.event_time_ms:
            return f"withdrew the override of {said.scope}"
        case Override(target="forecast_factor"):
            return f"forecast of {said.scope} × {said.value:g}"
        case Override():
            return f"order quantity of {said.scope} = {said.value:g}"
        case Policy():
            return f"policy of {said.planning_group}: {'; '.join(_rules(said))}"
        case _:
            return f"{said.event_type} {said.decision_id}"


def _rules(said: Policy) -> list[str]:
    """What a policy says now, as a whole: the log does not tell which part of it was changed."""
    rules = [f"budget {said.budget.amount} {said.budget.currency}" if said.budget else "no budget"]
    if said.limits:
        rules.append("limits of space or suppliers")
    if said.replenishment:
        rules.append(f"ordered by {said.replenishment.policy}")
    rules += [f"category {each.category} by {each.replenishment.policy}" for each in said.categories or []]
    rules += [f"segment {each.segment} by {each.replenishment.policy}" for each in said.segments or []]
    return rules
