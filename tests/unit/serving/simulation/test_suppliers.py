from collections import Counter
from datetime import date

import pytest

from infra.contracts.identity import decision_id
from serving.simulation.scenario import Scenario
from serving.simulation.suppliers import (
    LATE_DAYS,
    SUPPLIERS,
    assign_suppliers,
    earlier_orders,
    expected_lead_time,
    lead_time,
    usual_lead_time,
)

FIRST = date(2011, 9, 19)


def test_there_are_at_least_eight_suppliers_of_five_to_nine_days() -> None:
    assert len(SUPPLIERS) >= 8
    assert {usual_lead_time(supplier) for supplier in SUPPLIERS} == {5, 6, 7, 8, 9}


def test_the_same_order_takes_as_long_whatever_else_was_ordered() -> None:
    ids = [f"po-{number}" for number in range(50)]

    alone = [lead_time("supplier-03", ids[7], shop_seed=1)]
    among_others = [lead_time("supplier-03", order_id, shop_seed=1) for order_id in ids]

    assert among_others[7] == alone[0]


def test_two_planners_have_the_same_luck_at_the_same_review(scenario: Scenario) -> None:
    day = date(2011, 9, 26)
    own = scenario.order("10001", day, 12)

    id_ = decision_id("10001", "gb-main", scenario.midnight_ms(day), "review")

    assert scenario.order_of(id_, "10001", day, 500).due == own.due
    assert scenario.order_of(id_, "10001", day, 500).order_id == own.order_id


@pytest.mark.parametrize("supplier", SUPPLIERS)
def test_fifteen_percent_of_orders_take_fourteen_days(supplier: str) -> None:
    """Binomial(4000, 0.15) is within 0.15 +- 0.025 with probability 1 - 1e-5."""
    days = Counter(lead_time(supplier, f"po-{number}", shop_seed=3) for number in range(4000))

    assert set(days) == {usual_lead_time(supplier), LATE_DAYS}
    assert days[LATE_DAYS] / 4000 == pytest.approx(0.15, abs=0.025)
    assert sum(d * n for d, n in days.items()) / 4000 == pytest.approx(expected_lead_time(supplier), abs=0.25)


def test_every_supplier_has_thirty_receipts_before_the_replay() -> None:
    skus = [f"{number:05d}" for number in range(100)]
    orders = earlier_orders(dict.fromkeys(skus, 10), assign_suppliers(skus, 1), FIRST, 1)

    assert min(Counter(order.supplier for order in orders).values()) >= 30
    assert max(order.due for order in orders) < FIRST
    assert len({order.order_id for order in orders}) == len(orders)


def test_suppliers_share_the_skus_evenly() -> None:
    skus = [f"{number:05d}" for number in range(100)]

    assert set(Counter(assign_suppliers(skus, 1).values()).values()) == {10}
