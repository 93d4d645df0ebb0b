from collections import defaultdict
from collections.abc import Callable
from datetime import date

import pytest

from serving.simulation.comparison_planners import COMPARISON_PLANNERS, StockView, Target
from serving.simulation.policy_simulation import simulate
from serving.simulation.sales_log import SalesLog, days_between
from serving.simulation.scenario import Scenario, build_scenario

FIRST = date(2011, 9, 19)
DAYS = days_between(FIRST, date(2011, 10, 16))


@pytest.fixture(scope="module")
def real(shipped_log: SalesLog) -> Scenario:
    return build_scenario(shipped_log, "gb-main", FIRST, seed=1)


@pytest.mark.parametrize("target", COMPARISON_PLANNERS.values(), ids=COMPARISON_PLANNERS.keys())
def test_every_unit_of_a_simulation_is_accounted_for(real: Scenario, target: Target) -> None:
    outcome, start = simulate(real, DAYS, target), real.warehouse()
    received: dict[str, int] = defaultdict(int)
    for sku, due, quantity in [
        *((order.sku, order.due.isoformat(), order.quantity) for order in real.first_orders()),
        *((order.sku, order.due, order.quantity) for order in outcome.orders),
    ]:
        received[sku] += quantity if due <= DAYS[-1].isoformat() else 0
    served: dict[str, int] = defaultdict(int)
    for row in outcome.sku_days:
        served[row.sku] += row.served

    left = {row.sku: row.on_hand for row in outcome.sku_days if row.day == DAYS[-1].isoformat()}

    assert left == {sku: start.on_hand[sku] + received[sku] - served[sku] for sku in left}


def test_planners_see_what_they_sold_and_not_what_they_missed(make_scenario: Callable[..., Scenario]) -> None:
    """Demand jumps to nine times its level; without stock for it a planner sees no more than it served."""
    views: list[StockView] = []

    def never_order(view: StockView) -> float:
        views.append(view)
        return 0.0

    scenario = make_scenario(factor=9)
    outcome = simulate(scenario, DAYS, never_order)
    first = next(view for view in views if view.item.sku == "10001")
    served = [row.served for row in outcome.sku_days if row.sku == "10001"]

    assert first.sold == (10,) * 21 + tuple(served[:7])
    assert sum(served) == 140 + 70


def test_a_planner_that_never_orders_sells_its_stock_and_then_nothing(scenario: Scenario) -> None:
    outcome = simulate(scenario, DAYS, lambda view: 0.0)

    assert outcome.orders == []
    assert sum(row.served for row in outcome.sku_days if row.sku == "10002") == 42 + 21


def test_planners_on_the_same_review_wait_equally_long(real: Scenario) -> None:
    first, second = (simulate(real, DAYS, target) for target in COMPARISON_PLANNERS.values())
    due = {order.order_id: order.due for order in first.orders}
    common = [order for order in second.orders if order.order_id in due]

    assert common
    assert [order for order in common if order.due != due[order.order_id]] == []


def test_orders_are_placed_at_reviews_only(real: Scenario) -> None:
    outcome = simulate(real, DAYS, COMPARISON_PLANNERS["days of cover"])

    assert {order.placed for order in outcome.orders} <= {
        "2011-09-26",
        "2011-10-03",
        "2011-10-10",
        "2011-10-17",
    }
