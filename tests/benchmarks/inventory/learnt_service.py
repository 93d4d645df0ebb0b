"""Service that levels realise which are learnt from 365 days of demand and 20 receipts, 500 different SKUs.

Simulated: negative binomial demand, means from 1 to 20 a day, variance 1.5 to 5 times the mean, R = 7; lead
times of 7 days, or of 5 (80 %) and 25 days (20 %) with orders that may overtake each other or not. A planner
sees one year and 20 lead times of each SKU, nothing else, and finds a level by simulating the arrivals
(`serving.inventory.order_up_to`). The plug-in planner simulates what it has seen, each day and receipt as
likely as the other. Ours admits that 365 days and 20 receipts are few: each simulated run has its own weights
of days (Bayesian bootstrap, Rubin 1981) and of lead times (posterior of Jeffreys' prior), so that what is not
known well costs stock. Both are then judged with the true distributions, after 50 warm-up periods.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from infra.contracts.message import UnmetDemand
from serving.inventory.order_up_to import (
    MixedLevels,
    Supply,
    level_by_simulation,
    simulate_order_up_to,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import Z95, estimate
from tests.benchmarks.inventory.realised_service import LEAD_TIMES, REVIEW_DAYS, TARGETS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SKUS, HISTORY_DAYS, RECEIPTS = 500, 365, 20
LEARN_RUNS, LEARN_REVIEWS, LEARN_WARM_UP = 24, 60, 20
JUDGE_RUNS, JUDGE_REVIEWS, JUDGE_WARM_UP = 4, 150, 50
HIGHEST = 2000
JEFFREYS = 0.5
"""Receipts that each lead time is given before any is seen: Jeffreys' prior of a multinomial."""


@dataclass(frozen=True)
class Shop:
    """The SKUs' true demand, and what was seen of them: days (SKUs, 365) and lead times (SKUs, 20)."""

    sizes: Floats
    chances: Floats
    leads: tuple[int, int]
    days: Integers
    receipts: Integers


def opened(leads: tuple[int, int]) -> Shop:
    """The same SKUs for each kind of lead time."""
    rng = np.random.default_rng(1)
    means, ratios = np.exp(rng.uniform(0, np.log(20), SKUS)), rng.uniform(1.5, 5, SKUS)
    chances = 1 / ratios
    sizes = means * chances / (1 - chances)
    days = rng.negative_binomial(sizes[:, None], chances[:, None], (SKUS, HISTORY_DAYS))
    receipts = np.where(rng.random((SKUS, RECEIPTS)) < 0.2, leads[1], leads[0])
    return Shop(sizes, chances, leads, days, receipts)


def imagined(shop: Shop, admits_doubt: bool, seed: int) -> tuple[Integers, Integers]:
    """Demand [SKUs, runs, days] and lead times [SKUs, runs, reviews] as a planner imagines them."""
    rng = np.random.default_rng(seed)
    demand = _resampled(shop.days, LEARN_REVIEWS * REVIEW_DAYS, admits_doubt, rng)
    lead_times = np.unique(shop.receipts)
    counts = (shop.receipts[:, :, None] == lead_times).sum(axis=1)
    if not admits_doubt:
        return demand, _resampled(shop.receipts, LEARN_REVIEWS, False, rng)
    weights = rng.gamma(counts[:, None, :] + JEFFREYS, size=(SKUS, LEARN_RUNS, len(lead_times)))
    until = np.cumsum(weights / weights.sum(axis=2, keepdims=True), axis=2)
    drawn = rng.random((SKUS, LEARN_RUNS, LEARN_REVIEWS, 1)) >= until[:, :, None, :-1]
    return demand, lead_times[drawn.sum(axis=3)]


