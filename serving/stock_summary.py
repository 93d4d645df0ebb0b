"""What stands on the shelves of a Planner's partitions: items by stock, and its value."""

from collections import Counter
from decimal import Decimal
from typing import Literal

from infra.contracts.topics import STOCK_LEVELS
from infra.metrics import Meters
from serving.planner_state import PlannerState

INTERVAL_SECONDS = 10.0
_STOCKS: tuple[Literal["in", "out", "unknown"], ...] = ("in", "out", "unknown")


class StockSummary:
    """Sets the gauges of stock as event time stands, at intervals: each time costs a look at every item."""

    def __init__(self, owned: frozenset[int], meters: Meters) -> None:
        self._owned, self._meters = owned, meters
        self._due_at = 0.0
        self._currencies: set[str] = set()

    def record(self, state: PlannerState, now: float) -> None:
        """Sets the gauges unless that was done lately (`now` in seconds)."""
        if now < self._due_at:
            return
        self._due_at = now + INTERVAL_SECONDS
        stocks, values = _summary(state, self._owned)
        for stock in _STOCKS:
            self._meters.record("stockstream_items", stocks[stock], stock=stock)
        self._currencies |= values.keys()
        for currency in self._currencies:
            value = float(values.get(currency, Decimal()))
            self._meters.record("stockstream_stock_value", value, currency=currency)


def _summary(state: PlannerState, owned: frozenset[int]) -> tuple[Counter[str], dict[str, Decimal]]:
    """Items by stock, and value by currency."""
    stocks: Counter[str] = Counter()
    values: dict[str, Decimal] = {}
    as_of = {partition: state.event_time.latest(STOCK_LEVELS, partition) for partition in owned}
    for each in state.catalogue(max(as_of.values(), default=-1)):
        if each.partition not in owned:
            continue
        item, on_hand = (
            each.item,
            state.ledger.on_hand((each.item.sku, each.item.location), as_of[each.partition]),
        )
        stocks["unknown" if on_hand is None else "in" if on_hand else "out"] += 1
        cost, currency = Decimal(item.unit_cost.amount), item.unit_cost.currency
        values[currency] = values.get(currency, Decimal()) + cost * (on_hand or 0)
    return stocks, values
