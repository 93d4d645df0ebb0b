from collections.abc import Callable
from datetime import date, timedelta

import pytest

from serving.simulation.catalogue import case_pack
from serving.simulation.day_events import opening_events
from serving.simulation.sales_log import SalesLog
from serving.simulation.scenario import Scenario, build_scenario

FIRST = date(2011, 9, 19)


def test_a_replay_starts_with_fourteen_days_on_hand_and_seven_on_order(scenario: Scenario) -> None:
    warehouse = scenario.warehouse()

    assert warehouse.on_hand == {"10001": 140, "10002": 42}
    assert {sku: warehouse.on_order(sku) for sku in warehouse.on_hand} == {"10001": 70, "10002": 21}
    assert all(order.due > FIRST for order in warehouse.open_orders.values())


def test_nothing_that_happens_after_the_start_changes_the_start(
    make_scenario: Callable[..., Scenario],
) -> None:
    quiet, busy = make_scenario(factor=1), make_scenario(factor=9)

    assert opening_events(quiet, quiet.warehouse()) == opening_events(busy, busy.warehouse())


def test_another_seed_is_another_shop(make_scenario: Callable[..., Scenario]) -> None:
    assert make_scenario(seed=1).items != make_scenario(seed=2).items


def test_what_is_published_at_the_start_lies_before_the_first_day(scenario: Scenario) -> None:
    times = [event.event_time_ms for event in opening_events(scenario, scenario.warehouse())]

    assert max(times) == scenario.midnight_ms(FIRST)


def test_the_budget_is_one_and_a_half_times_the_costliest_week(scenario: Scenario) -> None:
    weekly = sum(
        7 * units * float(scenario.items[sku].unit_cost.amount)
        for sku, units in (("10001", 10), ("10002", 3))
    )

    assert scenario.policy.budget is not None
    assert float(scenario.policy.budget.amount) == pytest.approx(1.5 * weekly, abs=0.02)


@pytest.mark.parametrize(
    ("typical", "pack"), [(0.5, 1), (1, 1), (2.9, 1), (3, 6), (6, 12), (11, 12), (12, 24)]
)
def test_case_packs_fit_the_usual_line(typical: float, pack: int) -> None:
    assert case_pack(typical) == pack


def test_bulk_is_what_lies_above_the_99th_percentile_of_past_lines(shipped_log: SalesLog) -> None:
    scenario = build_scenario(shipped_log, "gb-main", FIRST, seed=1)
    past = shipped_log.sales_before(FIRST)

    for sku, threshold in scenario.bulk_thresholds().items():
        lines = past[past["sku"] == sku]["quantity"]
        assert (lines > threshold).sum() <= 0.01 * len(lines) + 1
        assert (lines >= threshold).sum() >= 0.01 * len(lines) - 1


def test_midnights_follow_the_clock_change(scenario: Scenario) -> None:
    day = date(2011, 10, 30)

    length = scenario.midnight_ms(day + timedelta(days=1)) - scenario.midnight_ms(day)

    assert length == 25 * 3_600_000
