"""Oracles: the optimal and policy costs of Zipkin's testbed as an independent implementation found them."""

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nbinom, poisson

from infra.errors import StockstreamError
from serving.inventory.exact.best_policies import (
    best_base_stock,
    best_capped_base_stock,
    best_min_max,
    best_projected_inventory_level,
    newsvendor_base_stock,
)
from serving.inventory.exact.lost_sales_model import LostSalesModel, demand_pmf
from serving.inventory.exact.optimum import optimal_cost
from serving.inventory.exact.policy_cost import average_cost
from serving.inventory.exact.projection import expected_stock
from serving.inventory.policies import capped_base_stock

STOCKOUT_COSTS = (4, 9, 19, 39)
OPTIMAL = {
    ("poisson", 1): (4.0407, 5.4382, 6.6757, 7.8359),
    ("poisson", 2): (4.3953, 6.0936, 7.6644, 9.1064),
    ("poisson", 3): (4.5987, 6.5313, 8.3625, 10.0384),
    ("poisson", 4): (4.7285, 6.8359, 8.8872, 10.7942),
    ("geometric", 1): (9.8175, 14.5081, 19.2178, 23.8654),
    ("geometric", 2): (10.2402, 15.5028, 20.8904, 26.2135),
    ("geometric", 3): (10.4667, 16.1367, 22.0644, 27.9633),
}


def silent(_: str) -> None:
    return None


def in_table(orders: NDArray[np.int64], states: NDArray[np.int64]) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = orders[states[:, 0]]
    return chosen


def item(demand: str, lead_time: int, stockout_cost: float) -> LostSalesModel:
    return LostSalesModel(demand_pmf(demand, 5.0), lead_time, 1.0, stockout_cost)


@pytest.mark.parametrize(("demand", "lead_time"), OPTIMAL)
def test_the_optimum_of_the_testbed_is_found(demand: str, lead_time: int) -> None:
    found = [optimal_cost(item(demand, lead_time, cost)).cost for cost in STOCKOUT_COSTS]

    assert found == pytest.approx(OPTIMAL[demand, lead_time], abs=4e-4)


def test_the_optimal_policys_own_chain_costs_what_the_programme_says() -> None:
    model = item("geometric", 2, 19.0)
    optimum = optimal_cost(model)
    low, high = optimum.bounds

    assert low <= average_cost(model, optimum.decide).cost <= high + 1e-6


def test_no_order_beats_the_optimum_in_a_brute_force_over_small_policies() -> None:
    """Every stationary policy of a tiny item: demand 0 or 1, lead time 1, orders 0 to 2, stock up to 2."""
    model = LostSalesModel(np.array([0.4, 0.6]), 1, 1.0, 3.0)
    tables = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)
    costs = []
    for table in tables:
        orders = np.minimum(table, 2 - np.arange(3))
        costs.append(average_cost(model, partial(in_table, orders)).cost)

    assert optimal_cost(model).cost == pytest.approx(min(costs), abs=1e-5)


def test_textbook_policies_cost_what_was_published_of_them() -> None:
    """Poisson demand, lead time 2, stockout cost 19; figures of an independent implementation."""
    model = item("poisson", 2, 19.0)
    base = best_base_stock(model, silent)

    assert newsvendor_base_stock(model).result.cost == pytest.approx(8.147, abs=6e-4)
    assert base.result.cost == pytest.approx(7.842, abs=6e-4)
    assert best_capped_base_stock(model, silent).result.cost == pytest.approx(7.721, abs=6e-4)
    assert best_projected_inventory_level(model, silent).result.cost == pytest.approx(7.727, abs=6e-4)
    assert best_min_max(model, base, silent).result.cost > base.result.cost


def test_capped_base_stock_at_lead_time_four() -> None:
    cap, level = np.array([6]), np.array([34])
    found = average_cost(
        item("poisson", 4, 39.0), lambda states: capped_base_stock(states.sum(axis=1), level, cap)
    )

    assert found.cost == pytest.approx(10.893, abs=6e-4)
    assert found.highest_order == 6


def test_the_expected_stock_agrees_with_simulation() -> None:
    model = item("poisson", 3, 9.0)
    states = np.array([[7, 3, 6], [0, 0, 12], [20, 0, 0]])
    demand = np.random.default_rng(3).poisson(5, (3, 400_000))

    simulated = []
    for on_hand, *arriving in states:
        stock = np.full(demand.shape[1], on_hand)
        for period, units in enumerate([*arriving, 0]):
            stock = np.maximum(stock - demand[period], 0) + units
        simulated.append(stock.mean())

    assert expected_stock(model, states) == pytest.approx(simulated, abs=0.02)


def test_demand_is_the_named_distribution() -> None:
    assert demand_pmf("poisson", 5.0)[:9] == pytest.approx(poisson(5).pmf(np.arange(9)))
    assert demand_pmf("geometric", 5.0)[:9] == pytest.approx(nbinom(1, 1 / 6).pmf(np.arange(9)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: demand_pmf("normal", 5.0), "'normal': accepted are poisson and geometric"),
        (lambda: demand_pmf("poisson", -1.0), "mean demand -1.0"),
        (lambda: item("poisson", 0, 4.0), "lead time 0"),
        (lambda: newsvendor_base_stock(item("poisson", 7, 4.0)), "lead time 7"),
        (lambda: item("poisson", 2, 0.0), "stockout cost 0.0"),
        (lambda: item("poisson", 2, float("nan")), "stockout cost nan"),
    ],
)
def test_an_item_that_cannot_be_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(StockstreamError, match=said.replace("(", r"\(")):
        make()
