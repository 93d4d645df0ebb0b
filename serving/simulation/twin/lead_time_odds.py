"""Lead times of simulated orders: constant, or drawn with a key made of the order's id and what it is for."""

import math
from dataclasses import dataclass

import numpy as np

from infra.contracts import identity
from infra.contracts.shop import Item
from infra.errors import StockstreamError
from serving.inventory.lead_times import MAX_LEAD_DAYS


@dataclass(frozen=True)
class LeadTimeOdds:
    """Days and the chance of each."""

    days: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.dot(self.days, self.shares))

    @property
    def usual(self) -> int:
        """The likeliest."""
        return self.days[int(np.argmax(self.shares))]


@dataclass(frozen=True)
class DrawnLeadTime:
    """The lead time that a seed has for an order."""

    odds: LeadTimeOdds
    seed: int

    def __call__(self, item: Item, order_id: str) -> int:
        """Days of the order."""
        drawn = identity.uniform(self.seed, "lead-time", order_id)
        place = int(np.searchsorted(np.cumsum(self.odds.shares), drawn, side="right"))
        return self.odds.days[min(place, len(self.odds.days) - 1)]


def parse_lead_time(text: str) -> LeadTimeOdds:
    """Lead times from `7`, or from `5:0.8,25:0.2`.

    Raises:
        StockstreamError: it is neither, or the shares do not sum to 1.
    """
    accepted = (
        f"days from 0 to {MAX_LEAD_DAYS}, such as 7, or with shares that sum to 1, such as 5:0.8,25:0.2"
    )
    try:
        pairs = [part.split(":") for part in text.split(",")]
        days = tuple(int(pair[0]) for pair in pairs)
        shares = (1.0,) if len(pairs) == 1 and len(pairs[0]) == 1 else tuple(float(pair[1]) for pair in pairs)
    except (ValueError, IndexError):
        raise StockstreamError(f"option --lead-time {text}: accepted are {accepted}") from None
    usable = all(0 <= each <= MAX_LEAD_DAYS for each in days) and all(share > 0 for share in shares)
    if not usable or not math.isclose(sum(shares), 1.0, abs_tol=1e-9) or any(len(p) > 2 for p in pairs):
        raise StockstreamError(f"option --lead-time {text}: accepted are {accepted}")
    return LeadTimeOdds(days, shares)
