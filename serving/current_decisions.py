"""The newest decision of each SKU, and what decisions between reviews have drawn on each run's budget."""

from collections import defaultdict
from decimal import Decimal

from infra.contracts.inventory import AllocationRun, ReorderDecision
from serving.inventory.ledger import Key
from serving.inventory.money import decimal_of
from serving.inventory.supersession import is_newer


class CurrentDecisions:
    """Rebuilt from the decisions in the log; those of one SKU come in the order they were published."""

    def __init__(self) -> None:
        self._newest: dict[Key, ReorderDecision] = {}
        self._keys: dict[str, Key] = {}
        self._drawn: dict[str, Decimal] = defaultdict(Decimal)
        self._runs: dict[str, AllocationRun] = {}

    def apply(self, decision: ReorderDecision) -> None:
        """Takes a decision; repeating one changes nothing."""
        if decision.decision_id in self._keys:
            return
        key = (decision.sku, decision.location)
        self._keys[decision.decision_id] = key
        known = self._newest.get(key)
        if decision.is_revision():
            self._drawn[decision.allocation_run_id] += decimal_of(decision.cost) - _freed(decision, known)
        if known is None or is_newer(decision, known):
            self._newest[key] = decision

    def __contains__(self, decision_id: str) -> bool:
        return decision_id in self._keys

    def key_of(self, decision_id: str) -> Key:
        """Which SKU and location a known decision is about."""
        return self._keys[decision_id]

    def newest(self, key: Key) -> ReorderDecision | None:
        """The decision that no other has replaced."""
        return self._newest.get(key)

    def apply_run(self, run: AllocationRun) -> None:
        """Takes a run; repeating one changes nothing."""
        self._runs.setdefault(run.run_id, run)

    def run_of(self, decision: ReorderDecision) -> AllocationRun | None:
        """The run that decided about the SKU last."""
        return self._runs.get(decision.allocation_run_id)

    def unspent_of(self, run_id: str) -> Decimal | None:
        """What is left of a run's budget; None where it has none."""
        run = self._runs.get(run_id)
        if run is None or run.budget is None:
            return None
        return decimal_of(run.budget) - decimal_of(run.spent) - self._drawn[run_id]


def _freed(decision: ReorderDecision, known: ReorderDecision | None) -> Decimal:
    replaced = known is not None and known.decision_id == decision.supersedes
    return decimal_of(known.cost) if known is not None and replaced else Decimal(0)
