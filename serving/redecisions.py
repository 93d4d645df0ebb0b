"""Decisions between reviews: each proposal is answered at once, from what its SKU's last run left over."""

from infra.contracts.inventory import AllocationRun, Proposal, ReorderDecision
from serving.current_decisions import CurrentDecisions
from serving.inventory.money import decimal_of
from serving.inventory.supersession import redecision


class Redecisions:
    """Proposals between reviews, in the order of the log."""

    def __init__(self, current: CurrentDecisions) -> None:
        self._current = current
        self._proposals: dict[str, Proposal] = {}

    def apply(self, proposal: Proposal) -> Proposal:
        """Takes a proposal; repeating one changes nothing. Returns the one that counts."""
        return self._proposals.setdefault(proposal.decision_id, proposal)

    def due(self) -> list[ReorderDecision]:
        """The decisions that are not in the log yet; each counts for those after it."""
        made = []
        for decision_id, proposal in list(self._proposals.items()):
            newest = self._current.newest((proposal.sku, proposal.location))
            run = self._current.run_of(newest) if newest is not None else None
            if decision_id in self._current:
                del self._proposals[decision_id]
            elif newest is not None and run is not None:
                made.append(self._decide(proposal, newest, run))
                del self._proposals[decision_id]
        return made

    def _decide(self, proposal: Proposal, newest: ReorderDecision, run: AllocationRun) -> ReorderDecision:
        replaced = newest if proposal.supersedes is not None else None
        unspent = self._current.unspent_of(run.run_id)
        if unspent is not None and replaced is not None:
            unspent += decimal_of(replaced.cost)
        decision = redecision(proposal, replaced, run, unspent)
        self._current.apply(decision)
        return decision
