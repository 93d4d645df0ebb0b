"""Order-up-to levels found by simulating the arrivals, with orders that cross or do not.

A level taken from the distribution of demand over L + R days is right for a constant L only. With a random
one the stock at the end of a cycle depends on the other open orders too: where orders may overtake each other
a late one is often made up for by the next, where they may not one late order holds up all behind it.

An order at the close of day t with lead time L is on hand when day t + L + 1 opens.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts import identity
from infra.contracts.message import Delivery, UnmetDemand
from serving.inventory.policies import Floats, Integers, base_stock


@dataclass(frozen=True)
class Supply:
    """How a simulated SKU is supplied.

    Attributes:
        delivery: whether orders may overtake each other.
        unmet: what becomes of demand that the shelf cannot serve.
        review_days: days from one review to the next.
    """

    delivery: Delivery
    unmet: UnmetDemand
    review_days: int


@dataclass(frozen=True)
class RealisedService:
    """What reviews saw after the warm-up.

    Attributes:
        full_cycles: share of review periods in which all demand was served on its day [skus, runs].
        served: units served on the day of demand [skus, runs].
        demanded: units [skus, runs].
    """

    full_cycles: Floats
    served: Floats
    demanded: Floats

    @property
    def cycle_service(self) -> Floats:
        """Share of review periods without unmet demand [skus]."""
        mean: Floats = self.full_cycles.mean(axis=1)
        return mean

    @property
    def fill_rate(self) -> Floats:
        """Units served on the day / units demanded [skus]."""
        rate: Floats = self.served.sum(axis=1) / self.demanded.sum(axis=1)
        return rate


def simulate_order_up_to(
    levels: Integers, demand: Integers, lead_days: Integers, supply: Supply, warm_up: int
) -> RealisedService:
    """Runs (R,S) day by day.

    Args:
        levels: order-up-to level of each review [skus, runs or 1, reviews].
        demand: units [skus, runs, days], whole review periods.
        lead_days: lead time of each review's order, if nothing holds it up [skus, runs, reviews].
        supply: of the SKUs.
        warm_up: reviews that are not counted.
    """
    skus, runs, days = demand.shape
    levels = np.broadcast_to(levels, lead_days.shape)
    arriving = np.zeros((days + int(lead_days.max()) + 1, skus, runs), dtype=np.int64)
    sku, run = np.ogrid[:skus, :runs]
    stock = np.broadcast_to(levels[:, :, 0], (skus, runs)).copy()
    position, last_arrival = stock.copy(), np.zeros((skus, runs), dtype=np.int64)
    full, served = np.zeros((skus, runs)), np.zeros((skus, runs))
    whole = np.ones((skus, runs), dtype=bool)
    for day in range(days):
        stock = stock + arriving[day]
        sold = np.clip(stock, 0, demand[:, :, day])
        taken = sold if supply.unmet == "lost" else demand[:, :, day]
        stock, position = stock - taken, position - taken
        whole &= sold == demand[:, :, day]
        review, last_of_cycle = divmod(day + 1, supply.review_days)
        counted = day >= warm_up * supply.review_days
        served += sold * counted
        if last_of_cycle == 0:
            full += whole & counted
            whole[:] = True
            order = base_stock(position, levels[:, :, review - 1])
            opens = day + 1 + lead_days[:, :, review - 1]
            if supply.delivery == "fifo":
                opens = last_arrival = np.maximum(opens, last_arrival)
            np.add.at(arriving, (np.minimum(opens, len(arriving) - 1), sku, run), order)
            position = position + order
    start = warm_up * supply.review_days
    cycles = days // supply.review_days - warm_up
    return RealisedService(full / cycles, served, demand[:, :, start:].sum(axis=2).astype(float))


@dataclass(frozen=True)
class MixedLevels:
    """Whole levels that meet a target exactly on average.

    Attributes:
        levels: the least level that reaches the target [skus].
        shares: share of epochs that use it; the others use one unit less [skus].
    """

    levels: Integers
    shares: Floats

    def at(self, sku: int, *epoch: object) -> int:
        """The level of an epoch, by a hash of what the epoch is called: the same in every replay."""
        return int(self.levels[sku]) - int(identity.uniform(*epoch) >= self.shares[sku])


def level_by_simulation(
    target: Floats, service: Callable[[Integers], Floats], lowest: Integers, highest: Integers
) -> MixedLevels:
    """The levels whose simulated service reaches the target, by bisection on common random numbers.

    Args:
        target: cycle service or fill rate [skus].
        service: simulated service of levels [skus] -> [skus]; never falls with the level.
        lowest: levels that do not reach the target [skus].
        highest: levels that do [skus].
    """
    low, high = lowest.copy(), highest.copy()
    below, above = service(low), service(high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        found = service(middle)
        enough: NDArray[np.bool_] = found >= target
        low, below = np.where(enough, low, middle), np.where(enough, below, found)
        high, above = np.where(enough, middle, high), np.where(enough, found, above)
    shares = np.clip((target - below) / np.maximum(above - below, 1e-12), 0, 1)
    return MixedLevels(high, shares)
