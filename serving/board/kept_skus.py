"""What is kept of each SKU and location besides its row: messages as they were published, compressed.

Per key: the catalogue item, the last position, the newest forecast and those that its latest decision and its
latest review name, the proposals of its two latest reviews, and the last `DECISIONS_KEPT` decisions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import REVIEW, Position, Proposal, ReorderDecision
from infra.contracts.shop import Item
from infra.contracts.topics import DECISIONS, FORECASTS, ITEMS, POSITIONS, PROPOSALS
from serving.board.packed import pack, unpack

DECISIONS_KEPT = 26
ORIGINS_KEPT = 8
"""Forecasts kept until it is known which of them the latest decision names."""


@dataclass(slots=True)
class KeptSku:
    """Packed messages of one SKU at one location."""

    item: bytes | None = None
    position: bytes | None = None
    forecasts: dict[int, bytes] = field(default_factory=dict)
    decisions: dict[str, bytes] = field(default_factory=dict)
    ages: dict[str, tuple[int, int]] = field(default_factory=dict)
    proposals: dict[str, bytes] = field(default_factory=dict)
    named_origin_ms: int | None = None
    reviewed_origin_ms: int | None = None

    def keep_item(self, item: Item) -> None:
        """Takes the newest catalogue item."""
        self.item = pack(ITEMS, item)

    def read_item(self) -> Item | None:
        """The catalogue item."""
        found: Item | None = unpack(ITEMS, self.item) if self.item else None
        return found

    def keep_position(self, position: Position) -> None:
        """Takes the newest position."""
        self.position = pack(POSITIONS, position)

    def read_position(self) -> Position | None:
        """The last position."""
        found: Position | None = unpack(POSITIONS, self.position) if self.position else None
        return found

    def keep_forecast(self, forecast: DemandForecast) -> bool:
        """Takes a forecast; whether it is the newest."""
        self.forecasts.setdefault(forecast.origin_ms, pack(FORECASTS, forecast))
        for old in sorted(self.forecasts)[:-ORIGINS_KEPT]:
            if old not in (self.named_origin_ms, self.reviewed_origin_ms):
                del self.forecasts[old]
        return forecast.origin_ms == max(self.forecasts)

    def read_forecast(self, origin_ms: int | None = None) -> DemandForecast | None:
        """The forecast of an origin, or the newest."""
        origin = max(self.forecasts, default=None) if origin_ms is None else origin_ms
        packed = None if origin is None else self.forecasts.get(origin)
        found: DemandForecast | None = unpack(FORECASTS, packed) if packed else None
        return found

    def keep_proposal(self, proposal: Proposal) -> None:
        """Takes a review's proposal; those of the two newest epochs stay."""
        if proposal.cause != REVIEW:
            return
        self.proposals.setdefault(proposal.decision_id, pack(PROPOSALS, proposal))
        while len(self.proposals) > 2:
            del self.proposals[next(iter(self.proposals))]

    def read_proposal(self, decision_id: str) -> Proposal | None:
        """The proposal that became a decision."""
        packed = self.proposals.get(decision_id)
        found: Proposal | None = unpack(PROPOSALS, packed) if packed else None
        return found

    def keep_decision(self, decision: ReorderDecision) -> bool:
        """Takes a decision; false if one with its id had another content, which stays."""
        packed = pack(DECISIONS, decision)
        known = self.decisions.setdefault(decision.decision_id, packed)
        self.ages.setdefault(decision.decision_id, (decision.epoch_ms, decision.sequence))
        origin_ms = decision.inputs.forecast.origin_ms if decision.inputs.forecast else None
        if decision.decision_id == self.latest_decision_id():
            self.named_origin_ms = origin_ms
        if decision.cause == REVIEW and origin_ms is not None:
            self.reviewed_origin_ms = max(self.reviewed_origin_ms or 0, origin_ms)
        return known == packed

    def forget(self) -> Iterator[str]:
        """Drops what the latest decision no longer needs; the ids of the decisions it drops."""
        newest = {self.named_origin_ms, self.reviewed_origin_ms, max(self.forecasts, default=None)}
        self.forecasts = {origin: each for origin, each in self.forecasts.items() if origin in newest}
        for old in sorted(self.decisions, key=self.ages.__getitem__)[:-DECISIONS_KEPT]:
            del self.decisions[old], self.ages[old]
            yield old

    def latest_decision_id(self) -> str | None:
        """The decision of the newest epoch; of several, the last in sequence."""
        return max(self.decisions, key=self.ages.__getitem__, default=None)

    def read_decision(self, decision_id: str | None = None) -> ReorderDecision | None:
        """A decision by its id, or the latest."""
        wanted = self.latest_decision_id() if decision_id is None else decision_id
        packed = self.decisions.get(wanted or "")
        found: ReorderDecision | None = unpack(DECISIONS, packed) if packed else None
        return found

    def read_decisions(self) -> list[ReorderDecision]:
        """Every decision kept, newest first."""
        ids = sorted(self.decisions, key=self.ages.__getitem__, reverse=True)
        return [unpack(DECISIONS, self.decisions[each]) for each in ids]
