"""How well the shelves served demand, from final feature rows alone: the in-stock share and the fill rate.

While a SKU is out of stock its demand is unseen. It is estimated as what the same SKU sold per day in stock,
over the same days; a SKU that was never in stock is left out. Where stock-outs follow high demand, this
flatters.
"""

from collections import defaultdict

from infra.contracts.demand import DemandFeatures
from infra.metrics import Meters
from serving.inventory.ledger import Key

DAYS = 28


class FillRate:
    """Units and in-stock shares of every SKU's last days."""

    def __init__(self) -> None:
        self._days: dict[Key, dict[int, tuple[float, float]]] = defaultdict(dict)
        self._changed = False

    def add(self, row: DemandFeatures) -> None:
        """Takes a final row; one without a known in-stock share says nothing."""
        share = row.values.get("in_stock_share")
        if share is None:
            return
        days = self._days[(row.sku, row.location)]
        days.setdefault(row.window_start_ms, (max(row.values.get("units") or 0.0, 0.0), share))
        if len(days) > DAYS:
            del days[min(days)]
        self._changed = True

    def record(self, meters: Meters) -> None:
        """Sets the gauges if rows have come."""
        if not self._changed:
            return
        self._changed = False
        sold = wanted = shares = days = 0.0
        for known in self._days.values():
            units, in_stock = (sum(values) for values in zip(*known.values(), strict=True))
            shares, days = shares + in_stock, days + len(known)
            if in_stock > 0:
                sold, wanted = sold + units, wanted + units * len(known) / in_stock
        meters.record("stockstream_in_stock_ratio", shares / days)
        if wanted > 0:
            meters.record("stockstream_fill_rate_ratio", sold / wanted)
