"""Whether a position has left what the last decision projected: stock used up too fast, or an order late."""

from array import array
from collections.abc import Container

import numpy as np

from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import ReorderDecision
from serving.inventory.lead_times import draw_lead_days
from serving.inventory.ledger import Key, Ledger
from serving.inventory.local_days import days_between, midnight_after
from serving.inventory.order_rules import net_stock
from serving.inventory.overrides import demand_factors

SURGE_LEVEL = 0.975
"""Demand since the decision beyond this quantile of its forecast is a surge."""

LATE_LEVEL = 0.95
"""An order open beyond this quantile of its supplier's lead times is late."""


class PositionWatch:
    """Keeps of each forecast the high quantile of demand up to each day, and compares."""

    def __init__(self) -> None:
        self._high: dict[tuple[Key, int], array[float]] = {}

    def apply(self, forecast: DemandForecast) -> None:
        """Takes a forecast; repeating one changes nothing."""
        column = forecast.quantile_levels.index(SURGE_LEVEL)
        high = array("f", [row[column] for row in forecast.cumulative])
        self._high[((forecast.sku, forecast.location), forecast.origin_ms)] = high

    def cause(self, newest: ReorderDecision, ledger: Ledger, level_id: str, epoch_ms: int) -> str | None:
        """The cause of a decision at the instant of a stock level; None where nothing calls for one.

        A late order names itself, once: on the first day past the quantile of its lead time. A surge names
        the stock level that is the first below the projected stock.
        """
        late = self._late_order(newest, ledger, epoch_ms)
        if late is not None:
            return identity.cause("late_order", late)
        before_ms = max(newest.epoch_ms, midnight_after(epoch_ms - 1, 0, newest.inputs.time_zone))
        surged = self._is_below(newest, ledger, epoch_ms) and not self._is_below(newest, ledger, before_ms)
        return identity.cause("surge", level_id) if surged else None

    def _late_order(self, newest: ReorderDecision, ledger: Ledger, epoch_ms: int) -> str | None:
        zone = newest.inputs.time_zone
        if midnight_after(epoch_ms, 0, zone) != epoch_ms:
            return None
        usual = int(draw_lead_days(newest.inputs.lead_times, np.array([LATE_LEVEL]))[0])
        for order in ledger.open_orders((newest.sku, newest.location), epoch_ms):
            if days_between(order.placed_ms, epoch_ms, zone) == usual + 1:
                return order.order_id
        return None

    def _is_below(self, newest: ReorderDecision, ledger: Ledger, time_ms: int) -> bool:
        key, inputs = (newest.sku, newest.location), newest.inputs
        stock = ledger.stock(key, time_ms)
        if inputs.forecast is None or inputs.on_hand is None or stock is None:
            return False
        high = self._high.get((key, inputs.forecast.origin_ms))
        days = days_between(newest.epoch_ms, time_ms - 1, inputs.time_zone) + 1
        if high is None or not 0 < days <= len(high):
            return False
        factor = demand_factors(inputs, newest.epoch_ms, days).mean()
        received = ledger.received(key, newest.epoch_ms, time_ms)
        return bool(stock.net < net_stock(inputs) + received - factor * high[days - 1])

    def forget(self, before_ms: int, needed: Container[tuple[Key, int]]) -> None:
        """Drops forecasts older than an instant that no decision in force needs."""
        self._high = {k: high for k, high in self._high.items() if k[1] >= before_ms or k in needed}
