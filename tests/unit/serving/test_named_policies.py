from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import poisson

from infra.contracts.inventory import LeadTimeCount, OpenOrder
from infra.contracts.message import Money
from infra.contracts.replenishment import (
    BaseStock,
    CappedBaseStock,
    CoverUntilNextArrival,
    CycleService,
    EconomicLot,
    FillRate,
    FixedLot,
    GroupFillRate,
    LeastCost,
    Lookahead,
    MinMax,
    Newsvendor,
    OrderUpTo,
    ProjectedInventoryLevel,
    ReorderQuantity,
    Replenishment,
)
from serving.inventory.lookahead import follow_up_policy, usual_shape
from serving.inventory.named_policies import wanted_quantities
from serving.inventory.outlook import Outlook
from serving.inventory.policy import decide
from serving.inventory.rollout import DayCosts, Situation, rollout_costs
from tests.unit.serving.records import DAY_MS, EPOCH, forecast
from tests.unit.serving.test_order_rules import inputs
from tests.unit.serving.test_policy import request, wanted

SERVICE = CycleService(kind="cycle_service", level=0.95)
FILL = FillRate(kind="fill_rate", level=0.97)
COST = LeastCost(kind="cost", stockout_rate=0.8, holding_rate=0.25)
GROUP = GroupFillRate(kind="group_fill_rate", exchange="0.25")
FIXED = FixedLot(kind="fixed", quantity=48)
ECONOMIC = EconomicLot(kind="economic", ordering_cost="15.00", holding_rate=0.25)

POLICIES: list[Replenishment] = [
    OrderUpTo(policy="order-up-to", target=SERVICE),
    OrderUpTo(policy="order-up-to", target=FILL),
    OrderUpTo(policy="order-up-to", target=COST),
    CoverUntilNextArrival(policy="cover-until-next-arrival", target=COST),
    CoverUntilNextArrival(policy="cover-until-next-arrival", target=GROUP),
    BaseStock(policy="base-stock", level=150),
    MinMax(policy="min-max", target=GROUP, lot=FIXED),
    MinMax(policy="min-max", target=SERVICE, lot=FIXED),
    MinMax(policy="min-max", target=COST, lot=ECONOMIC),
    ReorderQuantity(policy="reorder-quantity", target=FILL, lot=ECONOMIC),
    ReorderQuantity(policy="reorder-quantity", target=COST, lot=FIXED),
    Newsvendor(policy="newsvendor", underage_rate=0.7, overage_rate=0.2),
    CappedBaseStock(policy="capped-base-stock", target=SERVICE, cap=0.9),
    ProjectedInventoryLevel(policy="projected-inventory-level", level=0.9),
    Lookahead(policy="lookahead", stockout_rate=0.8, holding_rate=0.25),
]
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.policy)


def even_poisson(mean: float, draws: int = 20_000) -> Any:
    """Demand whose distribution is exactly Poisson, but for the coarseness of the draws."""
    return poisson(mean).ppf((np.arange(draws) + 0.5) / draws)


def outlook(
    policy: Replenishment, demand: Any, lead: int = 4, on_hand: float = 0.0, **changes: Any
) -> Outlook:
    """One SKU; demand is of the first day [draws] or of all days [draws, days]."""
    paths = demand if demand.ndim == 2 else np.pad(demand[:, None], ((0, 0), (0, 27)))
    days = {"lead_times": [LeadTimeCount(days=lead, receipts=9)], "review_period_days": 1}
    return Outlook(
        [inputs(replenishment=policy, **{**days, **changes})],
        paths[None],
        np.array([on_hand]),
        np.zeros((1, *paths.shape)),
        np.full((1, len(paths)), lead),
        ["decision"],
        [EPOCH],
    )


def asked(policy: Replenishment, demand: Any, **changes: Any) -> int:
    return int(wanted_quantities(outlook(policy, demand, **changes))[0])


@pytest.mark.parametrize(("level", "mean"), [(0.8, 20.0), (0.95, 20.0), (0.99, 5.0)])
def test_order_up_to_by_cycle_service_is_the_poisson_quantile_less_the_position(
    level: float, mean: float
) -> None:
    policy = OrderUpTo(policy="order-up-to", target=CycleService(kind="cycle_service", level=level))

    ordered = asked(policy, even_poisson(mean), on_hand=3.0, unmet_demand="backordered")
    assert ordered == poisson(mean).ppf(level) - 3


