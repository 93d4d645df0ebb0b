"""The lookahead policy at a lead time of 8, beyond exact solutions, against textbook policies.

Stationary Poisson and geometric demand (simulated), mean 5, holding 1. The parameters of capped base stock
and of projected inventory level are the cheapest on demand set aside for choosing them (grids of whole levels
and caps, and of quarters); all policies then meet the same other demand. Interval: 95 %, paired over the
shelves.
"""

from collections.abc import Callable
from itertools import product

import numpy as np

from serving.inventory.exact.lost_sales_model import LostSalesModel, demand_pmf
from serving.inventory.exact.projection import expected_stock
from serving.inventory.policies import capped_base_stock, projected_inventory_level
from serving.inventory.stationary_lookahead import prepare_lookahead
from serving.lost_sales_benchmark import sampler_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate, ratio_of_means
from tests.benchmarks.inventory.lost_sales_runs import DecideOnDay, Floats, Integers, cheapest, run_costs

LEAD_TIME, MEAN, WARM_UP = 8, 5.0, 80
ITEMS = (("poisson", 9.0), ("geometric", 19.0))
CHOOSING, JUDGING = (24, 240), (128, 200)
"""Shelves and days."""


def capped(parameters: Floats) -> DecideOnDay:
    """Capped base stock: level and cap of each shelf."""
    level, cap = parameters.astype(np.int64).T
    return lambda _, states: capped_base_stock(states.sum(axis=1), level, cap)


def projecting(model: LostSalesModel) -> Callable[[Floats], DecideOnDay]:
    """Projected inventory level, exactly projected: level of each shelf."""

    def policy(parameters: Floats) -> DecideOnDay:
        return lambda _, states: projected_inventory_level(expected_stock(model, states), parameters[:, 0])

    return policy


def textbook(model: LostSalesModel, demand: Integers) -> dict[str, DecideOnDay]:
    """Both comparators with the parameters that are cheapest on demand set aside for choosing."""
    top, single = model.critical_quantile(LEAD_TIME + 1), model.critical_quantile(1)
    grid = np.array(list(product(range(int(0.6 * top), top + 3), range(int(MEAN), single + 1))), dtype=float)
    levels = np.arange(0.7 * single, 1.6 * single + 2, 0.25)[:, None]
    costs = model.period_costs(400)[None]
    pair = cheapest(capped, grid, demand, LEAD_TIME, costs, WARM_UP)
    level = cheapest(projecting(model), levels, demand[:16], LEAD_TIME, costs, WARM_UP)
    return {
        f"capped base stock {pair[0]:g}, {pair[1]:g}": capped(pair[None]),
        f"projected inventory level {level[0]:g}": projecting(model)(level[None]),
    }


def figure(name: str, stockout_cost: float) -> Figure:
    """Lookahead over the better of the two, on one item."""
    sampler, rng = sampler_of(name, MEAN), np.random.default_rng(20)
    model = LostSalesModel(demand_pmf(name, MEAN), LEAD_TIME, 1.0, stockout_cost)
    choosing, judging = (sampler(s * d, rng).reshape(s, d) for s, d in (CHOOSING, JUDGING))
    policy = prepare_lookahead(sampler, LEAD_TIME, 1.0, stockout_cost)
    day_costs = model.period_costs(400)[None]

    def judged(decide: DecideOnDay) -> Floats:
        return run_costs(decide, judging, LEAD_TIME, day_costs, WARM_UP)

    others = {what: judged(decide) for what, decide in textbook(model, choosing).items()}
    better = min(others, key=lambda what: float(others[what].mean()))
    ratio, interval = ratio_of_means(judged(lambda _, states: policy.decide(states)), others[better])
    how = (
        f"simulated, {name}, stockout {stockout_cost:g}; better comparator: {better}; {JUDGING[0]} shelves, "
    )
    how += f"{JUDGING[1] - WARM_UP} days each, common random numbers; spread: 95 % interval"
    label = f"lost_sales_l8.{name}_p{stockout_cost:g}"
    return estimate(label, ratio, interval, "ratio", how, "<= 1", lambda value: value <= 1)


def figures() -> list[Figure]:
    """One ratio for each item."""
    return [figure(*item) for item in ITEMS]
