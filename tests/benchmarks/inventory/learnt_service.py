"""Service that the Planner's `order-up-to` realises where it has learnt from 365 days and 20 receipts.

Simulated: 500 SKUs with negative binomial demand, means from 1 to 20 a day, variance 1.5 to 5 times the mean,
R = 7; lead times of 7 days, or of 5 (80 %) and 25 days (20 %) with orders that may overtake each other or
not. Each SKU is decided once, by the function that `decide` calls, from 500 joint paths over 35 days and from
the counts of its receipts. The function itself admits that few receipts leave the lead times open; how sure
demand is, the forecaster has to say, and the benchmark stands in for it: each path has its own weights of the
365 days (Bayesian bootstrap, Rubin 1981), so that what is not known well costs stock. For comparison the
plug-in planner takes what was seen for the truth: each day is as likely as the other, and the receipts are a
million times as many. Levels are judged with the true distributions, after 50 warm-up periods.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import LeadTimeCount
from infra.contracts.message import UnmetDemand
from infra.contracts.replenishment import CycleService
from serving.inventory.order_up_to import Supply, simulate_order_up_to
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import Z95, estimate
from tests.benchmarks.inventory.planned_levels import Known, planned_levels
from tests.benchmarks.inventory.realised_service import (
    HORIZON_DAYS,
    LEAD_TIMES,
    MANY_RECEIPTS,
    PATHS,
    REVIEW_DAYS,
    TARGETS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SKUS, HISTORY_DAYS, RECEIPTS = 500, 365, 20
JUDGE_RUNS, JUDGE_REVIEWS, JUDGE_WARM_UP = 4, 150, 50
PLANNERS = {"ours": 1, "plug_in": MANY_RECEIPTS}
"""How many times each receipt counts."""


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


def imagined(shop: Shop, admits_doubt: bool) -> Floats:
    """Joint paths of demand [SKUs, paths, days] as a planner imagines them."""
    paths = np.empty((SKUS, PATHS, HORIZON_DAYS))
    for sku, days in enumerate(shop.days):
        rng = np.random.default_rng([2, sku])
        chances = rng.random((PATHS, HORIZON_DAYS))
        if not admits_doubt:
            paths[sku] = days[(chances * HISTORY_DAYS).astype(np.int64)]
            continue
        until = np.cumsum(rng.standard_exponential((PATHS, HISTORY_DAYS)), axis=1)
        reached = chances * until[:, -1:]
        for path, ends, drawn in zip(paths[sku], until, reached, strict=True):
            path[:] = days[np.searchsorted(ends, drawn, side="right")]
    return paths


def seen_lead_times(receipts: Integers, times: int) -> list[LeadTimeCount]:
    """Each of a SKU's receipts, so many times."""
    days, counts = np.unique(receipts, return_counts=True)
    seen = zip(days.tolist(), counts.tolist(), strict=True)
    return [LeadTimeCount(days=took, receipts=count * times) for took, count in seen]


def judged(shop: Shop, levels: Integers, supply: Supply) -> Floats:
    """True cycle service of each SKU's level, in percent."""
    rng = np.random.default_rng(3)
    days = (SKUS, JUDGE_RUNS, JUDGE_REVIEWS * REVIEW_DAYS)
    demand = rng.negative_binomial(shop.sizes[:, None, None], shop.chances[:, None, None], days)
    late = rng.random((SKUS, JUDGE_RUNS, JUDGE_REVIEWS)) < 0.2
    lead_days = np.where(late, shop.leads[1], shop.leads[0])
    wanted = demand.astype(float)
    run = simulate_order_up_to(levels[:, None, None], wanted, lead_days, supply, JUDGE_WARM_UP)
    service: Floats = 100 * run.cycle_service
    return service


def cell(supply_name: str, unmet: UnmetDemand, target: float, demand: Mapping[str, Floats]) -> list[Figure]:
    """Mean realised service of ours and of the plug-in planner, and the spread over SKUs."""
    delivery, leads = LEAD_TIMES[supply_name]
    supply, shop = Supply(delivery, unmet, REVIEW_DAYS), opened(leads)
    label, asked = supply_name.replace(" ", "_"), CycleService(kind="cycle_service", level=target)
    made = []
    for planner, times in PLANNERS.items():
        known = Known(demand[planner], [seen_lead_times(each, times) for each in shop.receipts])
        service = judged(shop, planned_levels(known, asked, supply), supply)
        name = f"learnt.{planner}.{unmet}.{label}.{100 * target:g}"
        made.append(_figure(name, service, 100 * target, goal=planner == "ours"))
    print(*(f"{each.id} {each.value:.2f} {each.how}" for each in made), sep="\n", flush=True)
    return made


def _figure(name: str, service: Floats, target: float, goal: bool) -> Figure:
    mean, error = float(service.mean()), Z95 * float(service.std(ddof=1)) / SKUS**0.5
    shares = ", ".join(f"{value:.1f}" for value in np.quantile(service, (0.05, 0.25, 0.5, 0.75, 0.95)))
    how = f"simulated; 5, 25, 50, 75, 95 % of {SKUS} SKUs: {shares}; spread: 95 % of the mean"
    interval = (mean - error, mean + error)
    if not goal:
        return estimate(name, mean, interval, "%", how)
    return estimate(name, mean, interval, "%", how, f"{target:g} +- 2", partial(_near, target))


def _near(target: float, value: float) -> bool:
    return abs(value - target) <= 2


def figures() -> list[Figure]:
    """Every cell."""
    unmets: tuple[UnmetDemand, ...] = ("backordered", "lost")
    shop = opened(LEAD_TIMES["constant"][1])
    demand = {"ours": imagined(shop, True), "plug_in": imagined(shop, False)}
    cells = product(LEAD_TIMES, unmets, TARGETS)
    return [figure for each in cells for figure in cell(*each, demand)]
