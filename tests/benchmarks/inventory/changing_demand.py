"""The lookahead policy on changing demand, decided from forecast paths, against textbook policies.

Simulated: negative binomial demand with a week, a wave of 56 days and a promotion of three days, dispersion
2, lead time 4, holding 1. The forecast is the true distribution: joint paths of independent days. Capped base
stock and projected inventory level take their levels as quantiles of the same forecast; which quantiles, is
chosen on demand set aside, as is the shape of the lookahead's follow-up policy. All then meet the same other
demand. Interval: 95 %, paired over the shelves.
"""

from itertools import product

import numpy as np
from scipy.stats import nbinom

from serving.inventory.lookahead import FollowUpShape, fit_follow_up, follow_up_policy, lookahead_orders
from serving.inventory.policies import capped_base_stock, projected_inventory_level, projected_stock
from serving.inventory.rollout import DayCosts, Singles, Situation, expected_cost_tables
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import estimate, ratio_of_means
from tests.benchmarks.inventory.lost_sales_runs import DecideOnDay, Floats, Integers, cheapest, run_costs

CYCLE, LEAD_TIME, DISPERSION, WARM_UP = 56, 4, 2.0, 28
HORIZON, PATHS = 2 * LEAD_TIME + 12, 1024
CHOOSING, JUDGING = (40, 140), (64, 84)
"""Shelves and days."""
UNITS = 400
DAYS = np.arange(CYCLE)
MEANS = (
    8.0
    * (1 + 0.4 * np.sin(2 * np.pi * DAYS / 7))
    * (1 + 0.5 * np.sin(2 * np.pi * DAYS / CYCLE))
    * np.where((DAYS >= 20) & (DAYS < 23), 2.0, 1.0)
)


def drawn(shelves: int, days: int, seed: int, first: int = 0) -> Integers:
    """Demand [shelves, days] from a day of the cycle on."""
    means = MEANS[(first + np.arange(days)) % CYCLE]
    chance = DISPERSION / (DISPERSION + means)
    return np.random.default_rng(seed).negative_binomial(DISPERSION, chance, (shelves, days)).astype(np.int64)


def day_costs(stockout_cost: float) -> Floats:
    """Expected cost [days of the cycle, units] from the true distribution."""
    units = np.arange(UNITS + 1)
    at_most = nbinom.cdf(units, DISPERSION, (DISPERSION / (DISPERSION + MEANS))[:, None])
    left = np.cumsum(at_most, axis=1) - at_most
    costs: Floats = left + stockout_cost * (MEANS[:, None] - units + left)
    return costs


FORECASTS: list[Singles] = [
    drawn(PATHS, HORIZON, 1000 + day, day).astype(np.float32)[None] for day in range(CYCLE)
]
"""Joint paths [1, paths, days] at each origin of the cycle."""


def capped(quantiles: Floats) -> DecideOnDay:
    """Capped base stock: quantiles of demand until the next order comes, and of the last of these days."""

    def decide(day: int, states: Integers) -> Integers:
        paths = FORECASTS[day % CYCLE][0]
        levels = np.quantile(paths[:, : LEAD_TIME + 1].sum(axis=1), quantiles[:, 0], method="inverted_cdf")
        caps = np.quantile(paths[:, LEAD_TIME], quantiles[:, 1], method="inverted_cdf")
        return capped_base_stock(states.sum(axis=1), levels.astype(np.int64), caps.astype(np.int64))

    return decide


def projecting(quantiles: Floats) -> DecideOnDay:
    """Projected inventory level: a quantile of demand on the day on which the order is on hand."""

    def decide(day: int, states: Integers) -> Integers:
        paths = FORECASTS[day % CYCLE].astype(float)
        levels = np.quantile(paths[0, :, LEAD_TIME], quantiles[:, 0])
        arrivals = np.zeros((len(states), 1, HORIZON))
        arrivals[:, 0, 1:LEAD_TIME] = states[:, 1:]
        projected = projected_stock(states[:, 0].astype(float), arrivals, paths, LEAD_TIME)
        return projected_inventory_level(projected, levels)

    return decide


def looking_ahead(shape: FollowUpShape, stockout_cost: float) -> DecideOnDay:
    """The lookahead policy on the forecast of the day."""
    holding, stockout = np.ones(1), np.array([stockout_cost])

    def decide(day: int, states: Integers) -> Integers:
        paths = FORECASTS[day % CYCLE]
        costs = DayCosts(holding, stockout, expected_cost_tables(paths.astype(float), holding, stockout))
        arrivals = np.zeros((len(states), 1, HORIZON))
        arrivals[:, 0, 1:LEAD_TIME] = states[:, 1:]
        lead = np.array([[LEAD_TIME]])
        on_hand, on_order = states[:, 0].astype(float), states[:, 1:].sum(axis=1).astype(float)
        situation = Situation(on_hand, on_order, arrivals, lead, LEAD_TIME)
        return lookahead_orders(situation, paths, costs, follow_up_policy([shape], paths, LEAD_TIME, 1))

    return decide


def fitted_shape(stockout_cost: float) -> FollowUpShape:
    """The follow-up policy's shape, from paths of two cycles that no policy is judged on."""
    holding, stockout = np.ones(1), np.array([stockout_cost])
    paths = drawn(128, 2 * CYCLE + WARM_UP, 7).astype(np.float32)[None]
    return fit_follow_up(paths, DayCosts(holding, stockout), LEAD_TIME, warm_up=WARM_UP)


def textbook(stockout_cost: float, costs: Floats) -> dict[str, DecideOnDay]:
    """Both comparators with the quantiles that are cheapest on demand set aside for choosing."""
    demand = drawn(*CHOOSING, seed=8)
    levels = [0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.88, 0.91, 0.94, 0.96, 0.975, 0.985, 0.99]
    caps = [0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98]
    grid = np.array(list(product(levels, caps)))
    fine = np.linspace(0.5, 0.995, 34)[:, None]
    pair = cheapest(capped, grid, demand, LEAD_TIME, costs, WARM_UP)
    level = cheapest(projecting, fine, demand[:16], LEAD_TIME, costs, WARM_UP)
    return {
        f"capped base stock at quantiles {pair[0]:g}, {pair[1]:g}": capped(pair[None]),
        f"projected inventory level at quantile {level[0]:.3g}": projecting(level[None]),
    }


def figure(stockout_cost: float) -> Figure:
    """Lookahead over the better of the two."""
    costs, judging = day_costs(stockout_cost), drawn(*JUDGING, seed=9)

    def judged(decide: DecideOnDay) -> Floats:
        return run_costs(decide, judging, LEAD_TIME, costs, WARM_UP)

    others = {what: judged(decide) for what, decide in textbook(stockout_cost, costs).items()}
    better = min(others, key=lambda what: float(others[what].mean()))
    looking = judged(looking_ahead(fitted_shape(stockout_cost), stockout_cost))
    ratio, interval = ratio_of_means(looking, others[better])
    how = f"simulated, stockout {stockout_cost:g}; better comparator: {better}; {JUDGING[0]} shelves, "
    how += f"{JUDGING[1] - WARM_UP} days each, common random numbers; spread: 95 % interval"
    label = f"changing_demand.p{stockout_cost:g}"
    return estimate(label, ratio, interval, "ratio", how, "<= 1", lambda value: value <= 1)


def figures() -> list[Figure]:
    """One ratio for each stockout cost."""
    return [figure(stockout_cost) for stockout_cost in (4.0, 19.0)]