@pytest.mark.parametrize("level", [0.6, 0.9, 0.99])
def test_a_service_level_set_by_a_target_orders_what_the_items_own_one_would(level: float) -> None:
    target = CycleService(kind="cycle_service", level=level)
    policy = CoverUntilNextArrival(policy="cover-until-next-arrival", target=target)

    assert (
        wanted(on_hand=5, replenishment=policy).quantity
        == wanted(on_hand=5, cycle_service_level=level).quantity
    )


def test_order_up_to_by_cost_is_the_quantile_at_the_critical_ratio_of_a_day_held() -> None:
    """Stockout 39 times holding: 39 / 40 = 0.975, Poisson 25."""
    target = LeastCost(kind="cost", stockout_rate=39.0, holding_rate=365.0)

    policy = OrderUpTo(policy="order-up-to", target=target)

    ordered = asked(policy, even_poisson(25), unmet_demand="backordered")
    assert ordered == poisson(25).ppf(0.975)


@pytest.mark.parametrize(
    "policy",
    [
        OrderUpTo(policy="order-up-to", target=GROUP),
        CoverUntilNextArrival(policy="cover-until-next-arrival", target=GROUP),
    ],
    ids=lambda policy: policy.policy,
)
def test_no_other_levels_leave_so_little_money_for_so_many_units_served(policy: Replenishment) -> None:
    """Three items of one group against all levels of each, by the exact distribution of their demand."""
    means, costs, exchange = (6.0, 4.0, 5.0), ("0.10", "2.00", "11.00"), float(GROUP.exchange)
    tried = np.arange(40)[:, None]
    for mean, cost in zip(means, costs, strict=True):
        price = {"unit_cost": Money(amount=cost, currency="GBP"), "review_period_days": 7}
        demand = even_poisson(mean)
        ordered = asked(policy, demand, lead=0, unmet_demand="backordered", **price)
        left, short = (np.maximum(each, 0).mean(axis=1) for each in (tried - demand, demand - tried))
        assert ordered == np.argmin(short * exchange + left * float(cost) * 7 / 365)


def test_order_up_to_by_fill_rate_serves_that_share_and_one_unit_less_does_not() -> None:
    demand = even_poisson(20)
    policy = OrderUpTo(policy="order-up-to", target=FILL)
    level = asked(policy, demand, lead=0, unmet_demand="backordered")

    for tried, enough in ((level, True), (level - 1, False)):
        assert (np.minimum(demand, tried).sum() / demand.sum() >= FILL.level) is np.bool_(enough)


def test_the_newsvendor_orders_the_critical_ratio_of_all_demand_ahead() -> None:
    """Poisson 50, holding 0.18, stockout 0.70: stockpyl's example orders 56."""
    policy = Newsvendor(policy="newsvendor", underage_rate=0.70, overage_rate=0.18)

    assert asked(policy, even_poisson(50)) == 56
    assert asked(policy, even_poisson(50), on_hand=50.0) == 6


def test_the_economic_lot_is_the_square_root_formula() -> None:
    """Ordering 8, holding 0.225 a year, demand 1300 a year: stockpyl's example orders 304."""
    lot = EconomicLot(kind="economic", ordering_cost="8.00", holding_rate=0.225)
    demand = np.full((100, 28), 1300 / 365)
    policy = ReorderQuantity(policy="reorder-quantity", target=SERVICE, lot=lot)

    assert asked(policy, demand, unit_cost=Money(amount="1.00", currency="GBP")) == 304


@pytest.mark.parametrize(("on_hand", "min_max", "lots"), [(30.0, 0, 0), (29.0, 48, 48), (0.0, 77, 48)])
def test_at_or_below_the_reorder_point_a_lot_or_up_to_a_lot_above_it(
    on_hand: float, min_max: int, lots: int
) -> None:
    """Demand 29 for certain, so the reorder point is 29."""
    demand = np.full(100, 29.0)
    policies = (
        MinMax(policy="min-max", target=SERVICE, lot=FIXED),
        ReorderQuantity(policy="reorder-quantity", target=SERVICE, lot=FIXED),
    )

    assert [asked(policy, demand, on_hand=on_hand) for policy in policies] == [min_max, lots]


