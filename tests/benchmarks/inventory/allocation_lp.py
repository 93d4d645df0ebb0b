"""How much of a linear program's time is modelling: 2,000 SKUs, 28 days, one shared capacity a day.

Simulated: order, stock and shortage of each SKU and day, lead time two days: 168,000 columns, 56,028 rows.
Capacity is 0.9 of demand, which binds and keeps the solver busy, or 1.1, where modelling weighs most.
From arrays of demand to arrays of results, against the time that HiGHS reports for itself; the objective is
compared with that of the same program put to scipy.
"""

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, eye_array, hstack, kron, vstack

from serving.inventory.allocation import solver_options
from serving.inventory.linear_model import INFINITY, Floats, LinearModel, Outcome
from tests.benchmarks.figures import Figure, measured

SKUS, DAYS, LEAD_DAYS, REPEATS = 2_000, 28, 2, 3
CAPACITIES = (0.9, 1.1)
HOLDING, SHORTAGE, UNIT_COST = 0.1, 5.0, 1.0


@dataclass(frozen=True)
class Shop:
    """Demand [skus, days], opening stock [skus] and what can be ordered a day."""

    demand: Floats
    opening: Floats
    capacity: float


def shop(seed: int, capacity: float) -> Shop:
    """Capacity for a share of demand."""
    rng = np.random.default_rng(seed)
    demand = rng.gamma(2.0, 5.0, (SKUS, DAYS))
    return Shop(demand, rng.uniform(0, 30, SKUS), capacity * demand.sum() / DAYS)


def solved(of: Shop) -> Outcome | None:
    """Through the project's own model."""
    model, size = LinearModel(), SKUS * DAYS
    orders, stock, short = (
        model.add_columns(np.full(size, -cost), np.zeros(size), np.full(size, INFINITY)).reshape(SKUS, DAYS)
        for cost in (UNIT_COST, HOLDING, SHORTAGE)
    )
    needed = -of.demand
    needed[:, 0] += of.opening
    balance = model.add_rows(needed.ravel(), needed.ravel()).reshape(SKUS, DAYS)
    model.add_terms(balance, stock, 1.0)
    model.add_terms(balance, short, -1.0)
    model.add_terms(balance[:, 1:], stock[:, :-1], -1.0)
    model.add_terms(balance[:, LEAD_DAYS:], orders[:, :-LEAD_DAYS], -1.0)
    capacity = model.add_rows(np.full(DAYS, -INFINITY), np.full(DAYS, of.capacity))
    model.add_terms(np.broadcast_to(capacity, orders.shape), orders, 1.0)
    return model.maximise(solver_options(120.0))


def cost_by_scipy(of: Shop) -> float:
    """The same program as sparse matrices."""
    days = eye_array(DAYS)
    later = coo_array(np.eye(DAYS, k=-1))
    arrives = coo_array(np.eye(DAYS, k=-LEAD_DAYS))
    skus = eye_array(SKUS)
    balance = hstack([kron(skus, -arrives), kron(skus, days - later), -eye_array(SKUS * DAYS)])
    capacity = hstack([kron(np.ones((1, SKUS)), days), coo_array((DAYS, 2 * SKUS * DAYS))])
    needed = -of.demand
    needed[:, 0] += of.opening
    costs = np.repeat([UNIT_COST, HOLDING, SHORTAGE], SKUS * DAYS)
    found = linprog(
        costs,
        A_ub=vstack([capacity]).tocsr(),
        b_ub=np.full(DAYS, of.capacity),
        A_eq=balance.tocsr(),
        b_eq=needed.ravel(),
        method="highs",
    )
    return float(found.fun)


def figures() -> list[Figure]:
    """End to end over solver, and what end to end takes, by how scarce capacity is."""
    return [figure for capacity in CAPACITIES for figure in _of_capacity(capacity)]


def _of_capacity(capacity: float) -> list[Figure]:
    ratios, seconds, apart = [], [], []
    costs = np.repeat([UNIT_COST, HOLDING, SHORTAGE], SKUS * DAYS)
    for seed in range(REPEATS):
        of = shop(seed, capacity)
        started = time.perf_counter()
        outcome = solved(of)
        seconds.append(time.perf_counter() - started)
        assert outcome is not None
        assert outcome.proven
        ratios.append(seconds[-1] / outcome.seconds)
        apart.append(abs(float(costs @ outcome.values) / cost_by_scipy(of) - 1))
    how = (
        f"simulated; 2,000 SKUs x 28 days, lead time 2, daily capacity {capacity:g} x demand; 168,000 columns"
    )
    name = f"allocation_lp.capacity{capacity:g}"
    return [
        measured(f"{name}.over_solver", ratios, "ratio", how, "<= 1.3", lambda v: v <= 1.3),
        measured(f"{name}.seconds", seconds, "s", how + "; one thread"),
        measured(
            f"{name}.objective", apart, "relative", how + "; apart from scipy", "<= 1e-6",
            lambda v: v <= 1e-6,
        ),
    ]  # fmt: skip
