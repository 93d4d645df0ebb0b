"""Service that the Planner's `order-up-to` realises where the true distributions are given.

Simulated: negative binomial demand of mean 4 and variance 12 a day, R = 7; lead times of 7 days, or of 5
(80 %) and 25 days (20 %) with orders that may overtake each other or not. Each of 250 such SKUs is decided
once, by the function that `decide` calls, from 500 joint paths of its own over 35 days, which hold the
longest L + R, and from so many receipts that they leave nothing open. Its level is then judged on other
demand and lead times. A cycle is one SKU's review period after 50 warm-up periods. Cycle service is the share
of cycles without unmet demand, fill rate the units served on their day / units demanded.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import LeadTimeCount
from infra.contracts.message import Delivery, UnmetDemand
from infra.contracts.replenishment import CycleService, FillRate
from serving.inventory.order_up_to import RealisedService, Supply, simulate_order_up_to
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate
from tests.benchmarks.inventory.planned_levels import Known, planned_levels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REVIEW_DAYS, WARM_UP, SKUS, CYCLES = 7, 50, 250, 400
PATHS, HORIZON_DAYS, MANY_RECEIPTS = 500, 35, 1_000_000
TARGETS = (0.80, 0.90, 0.95, 0.99)
LEAD_TIMES: dict[str, tuple[Delivery, tuple[int, int]]] = {
    "constant": ("fifo", (7, 7)),
    "bimodal independent": ("independent", (5, 25)),
    "bimodal fifo": ("fifo", (5, 25)),
}


def demand(runs: int, days: int, seed: int) -> Floats:
    """Units [SKUs, runs, days]."""
    rng = np.random.default_rng(seed)
    return rng.negative_binomial(2, 1 / 3, (SKUS, runs, days)).astype(float)


def true_lead_times(leads: tuple[int, int]) -> list[LeadTimeCount]:
    """Four fifths and one fifth of very many receipts."""
    days, fifths = np.unique([leads[0]] * 4 + [leads[1]], return_counts=True)
    shares = zip(days.tolist(), fifths.tolist(), strict=True)
    return [LeadTimeCount(days=took, receipts=share * MANY_RECEIPTS) for took, share in shares]


def realised(levels: Integers, leads: tuple[int, int], supply: Supply) -> RealisedService:
    """What each SKU's level [SKUs] comes to."""
    late = np.random.default_rng(3).random((SKUS, 1, WARM_UP + CYCLES)) < 0.2
    lead_days = np.where(late, leads[1], leads[0])
    wanted = demand(1, (WARM_UP + CYCLES) * REVIEW_DAYS, 2)
    return simulate_order_up_to(levels[:, None, None], wanted, lead_days, supply, WARM_UP)


def cell(supply_name: str, unmet: UnmetDemand, target: CycleService | FillRate) -> Figure:
    """Realised service of one cell, in percent; batches are SKUs."""
    delivery, leads = LEAD_TIMES[supply_name]
    supply = Supply(delivery, unmet, REVIEW_DAYS)
    known = Known(demand(PATHS, HORIZON_DAYS, 1), [true_lead_times(leads)] * SKUS)
    levels = planned_levels(known, target, supply)
    run, by_unit = realised(levels, leads, supply), isinstance(target, FillRate)
    batches = 100 * (run.served / run.demanded if by_unit else run.full_cycles)[:, 0]
    value = float(100 * run.served.sum() / run.demanded.sum() if by_unit else batches.mean())
    error, asked = float(batches.std(ddof=1) / np.sqrt(SKUS)), 100 * target.level
    how = f"simulated; levels {levels.mean():.1f} ({levels.min()} to {levels.max()}); "
    how += f"{SKUS * CYCLES:,} cycles, batch-means SE {error:.3f}; spread: one SE"
    name = f"realised.{target.kind}.{unmet}.{supply_name.replace(' ', '_')}.{asked:g}"
    found = estimate(
        name,
        value,
        (value - error, value + error),
        "%",
        how,
        f"{asked:g} +- 1, SE <= 0.3",
        lambda each: abs(each - asked) <= 1 and error <= 0.3,
    )
    print(found.id, f"{found.value:.2f}", found.how, flush=True)
    return found


def figures() -> list[Figure]:
    """Every cell, by cycle service and by fill rate."""
    unmets: tuple[UnmetDemand, ...] = ("backordered", "lost")
    targets: list[CycleService | FillRate] = [
        *(CycleService(kind="cycle_service", level=level) for level in TARGETS),
        *(FillRate(kind="fill_rate", level=level) for level in TARGETS),
    ]
    return [cell(name, unmet, target) for unmet, name, target in product(unmets, LEAD_TIMES, targets)]
