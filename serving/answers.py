"""What the HTTP API knows: the latest forecast, position and decision per SKU, and every decision by id."""

from collections.abc import Iterator

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import Position, ReorderDecision
from serving.inventory.ledger import Key
from serving.partition_log import Entry, Outgoing


class Answers:
    """A view of the output topics; written by the log thread, read by requests."""

    def __init__(self) -> None:
        self.forecasts: dict[Key, DemandForecast] = {}
        self.positions: dict[Key, Position] = {}
        self.decisions: dict[str, ReorderDecision] = {}
        self.latest_decisions: dict[Key, ReorderDecision] = {}
        self.conflicts = 0

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        key = (message.sku, message.location)
        match message:
            case DemandForecast():
                known = self.forecasts.get(key)
                if known is None or known.origin_ms < message.origin_ms:
                    self.forecasts[key] = message
            case Position():
                self.positions[key] = message
            case ReorderDecision():
                self._apply_decision(key, message)

    def _apply_decision(self, key: Key, decision: ReorderDecision) -> None:
        known = self.decisions.setdefault(decision.decision_id, decision)
        self.conflicts += known != decision
        latest = self.latest_decisions.get(key)
        if latest is None or latest.epoch_ms < decision.epoch_ms:
            self.latest_decisions[key] = decision

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Nothing: the API publishes no messages."""
        return iter(())