def test_a_capped_order_is_what_a_review_period_needs_and_never_more() -> None:
    demand = np.tile(np.arange(1.0, 101.0)[:, None], 28)
    policy = CappedBaseStock(policy="capped-base-stock", target=SERVICE, cap=0.9)

    assert asked(policy, demand) == 90
    assert asked(policy, demand, on_hand=470.0) == 95 * 5 - 470


def test_the_projected_stock_at_a_random_arrival_is_lifted_to_the_level() -> None:
    """Demand 3 a day, 10 on hand: 4 are left after 2 days, 0 after 4; the level is a day's demand."""
    policy = ProjectedInventoryLevel(policy="projected-inventory-level", level=0.9)
    situation = outlook(policy, np.full((2, 28), 3.0), on_hand=10.0)
    late = replace(situation, lead_days=np.array([[2, 4]]))

    assert wanted_quantities(late).tolist() == [3 - (4 + 0) / 2]


def test_looking_ahead_costs_no_more_than_any_other_quantity() -> None:
    policy = Lookahead(policy="lookahead", stockout_rate=0.8, holding_rate=3.65)
    demand = np.random.default_rng(1).poisson(3.0, (400, 28)).astype(float)
    chosen = asked(policy, demand, on_hand=8.0)
    shape = usual_shape(80.0, 4, 1)
    singles = demand[None].astype(np.float32)
    situation = Situation(
        np.array([8.0]), np.zeros(1), np.zeros((1, 400, 28)), np.full((1, 400), 4), usual_lead=4
    )
    costs = rollout_costs(
        np.arange(60)[None],
        situation,
        singles,
        DayCosts(np.array([0.01]), np.array([0.8])),
        follow_up_policy([shape], singles, 4, 1),
    )

    assert costs[0, chosen] == pytest.approx(costs.min(), rel=1e-6)
    assert 0 < chosen < 59


@each_policy
def test_a_decision_is_the_same_alone_and_among_others(policy: Replenishment) -> None:
    requests = [
        request(f"S{n}", on_hand=7 * n, message=forecast(f"S{n}", daily_mean=n + 1), replenishment=policy)
        for n in range(8)
    ]
    together = decide([*requests, request("other")])

    assert together[:-1] == [decide([each])[0] for each in requests]
    assert together[-1] == decide([request("other")])[0]


@each_policy
def test_more_stock_never_orders_more_and_the_policy_is_named(policy: Replenishment) -> None:
    results = [wanted(on_hand=stock, replenishment=policy) for stock in (0, 40, 100, 2000)]
    quantities = [result.unconstrained_quantity for result in results]

    if not isinstance(policy, ReorderQuantity):
        assert quantities == sorted(quantities, reverse=True)
    assert quantities[0] > 0 == quantities[-1]
    assert [(step.reason, step.detail) for step in results[-1].adjustments] == [("POLICY", policy.policy)]


@each_policy
def test_reviews_further_apart_than_the_horizon_are_decided_on_what_is_known(policy: Replenishment) -> None:
    assert wanted(review_period_days=35, on_hand=0, replenishment=policy).quantity > 0


@each_policy
def test_no_policy_orders_for_days_after_the_end_of_life(policy: Replenishment) -> None:
    assert wanted(end_ms=EPOCH + 3 * DAY_MS, on_hand=2000, replenishment=policy).quantity == 0
    ending = wanted(end_ms=EPOCH + 9 * DAY_MS, on_hand=0, replenishment=policy)
    lasting = wanted(end_ms=EPOCH + 200 * DAY_MS, on_hand=0, replenishment=policy)

    assert ending.quantity <= lasting.quantity
    assert lasting == wanted(on_hand=0, replenishment=policy)


def test_open_orders_count_in_the_position() -> None:
    coming = OpenOrder(order_id="po-1", supplier="supplier-1", outstanding=50, placed_ms=EPOCH - 2 * DAY_MS)
    policy = BaseStock(policy="base-stock", level=150)

    assert wanted(on_hand=40, open_orders=[coming], replenishment=policy).quantity == 60


def test_a_policy_is_part_of_the_digest_and_no_policy_leaves_the_bytes_as_they_were() -> None:
    digests = {request(replenishment=policy).input_digest() for policy in POLICIES}

    assert len(digests) == len(POLICIES)
    assert "replenishment" not in request().inputs.model_dump(mode="json")
