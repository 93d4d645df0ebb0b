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
from serving.inventory.cover import Integers
from serving.inventory.named_policies import wanted_quantities
from serving.inventory.order_up_to import Supply
from serving.simulation.twin.shelf import Shelf
from serving.simulation.twin.world import Order
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate
from tests.benchmarks.inventory.planned_levels import EPOCH_MS, item_inputs, outlook
from tests.benchmarks.inventory.realised_service import (
    LEAD_TIMES,
    PATHS,
    REVIEW_DAYS,
    TARGETS,
    true_lead_times,
)
from tests.unit.serving.records import item

SKUS, WARM_UP, CYCLES, POOL = 250, 15, 200, 20_000
DAY_MS, FIRST_STOCK = 86_400_000, 60


def seen(inputs: DecisionInputs, shelf: Shelf) -> list[DecisionInputs]:
    """The inputs of a decision of each SKU now."""
    orders: list[list[OpenOrder]] = [[] for _ in shelf.on_hand]
    for each in shelf.open_orders:
        orders[each.row].append(
            OpenOrder(
                order_id=each.order_id,
                supplier=inputs.supplier,
                outstanding=each.quantity,
                placed_ms=EPOCH_MS + each.placed * DAY_MS,
            )
        )
    states = zip(shelf.on_hand.tolist(), shelf.backlog.tolist(), orders, strict=True)
    return [
        inputs.model_copy(update={"on_hand": units, "backordered": owed, "open_orders": lines})
        for units, owed, lines in states
    ]


def full_cycles(inputs: DecisionInputs, leads: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether each SKU's review periods had no unmet demand [SKUs, cycles]."""
    rng = np.random.default_rng(4)
    pool = rng.negative_binomial(2, 1 / 3, (POOL, leads[1] + REVIEW_DAYS)).astype(float)
    alike = item("A", delivery=inputs.delivery, unmet_demand=inputs.unmet_demand)
    shelf, full = Shelf(np.full(SKUS, FIRST_STOCK), [], [alike] * SKUS), []
    for day in range(0, REVIEW_DAYS * (WARM_UP + CYCLES), REVIEW_DAYS):
        paths = pool[rng.integers(0, POOL, (SKUS, PATHS))]
        ids = [f"decision-{sku}-{day}" for sku in range(SKUS)]
        wanted = wanted_quantities(outlook(seen(inputs, shelf), paths, ids, EPOCH_MS + day * DAY_MS))
        due = day + np.where(rng.random(SKUS) < 0.2, leads[1], leads[0])
        asked = enumerate(zip(wanted.tolist(), due.tolist(), strict=True))
        shelf.place(Order(f"po-{day}", sku, units, day, opens) for sku, (units, opens) in asked if units)
        full.append(_is_full(shelf, day, rng.negative_binomial(2, 1 / 3, (SKUS, REVIEW_DAYS))))
    return np.array(full[WARM_UP:]).T


def _is_full(shelf: Shelf, first_day: int, demand: Integers) -> NDArray[np.bool_]:
    """Receives and sells over a review period; whether all demand was served on its day [SKUs]."""
    is_full = np.ones(len(demand), dtype=np.bool_)
    for day, units in enumerate(demand.T, start=first_day):
        shelf.receive(day)
        is_full &= shelf.serve(units) == units
    return is_full


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
