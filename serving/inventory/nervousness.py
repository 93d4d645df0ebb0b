"""What keeps decisions between reviews from chasing noise: a freeze window and a least change."""

from dataclasses import dataclass

from infra.contracts.inventory import ReorderDecision


@dataclass(frozen=True)
class Nervousness:
    """How readily a decision is revised; what a planner asks for is not held back.

    `freeze_ms` is the time for which a SKU is left alone after a revision; a change counts from `least_units`
    units and `least_share` of what was wanted. `watch` says whether positions are watched at all between
    reviews: for stock below what the last decision projected, and for late orders.
    """

    freeze_ms: int = 24 * 3600 * 1000
    least_units: int = 1
    least_share: float = 0.1
    watch: bool = False

    def freezes(self, newest: ReorderDecision, epoch_ms: int) -> bool:
        """Whether the SKU is still left alone after its last revision."""
        return newest.is_revision() and epoch_ms - newest.epoch_ms < self.freeze_ms

    def is_worth_it(self, newest: ReorderDecision, replaces: bool, quantity: int) -> bool:
        """Whether a new quantity differs enough: from the decision it replaces, else from nothing."""
        wanted = wanted_before_budget(newest)
        change = abs(quantity - (wanted if replaces else 0))
        return change >= max(self.least_units, self.least_share * wanted)


def wanted_before_budget(decision: ReorderDecision) -> int:
    """What a decision asked of the budget: a later wish for as much is no change."""
    cuts = (step.before for step in decision.adjustments if step.reason in ("BUDGET", "HELD", "REJECTED"))
    return next(cuts, decision.quantity)
