"""Cycle service that the default policy realises where the true distributions are given.

Simulated as `realised_service` is, but decided anew at every review, from the stock and the open orders of
that day: 250 SKUs, 500 joint paths each time, 15 reviews of warm-up, 200 that count. The default orders so
that the days from this order's arrival to the next one's are covered; where orders may overtake each other or
hold each other up, that is not the service of all days, and `order-up-to`, which simulates them, is the
policy to choose.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import DecisionInputs, LeadTimeCount, OpenOrder
from infra.contracts.message import UnmetDemand
from serving.inventory.arrivals import arrival_days, arriving_units
from serving.inventory.cover import lead_within
from serving.inventory.named_policies import wanted_quantities
from serving.inventory.order_up_to import Supply
from serving.inventory.outlook import Outlook
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate
from tests.benchmarks.inventory.planned_levels import EPOCH_MS, item_inputs
from tests.benchmarks.inventory.realised_service import (
    LEAD_TIMES,
    PATHS,
    REVIEW_DAYS,
    TARGETS,
    true_lead_times,
)

Floats = NDArray[np.float64]

SKUS, WARM_UP, CYCLES, POOL = 250, 15, 200, 20_000
DAY_MS, FIRST_STOCK = 86_400_000, 60


class Shelf:
    """One SKU: units free, below 0 what is owed, and what is on order by the day it arrives."""

    def __init__(self) -> None:
        self.stock = FIRST_STOCK
        self._orders: list[tuple[int, OpenOrder]] = []

    def day(self, day: int, wanted: int, waits: bool) -> bool:
        """Receives and sells; whether all demand was served."""
        self.stock += sum(order.outstanding for arrives, order in self._orders if arrives == day)
        self._orders = [each for each in self._orders if each[0] > day]
        is_served = wanted <= self.stock
        self.stock = self.stock - wanted if waits or is_served else 0
        return is_served

    def order(self, day: int, quantity: int, opens: int) -> None:
        """Places an order at the close of a day; first in, first out if it may not open earlier."""
        if quantity:
            placed = EPOCH_MS + day * DAY_MS
            line = OpenOrder(
                order_id=f"po-{day}", supplier="supplier", outstanding=quantity, placed_ms=placed
            )
            self._orders.append((opens, line))

    def last_arrival(self) -> int:
        """Day on which all that is on order has come."""
        return max((arrives for arrives, _ in self._orders), default=0)

    def seen(self, inputs: DecisionInputs) -> DecisionInputs:
        """The inputs of a decision now."""
        state = {
            "on_hand": max(self.stock, 0),
            "backordered": max(-self.stock, 0),
            "open_orders": [order for _, order in self._orders],
        }
        return inputs.model_copy(update=state)


def outlook(inputs: list[DecisionInputs], day: int, pool: Floats, rng: np.random.Generator) -> Outlook:
    """As the Planner makes it, with paths of the true demand."""
    epoch_ms, days = EPOCH_MS + day * DAY_MS, pool.shape[1]
    ids = [f"decision-{sku}-{day}" for sku in range(len(inputs))]
    arrives = [
        arrival_days(each, made_id, epoch_ms, PATHS) for each, made_id in zip(inputs, ids, strict=True)
    ]
    lead_days = np.stack([each[-1] for each in arrives])
    return Outlook(
        inputs,
        pool[rng.integers(0, len(pool), (len(inputs), PATHS))],
        np.array([float((each.on_hand or 0) - each.backordered) for each in inputs]),
        arriving_units(inputs, arrives, days),
        lead_within(lead_days, np.full(len(inputs), REVIEW_DAYS), days),
        ids,
        [epoch_ms] * len(inputs),
    )


def full_cycles(inputs: DecisionInputs, leads: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether each SKU's review periods had no unmet demand [SKUs, cycles]."""
    rng = np.random.default_rng(4)
    pool = rng.negative_binomial(2, 1 / 3, (POOL, leads[1] + REVIEW_DAYS)).astype(float)
    shelves, full = [Shelf() for _ in range(SKUS)], []
    waits = inputs.unmet_demand == "backordered"
    for day in range(0, REVIEW_DAYS * (WARM_UP + CYCLES), REVIEW_DAYS):
        seen = outlook([shelf.seen(inputs) for shelf in shelves], day, pool, rng)
        took = np.where(rng.random(SKUS) < 0.2, leads[1], leads[0])
        for shelf, quantity, days in zip(
            shelves, wanted_quantities(seen).tolist(), took.tolist(), strict=True
        ):
            held_up = shelf.last_arrival() if inputs.delivery == "fifo" else 0
            shelf.order(day, quantity, max(day + days, held_up))
        demand = rng.negative_binomial(2, 1 / 3, (SKUS, REVIEW_DAYS)).tolist()
        full.append(
            [
                all([shelf.day(day + ahead, units, waits) for ahead, units in enumerate(week)])
                for shelf, week in zip(shelves, demand, strict=True)
            ]
        )
    return np.array(full[WARM_UP:]).T


def cell(supply_name: str, unmet: UnmetDemand, target: float) -> Figure:
    """Realised cycle service of one cell, in percent; batches are SKUs."""
    delivery, leads = LEAD_TIMES[supply_name]
    counts: list[LeadTimeCount] = true_lead_times(leads)
    inputs = item_inputs(counts, Supply(delivery, unmet, REVIEW_DAYS))
    batches = 100 * full_cycles(inputs.model_copy(update={"cycle_service_level": target}), leads).mean(axis=1)
    value, error = float(batches.mean()), float(batches.std(ddof=1) / SKUS**0.5)
    how = f"simulated; {SKUS * CYCLES:,} cycles; spread: one batch-means SE"
    name = f"default.{unmet}.{supply_name.replace(' ', '_')}.{100 * target:g}"
    found = estimate(name, value, (value - error, value + error), "%", how)
    print(found.id, f"{found.value:.2f} +- {error:.2f}", flush=True)
    return found


def figures() -> list[Figure]:
    """Every cell."""
    unmets: tuple[UnmetDemand, ...] = ("backordered", "lost")
    return [cell(name, unmet, target) for unmet, name, target in product(unmets, LEAD_TIMES, TARGETS)]
