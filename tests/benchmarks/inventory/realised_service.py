"""Service that order-up-to levels realise where the true distributions are given.

Simulated: negative binomial demand of mean 4 and variance 12 a day, R = 7; lead times of 7 days, or of 5
(80 %) and 25 days (20 %) with orders that may overtake each other or not. Levels are found by simulating the
arrivals (`serving.inventory.order_up_to`) and mixed between two whole ones by a hash of the epoch, then
judged on other demand and lead times. A cycle is one SKU's review period after 50 warm-up periods. Cycle
service is the share of cycles without unmet demand, fill rate the units served on their day / units demanded.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from infra.contracts.message import Delivery, UnmetDemand
from serving.inventory.order_up_to import (
    MixedLevels,
    RealisedService,
    Supply,
    level_by_simulation,
    simulate_order_up_to,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REVIEW_DAYS, WARM_UP, SKUS, CYCLES = 7, 50, 250, 400
TARGETS = (0.80, 0.90, 0.95, 0.99)
LEAD_TIMES: dict[str, tuple[Delivery, tuple[int, int]]] = {
    "constant": ("fifo", (7, 7)),
    "bimodal independent": ("independent", (5, 25)),
    "bimodal fifo": ("fifo", (5, 25)),
}


@dataclass(frozen=True)
class World:
    """Demand [1, SKUs, days] and lead times [1, SKUs, reviews] of identical SKUs."""

    demand: Integers
    lead_days: Integers


def drawn(leads: tuple[int, int], seed: int, cycles: int) -> World:
    """A world of its own for each seed."""
    rng = np.random.default_rng(seed)
    reviews = WARM_UP + cycles
    demand = rng.negative_binomial(2, 1 / 3, (1, SKUS, reviews * REVIEW_DAYS)).astype(np.int64)
    return World(demand, np.where(rng.random((1, SKUS, reviews)) < 0.2, leads[1], leads[0]))


def realised(levels: Integers, world: World, supply: Supply) -> RealisedService:
    """Runs levels [1, SKUs or 1, reviews or 1] through a world."""
    return simulate_order_up_to(levels, world.demand, world.lead_days, supply, WARM_UP)


def found_levels(target: float, world: World, supply: Supply, fill_rate: bool) -> MixedLevels:
    """Levels for a target, from a world that they are not judged in."""

    def service(levels: Integers) -> Floats:
        run = realised(levels[:, None, None], world, supply)
        return run.fill_rate if fill_rate else run.cycle_service

    return level_by_simulation(np.array([target]), service, np.array([0]), np.array([400]))


def levels_by_epoch(mixed: MixedLevels, reviews: int) -> Integers:
    """The mixed level of every SKU and epoch [1, SKUs, reviews]."""
    return np.array([[[mixed.at(0, sku, epoch) for epoch in range(reviews)] for sku in range(SKUS)]])


def cell(supply_name: str, unmet: UnmetDemand, target: float, fill_rate: bool) -> Figure:
    """Realised service of one cell, in percent; batches are SKUs."""
    delivery, leads = LEAD_TIMES[supply_name]
    supply = Supply(delivery, unmet, REVIEW_DAYS)
    mixed = found_levels(target, drawn(leads, 1, CYCLES), supply, fill_rate)
    world = drawn(leads, 2, CYCLES)
    run = realised(levels_by_epoch(mixed, WARM_UP + CYCLES), world, supply)
    batches = run.served[0] / run.demanded[0] if fill_rate else run.full_cycles[0]
    value = 100 * float(run.fill_rate[0] if fill_rate else run.cycle_service[0])
    error = 100 * float(batches.std(ddof=1) / np.sqrt(SKUS))
    kind = "fill_rate" if fill_rate else "cycle_service"
    goal = f"{100 * target:g} +- 1, SE <= 0.3"
    how = f"simulated; level {mixed.levels[0]} in {mixed.shares[0]:.2f} of epochs, else one less; "
    how += f"{SKUS * CYCLES:,} cycles, batch-means SE {error:.3f}; spread: one SE"
    name = f"realised.{kind}.{unmet}.{supply_name.replace(' ', '_')}.{100 * target:g}"
    interval = (value - error, value + error)
    return estimate(
        name, value, interval, "%", how, goal, lambda v: abs(v - 100 * target) <= 1 and error <= 0.3
    )


def figures() -> list[Figure]:
    """Cycle service of all cells, then fill rate."""
    unmets: tuple[UnmetDemand, ...] = ("backordered", "lost")
    cells = product((False, True), unmets, LEAD_TIMES, TARGETS)
    return [cell(name, unmet, target, fill) for fill, unmet, name, target in cells]
