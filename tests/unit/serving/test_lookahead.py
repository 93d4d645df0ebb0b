"""The lookahead policy against the optimum, and the rules that its rollout obeys. Demand is simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import StockstreamError
from serving.inventory.exact.lost_sales_model import LostSalesModel, demand_pmf
from serving.inventory.exact.optimum import optimal_cost
from serving.inventory.exact.policy_cost import average_cost
from serving.inventory.lookahead import FollowUpShape, follow_up_policy, lookahead_orders
from serving.inventory.rollout import (
    DayCosts,
    FollowUpPolicy,
    Singles,
    Situation,
    expected_cost_tables,
    rollout_costs,
)
from serving.inventory.stationary_lookahead import prepare_lookahead
from serving.lost_sales_benchmark import sampler_of

ONE = np.ones(1)


@pytest.mark.parametrize(
    ("demand", "lead_time", "stockout_cost"),
    [("poisson", 1, 9.0), ("poisson", 2, 4.0), ("poisson", 2, 39.0), ("geometric", 2, 19.0)],
)
def test_the_lookahead_policy_costs_at_most_two_thousandths_more_than_the_optimum(
    demand: str, lead_time: int, stockout_cost: float
) -> None:
    model = LostSalesModel(demand_pmf(demand, 5.0), lead_time, 1.0, stockout_cost)
    policy = prepare_lookahead(sampler_of(demand, 5.0), lead_time, 1.0, stockout_cost, paths=1024)

    ratio = average_cost(model, policy.decide).cost / optimal_cost(model).cost
    assert 1 - 1e-5 <= ratio <= 1.002


def day_by_day(
    quantity: int, on_hand: int, arrivals: list[int], demand: list[int], lead: int, review: int
) -> float:
    """The rollout of one path in plain steps: 3 + 3/4 (12 - position + half of what is on hand)."""
    incoming = [*arrivals, *[0] * (lead + 1)]
    incoming[lead] += quantity
    stock, position, cost = on_hand, on_hand + sum(arrivals) + quantity, 0.0
    for day, wanted in enumerate(demand):
        stock += incoming[day]
        if 0 < day < len(demand) - lead and day % review == 0:
            order = max(int(np.floor(3.5 + 0.75 * (12 - position + 0.5 * stock))), 0)
            incoming[day + lead] += order
            position += order
        sold = min(stock, wanted)
        stock, position = stock - sold, position - sold
        if day >= lead:
            cost += stock + 9.0 * (wanted - sold)
    return cost


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_the_rollout_adds_up_what_happens_day_by_day(data: st.DataObject) -> None:
    days = data.draw(st.integers(3, 9))
    units = st.lists(st.integers(0, 9), min_size=days, max_size=days)
    arrivals, demand, on_hand = data.draw(units), data.draw(units), data.draw(st.integers(0, 20))
    lead, review = data.draw(st.integers(1, days - 1)), data.draw(st.integers(1, 3))
    quantities = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=4))

    situation = Situation(
        np.array([float(on_hand)]),
        np.array([float(sum(arrivals))]),
        np.array([[arrivals]], dtype=float),
        np.array([[lead]]),
        lead,
        review,
    )
    follow_up = FollowUpPolicy(
        np.full((1, days), 3.0), np.full((1, days), 12.0), np.array([0.5]), np.array([0.75])
    )
    costs = rollout_costs(
        np.array([quantities]),
        situation,
        np.array([[demand]], dtype=np.float32),
        DayCosts(ONE, 9 * ONE),
        follow_up,
    )

    expected = [day_by_day(q, on_hand, arrivals, demand, lead, review) for q in quantities]
    assert costs[0].tolist() == pytest.approx(expected)


def test_the_expected_cost_of_a_stock_is_the_mean_over_the_draws() -> None:
    demand = np.random.default_rng(2).negative_binomial(2, 0.3, (3, 500, 2)).astype(float)
    holding, stockout = np.array([1.0, 2.0, 3.0]), np.array([9.0])
    tables = expected_cost_tables(demand, holding, stockout)

    left = np.maximum(7 - demand[2, :, 1], 0).mean()
    lost = np.maximum(demand[2, :, 1] - 7, 0).mean()
    assert tables[2, 1, 7] == pytest.approx(3 * left + 9 * lost, rel=1e-5)


def test_beyond_the_largest_demand_each_unit_costs_its_holding() -> None:
    costs = DayCosts(2 * ONE, 9 * ONE, expected_cost_tables(np.array([[[1.0], [3.0]]]), 2 * ONE, 9 * ONE))
    stock = np.array([[[3.0], [8.0]]], dtype=np.float32)

    assert costs.of_day(0, stock, np.zeros((1, 1, 1), np.float32)).tolist() == [[2.0, 12.0]]


def skus(count: int, seed: int) -> tuple[Situation, Singles, DayCosts, FollowUpPolicy]:
    rng = np.random.default_rng(seed)
    means = np.exp(rng.normal(2, 1.5, (count, 1, 1)))
    demand = rng.negative_binomial(2, 2 / (2 + means), (count, 300, 20)).astype(np.float32)
    arrivals = rng.poisson(means, (count, 1, 20)).astype(float)
    arrivals[:, :, 3:] = 0
    on_hand, on_order = rng.poisson(2 * means[:, 0, 0]).astype(float), arrivals.sum(axis=(1, 2))
    situation = Situation(on_hand, on_order, arrivals, np.array([[4]]), 4)
    follow_up = follow_up_policy([FollowUpShape(1.5, 0.8, 0.7)], demand, 4, 1)
    return situation, demand, DayCosts(np.ones(count), 19 * np.ones(count)), follow_up


def test_no_other_quantity_nearby_costs_less_on_the_same_paths() -> None:
    situation, demand, costs, follow_up = skus(12, seed=1)
    orders = lookahead_orders(situation, demand, costs, follow_up)

    around = np.maximum(orders[:, None] + np.arange(-30, 31), 0)
    cheapest = rollout_costs(around, situation, demand, costs, follow_up).min(axis=1)
    chosen = rollout_costs(orders[:, None], situation, demand, costs, follow_up)[:, 0]
    assert chosen == pytest.approx(cheapest, rel=2e-3)


def test_a_skus_order_does_not_depend_on_the_others() -> None:
    situation, demand, costs, follow_up = skus(9, seed=2)
    together = lookahead_orders(situation, demand, costs, follow_up)

    for sku in range(9):
        row = np.array([sku])
        alone = lookahead_orders(situation.rows(row), demand[row], costs.rows(row), follow_up.rows(row))
        assert alone[0] == together[sku]


def test_plenty_of_stock_orders_nothing() -> None:
    situation, demand, costs, follow_up = skus(5, seed=3)
    full = Situation(np.full(5, 1e5), situation.on_order, situation.arrivals, situation.lead_days, 4)

    assert lookahead_orders(full, demand, costs, follow_up).tolist() == [0] * 5


def test_an_uncertain_lead_time_is_bought_against() -> None:
    situation, demand, costs, follow_up = skus(5, seed=4)
    mixed = Situation(
        situation.on_hand,
        situation.on_order,
        situation.arrivals,
        np.where(np.arange(300) % 5 == 0, 9, 3)[None],
        4,
    )

    certain = lookahead_orders(situation, demand, costs, follow_up)
    uncertain = lookahead_orders(mixed, demand, costs, follow_up)
    assert (uncertain != certain).any()


def test_the_same_seed_prepares_the_same_decisions() -> None:
    states = np.array([[5, 4, 6], [0, 0, 0], [14, 2, 2]])
    first, second = (
        prepare_lookahead(sampler_of("poisson", 5.0), 3, 1.0, 9.0, paths=256).decide(states) for _ in range(2)
    )

    assert np.array_equal(first, second)


@pytest.mark.parametrize(("lead_time", "stockout_cost"), [(0, 9.0), (2, 0.0)])
def test_what_makes_no_sense_is_refused(lead_time: int, stockout_cost: float) -> None:
    with pytest.raises(StockstreamError, match="accepted"):
        prepare_lookahead(sampler_of("poisson", 5.0), lead_time, 1.0, stockout_cost)


def test_each_sku_may_have_lead_times_of_its_own() -> None:
    situation, demand, costs, follow_up = skus(4, seed=5)
    leads = np.array([[3], [4], [5], [6]])
    mixed = Situation(situation.on_hand, situation.on_order, situation.arrivals, leads, 4)
    together = rollout_costs(np.full((4, 1), 9), mixed, demand, costs, follow_up)

    for sku in range(4):
        row = np.array([sku])
        alone = rollout_costs(
            np.full((1, 1), 9), mixed.rows(row), demand[row], costs.rows(row), follow_up.rows(row)
        )
        assert alone[0, 0] == together[sku, 0]
