"""One item with lost sales and a constant lead time, of which everything is known.

A state is (on hand, arriving next period, .., arriving in `lead_time` - 1 periods). In a period an order is
placed, demand is served from what is on hand, the rest of the demand is lost, and then the next delivery
comes in; an order is on hand `lead_time` periods after it was placed (Zipkin, Operations Research 56, 2008).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from infra.errors import StockstreamError

Floats = NDArray[np.float64]

_TAIL = 1e-15
KINDS = ("poisson", "geometric")


def demand_pmf(kind: str, mean: float) -> Floats:
    """Probabilities of 0, 1, .. units of demand in a period, cut where less than 1e-15 is left.

    Args:
        kind: `poisson`, or `geometric` (the failures before a success, from 0).
        mean: expected units, above 0.

    Raises:
        StockstreamError: no such kind, or a mean out of range.

    >>> demand_pmf("geometric", 5.0)[:2].round(4).tolist()
    [0.1667, 0.1389]
    """
    if not 0 < mean <= 1000:
        raise StockstreamError(f"mean demand {mean!r}: a number above 0 and up to 1000 is accepted")
    if kind not in KINDS:
        raise StockstreamError(f"demand {kind!r}: accepted are {' and '.join(KINDS)}")
    law = stats.poisson(mean) if kind == "poisson" else stats.nbinom(1, 1 / (1 + mean))
    pmf: Floats = law.pmf(np.arange(int(law.isf(_TAIL)) + 1))
    pmf /= pmf.sum()
    return pmf


@dataclass(frozen=True)
class LostSalesModel:
    """An item whose unmet demand is lost.

    Attributes:
        demand: probabilities of 0, 1, .. units in a period; periods are independent.
        lead_time: periods from an order to its delivery, at least 1.
        holding_cost: per unit left at the end of a period.
        stockout_cost: per unit of lost demand.
    """

    demand: Floats
    lead_time: int
    holding_cost: float
    stockout_cost: float

    def __post_init__(self) -> None:
        if self.lead_time < 1:
            raise StockstreamError(f"lead time {self.lead_time!r}: 1 or more whole periods are accepted")
        for name, cost in (("holding cost", self.holding_cost), ("stockout cost", self.stockout_cost)):
            if not 0 < cost < float("inf"):
                raise StockstreamError(f"{name} {cost!r}: a number above 0 is accepted")

    @property
    def mean_demand(self) -> float:
        """Expected units a period."""
        return float(self.demand @ np.arange(len(self.demand)))

    def leftover(self, highest: int) -> Floats:
        """Probabilities [on hand, left at the end] for 0 .. `highest` units on hand."""
        probabilities = np.zeros((highest + 1, highest + 1))
        pmf = np.append(self.demand, np.zeros(highest + 1))
        for stock in range(highest + 1):
            probabilities[stock, 1 : stock + 1] = pmf[:stock][::-1]
            probabilities[stock, 0] = 1 - pmf[:stock].sum()
        return probabilities

    def period_costs(self, highest: int) -> Floats:
        """Expected cost of a period that opens with 0 .. `highest` units on hand."""
        on_hand = np.arange(highest + 1)
        left = self.leftover(highest) @ on_hand
        return self.holding_cost * left + self.stockout_cost * (self.mean_demand - on_hand + left)

    def critical_quantile(self, periods: int) -> int:
        """The least stock that covers the demand of some periods with the critical ratio p / (p + h)."""
        pmf = np.ones(1)
        for _ in range(periods):
            pmf = np.convolve(pmf, self.demand)
        ratio = self.stockout_cost / (self.stockout_cost + self.holding_cost)
        return int(np.searchsorted(np.cumsum(pmf), ratio))
