"""Decisions of each SKU, queryable as of an instant, and what planners have said of them."""

from bisect import bisect_right, insort

from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import DecisionAction
from serving.inventory.ledger import Key


class DecisionHistory:
    """Decisions and planners' actions on them; repetitions change nothing."""

    def __init__(self) -> None:
        self._decisions: dict[Key, list[ReorderDecision]] = {}
        self._acted: dict[str, int] = {}

    def apply(self, message: ReorderDecision | DecisionAction) -> None:
        """Takes a record."""
        match message:
            case ReorderDecision():
                of_key = self._decisions.setdefault((message.sku, message.location), [])
                if all(each.decision_id != message.decision_id for each in of_key):
                    insort(of_key, message, key=lambda each: (each.epoch_ms, each.sequence))
            case DecisionAction(decision_id=named, event_time_ms=time_ms):
                self._acted[named] = min(time_ms, self._acted.get(named, time_ms))

    def newest(self, key: Key, as_of_ms: int) -> ReorderDecision | None:
        """The decision that counted at an instant."""
        of_key = self._decisions.get(key, [])
        known = bisect_right(of_key, as_of_ms, key=lambda each: each.epoch_ms)
        return of_key[known - 1] if known else None

    def origins(self) -> set[tuple[Key, int]]:
        """Of which forecasts, by SKU and origin, the decisions are made."""
        return {
            (key, each.inputs.forecast.origin_ms)
            for key, of_key in self._decisions.items()
            for each in of_key
            if each.inputs.forecast is not None
        }

    def is_reviewed_after(self, key: Key, time_ms: int) -> bool:
        """Whether a review later than the instant has decided about the SKU."""
        later = (each for each in self._decisions.get(key, []) if each.epoch_ms > time_ms)
        return any(not each.is_revision() for each in later)

    def is_acted_on(self, decision_id: str, as_of_ms: int) -> bool:
        """Whether a planner had approved, held or rejected it by then."""
        return self._acted.get(decision_id, as_of_ms + 1) <= as_of_ms

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no question about `as_of_ms` or later can need."""
        for key, of_key in self._decisions.items():
            known = bisect_right(of_key, as_of_ms, key=lambda each: each.epoch_ms)
            self._decisions[key] = of_key[max(0, known - 1) :]
        known_ids = {each.decision_id for of_key in self._decisions.values() for each in of_key}
        self._acted = {k: t for k, t in self._acted.items() if k in known_ids or t >= as_of_ms}
