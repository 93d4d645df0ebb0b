"""Order-up-to levels found by simulating the arrivals, with orders that cross or do not.

A level taken from the distribution of demand over L + R days is right for a constant L only. With a random
one the stock at the end of a cycle depends on the other open orders too: where orders may overtake each other
a late one is often made up for by the next, where they may not one late order holds up all behind it.

An order at the close of day t with lead time L is on hand when day t + L + 1 opens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from infra.contracts import identity
from infra.contracts.message import Delivery, UnmetDemand
from serving.inventory.policies import Floats, Integers

JEFFREYS = 0.5
"""Receipts that each lead time is given before any is seen: Jeffreys' prior of a multinomial."""

_LEAST_CYCLES = 8
"""Review periods that each path counts at least."""


@dataclass(frozen=True)
class Supply:
    """How simulated SKUs are supplied.

    Attributes:
        delivery: whether orders may overtake each other.
        unmet: what becomes of demand that the shelf cannot serve.
        review_days: days from one review to the next.
    """

    delivery: Delivery
    unmet: UnmetDemand
    review_days: int


@dataclass(frozen=True)
class LeadTimes:
    """What a supplier's receipts say of a SKU's lead times.

    Attributes:
        days: that an order took [kinds].
        receipts: how many took so long [kinds].
        key: what the simulated lead times are drawn for.
    """

    days: Integers
    receipts: Integers
    key: str


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
        """Units served on the day / units demanded, 1 where there is no demand [skus]."""
        served, demanded = self.served.sum(axis=1), self.demanded.sum(axis=1)
        rate: Floats = np.divide(served, demanded, out=np.ones_like(served), where=demanded > 0)
        return rate


def simulate_order_up_to(
    levels: Integers, demand: Floats, lead_days: Integers, supply: Supply, warm_up: int
) -> RealisedService:
    """Runs (R,S) day by day, from a full shelf with nothing on order.

    Args:
        levels: order-up-to level of each review [skus, runs or 1, reviews or 1].
        demand: units [skus, runs, days], whole review periods; it begins anew until the reviews are over.
        lead_days: lead time of each review's order, if nothing holds it up [skus, runs, reviews].
        supply: of the SKUs.
        warm_up: reviews that are not counted.
    """
    skus, runs, reviews = lead_days.shape
    levels = np.broadcast_to(levels, lead_days.shape)
    arriving = np.zeros((int(lead_days.max()) + 1, skus, runs))
    sku, run = np.ogrid[:skus, :runs]
    stock = levels[:, :, 0].astype(float)
    position, last_arrival = stock.copy(), np.zeros((skus, runs), dtype=np.int64)
    full, served, demanded = np.zeros((3, skus, runs))
    for review in range(reviews):
        next_day = (review + 1) * supply.review_days
        whole = np.ones((skus, runs), dtype=bool)
        for day in range(next_day - supply.review_days, next_day):
            stock += arriving[day % len(arriving)]
            arriving[day % len(arriving)] = 0
            wanted = demand[:, :, day % demand.shape[2]]
            sold = np.clip(stock, 0, wanted)
            taken = sold if supply.unmet == "lost" else wanted
            stock -= taken
            position -= taken
            if review >= warm_up:
                whole &= sold == wanted
                served += sold
                demanded += wanted
        if review >= warm_up:
            full += whole
        order = np.maximum(levels[:, :, review] - position, 0)
        position += order
        opens = next_day + lead_days[:, :, review]
        if supply.delivery == "fifo":
            opens = last_arrival = np.maximum(opens, last_arrival)
        arriving[opens % len(arriving), sku, run] += order
    return RealisedService(full / (reviews - warm_up), served, demanded)


def warm_up_reviews(longest_days: int, review_days: int) -> int:
    """Reviews after which the start is forgotten: twice as long as an order can be open."""
    return 2 * (longest_days // review_days + 1)


def simulated_levels(
    demand: Floats,
    lead_times: Sequence[LeadTimes],
    supply: Supply,
    warm_up: int,
    target: Floats,
    service: Callable[[RealisedService], Floats],
) -> Floats:
    """The levels with which the service is the target on average over all that may be true [skus].

    Each path is one state of the world that goes on as it is: its horizon's review periods come again and
    again, which keeps weekdays and the dependence between days. It has its own chances of the lead times too,
    drawn from their posterior, so that what few receipts leave open costs stock and what many leave costs
    none. A SKU's level does not depend on the other SKUs.

    Args:
        demand: joint paths, units [skus, paths, horizon], at least one review period.
        lead_times: of each SKU.
        supply: of all of them.
        warm_up: see `warm_up_reviews`.
        target: cycle service or fill rate, above 0 and below 1 [skus].
        service: which of the two counts.

    Returns:
        levels between two whole ones, see `whole_level`.
    """
    cycles = demand.shape[2] // supply.review_days
    demand = demand[:, :, : cycles * supply.review_days]
    reviews = warm_up + cycles * -(-_LEAST_CYCLES // cycles)
    drawn = [_drawn_lead_days(each, reviews, demand.shape[1]) for each in lead_times]
    lead_days = np.stack(drawn).swapaxes(1, 2)

    def realised(levels: Integers) -> Floats:
        return service(simulate_order_up_to(levels[:, None, None], demand, lead_days, supply, warm_up))

    longest = np.array([each.days.max() for each in lead_times]) + supply.review_days
    most = demand.sum(axis=2).max(axis=1) * -(-longest // demand.shape[2])
    return level_by_simulation(target, realised, most.astype(np.int64) + 1)


def _drawn_lead_days(lead_times: LeadTimes, reviews: int, runs: int) -> Integers:
    """Lead times [reviews, runs], each run by its own chances of them; stratified over the runs."""
    rng = np.random.default_rng(identity.seed(lead_times.key, "lead-times"))
    weights = rng.standard_gamma(lead_times.receipts + JEFFREYS, (runs, len(lead_times.days)))
    until = np.cumsum(weights, axis=1)
    strata = rng.permuted(np.tile(np.arange(runs), (reviews, 1)), axis=1)
    reached = (strata + rng.random((reviews, runs))) / runs * until[:, -1]
    kinds = (reached[:, :, None] >= until[:, :-1]).sum(axis=2)
    days: Integers = lead_times.days[kinds]
    return days


def level_by_simulation(target: Floats, service: Callable[[Integers], Floats], highest: Integers) -> Floats:
    """The levels whose simulated service is the target, by bisection on common random numbers.

    Args:
        target: cycle service or fill rate [skus].
        service: simulated service of levels [skus] -> [skus]; never falls with the level.
        highest: levels that reach the target [skus].

    Returns:
        levels between the least whole one that reaches the target and the one below, in proportion [skus].
    """
    low, high = np.full_like(highest, -1), highest.copy()
    below, above = np.zeros(len(target)), service(high)
    while (apart := high - low > 1).any():
        middle = (low + high) // 2
        found = service(middle)
        rises, falls = apart & (found < target), apart & (found >= target)
        low, below = np.where(rises, middle, low), np.where(rises, found, below)
        high, above = np.where(falls, middle, high), np.where(falls, found, above)
    share: Floats = (target - below) / (above - below)
    return low + share


def whole_level(level: float, *epoch: object) -> int:
    """The level or the next higher one of an epoch, by a hash of what the epoch is called.

    The same in every replay; on average over epochs it is the level.
    """
    return floor(level + identity.uniform(*epoch))