def _resampled(seen: Integers, count: int, admits_doubt: bool, rng: np.random.Generator) -> Integers:
    """Draws [SKUs, runs, count] from what was seen; weights are each run's own, or all the same."""
    skus, values = seen.shape
    if not admits_doubt:
        places = rng.integers(0, values, (skus, LEARN_RUNS * count))
        return np.take_along_axis(seen, places, axis=1).reshape(skus, LEARN_RUNS, count)
    until = np.cumsum(rng.exponential(size=(skus, LEARN_RUNS, values)), axis=2)
    offset = np.arange(skus * LEARN_RUNS).reshape(skus, LEARN_RUNS, 1)
    ends = (until / until[:, :, -1:] + offset).ravel()
    found = np.searchsorted(ends, (rng.random((skus, LEARN_RUNS, count)) + offset).ravel(), side="right")
    places = np.minimum(found.reshape(skus, LEARN_RUNS, count) - offset * values, values - 1)
    drawn: Integers = np.take_along_axis(seen, places.reshape(skus, -1), axis=1)
    return drawn.reshape(skus, LEARN_RUNS, count)


def learnt(shop: Shop, target: float, supply: Supply, admits_doubt: bool) -> MixedLevels:
    """The level of each SKU."""
    demand, lead_days = imagined(shop, admits_doubt, 2)

    def service(levels: Integers) -> Floats:
        run = simulate_order_up_to(levels[:, None, None], demand, lead_days, supply, LEARN_WARM_UP)
        return run.cycle_service

    lowest, highest = np.zeros(SKUS, dtype=np.int64), np.full(SKUS, HIGHEST)
    return level_by_simulation(np.full(SKUS, target), service, lowest, highest)


def judged(shop: Shop, mixed: MixedLevels, supply: Supply) -> Floats:
    """True cycle service of each SKU, in percent."""
    rng, shape = np.random.default_rng(3), (SKUS, JUDGE_RUNS, JUDGE_REVIEWS)
    days = (SKUS, JUDGE_RUNS, JUDGE_REVIEWS * REVIEW_DAYS)
    demand = rng.negative_binomial(shop.sizes[:, None, None], shop.chances[:, None, None], days)
    lead_days = np.where(rng.random(shape) < 0.2, shop.leads[1], shop.leads[0])
    levels = mixed.levels[:, None, None] - (rng.random(shape) >= mixed.shares[:, None, None])
    run = simulate_order_up_to(levels, demand, lead_days, supply, JUDGE_WARM_UP)
    service: Floats = 100 * run.cycle_service
    return service


def cell(supply_name: str, unmet: UnmetDemand, target: float) -> list[Figure]:
    """Mean realised service of ours and of the plug-in planner, and the spread of ours over SKUs."""
    delivery, leads = LEAD_TIMES[supply_name]
    supply, shop, label = Supply(delivery, unmet, REVIEW_DAYS), opened(leads), supply_name.replace(" ", "_")
    made = []
    for planner, admits_doubt in (("ours", True), ("plug_in", False)):
        service = judged(shop, learnt(shop, target, supply, admits_doubt), supply)
        mean, error = float(service.mean()), Z95 * float(service.std(ddof=1)) / SKUS**0.5
        tenths = ", ".join(f"{value:.1f}" for value in np.quantile(service, (0.05, 0.25, 0.5, 0.75, 0.95)))
        how = f"simulated; 5, 25, 50, 75, 95 % of {SKUS} SKUs: {tenths}; spread: 95 % of the mean"
        name, goal = f"learnt.{planner}.{unmet}.{label}.{100 * target:g}", f"{100 * target:g} +- 2"
        meets = partial(_near, 100 * target) if admits_doubt else _any
        made.append(
            estimate(
                name,
                mean,
                (mean - error, mean + error),
                "%",
                how,
                goal if admits_doubt else "reported",
                meets,
            )
        )
    print(*(f"{each.id} {each.value:.2f} {each.how}" for each in made), sep="\n", flush=True)
    return made


def _near(target: float, value: float) -> bool:
    return abs(value - target) <= 2


def _any(value: float) -> bool:
    return True


def figures() -> list[Figure]:
    """Every cell."""
    unmets: tuple[UnmetDemand, ...] = ("backordered", "lost")
    return [figure for each in product(LEAD_TIMES, unmets, TARGETS) for figure in cell(*each)]
