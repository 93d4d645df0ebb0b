from collections import Counter

import numpy as np
import pytest

from infra.contracts.inventory import LeadTimeCount
from serving.inventory.lead_times import (
    draw_arrival_days,
    draw_lead_days,
    draw_residual_days,
    lead_time_counts,
    median_lead_days,
    stratified_uniforms,
)

COUNTS = [
    LeadTimeCount(days=5, receipts=3),
    LeadTimeCount(days=6, receipts=5),
    LeadTimeCount(days=14, receipts=2),
]


def test_draws_follow_the_receipts_exactly_when_paths_are_a_multiple_of_them() -> None:
    drawn = draw_lead_days(COUNTS, stratified_uniforms(1000, "decision", "new-order"))

    assert Counter(drawn.tolist()) == {5: 300, 6: 500, 14: 200}


def test_an_open_order_arrives_by_the_lead_times_longer_than_its_age() -> None:
    drawn = draw_residual_days(COUNTS, 5, stratified_uniforms(700, "decision", "open-order", "po-1"))

    assert Counter(drawn.tolist()) == {1: 500, 9: 200}


@pytest.mark.parametrize("age", [14, 15, 400])
def test_an_order_older_than_every_lead_time_is_expected_the_next_day(age: int) -> None:
    assert set(draw_residual_days(COUNTS, age, np.linspace(0, 0.99, 20))) == {1}


def test_the_agreed_lead_time_stands_in_for_receipts_that_a_new_supplier_lacks() -> None:
    assert lead_time_counts([], 7) == [LeadTimeCount(days=7, receipts=5)]
    assert lead_time_counts([9, 9], 7) == [
        LeadTimeCount(days=7, receipts=3),
        LeadTimeCount(days=9, receipts=2),
    ]
    assert lead_time_counts([9] * 5, 7) == [LeadTimeCount(days=9, receipts=5)]


def test_one_orders_draws_do_not_depend_on_the_others() -> None:
    first = stratified_uniforms(100, "decision", "open-order", "po-1")
    stratified_uniforms(100, "decision", "open-order", "po-2")

    assert np.array_equal(first, stratified_uniforms(100, "decision", "open-order", "po-1"))


def test_the_expected_lead_time_is_the_median() -> None:
    assert median_lead_days(COUNTS) == 6


SEVEN_OR_TWENTY = [LeadTimeCount(days=7, receipts=4), LeadTimeCount(days=20, receipts=1)]


def test_an_order_never_overtakes_the_one_ahead_of_it_where_delivery_is_first_in_first_out() -> None:
    uniforms = np.stack([stratified_uniforms(1000, "po", order) for order in range(3)])

    oldest, second, now = draw_arrival_days(SEVEN_OR_TWENTY, [10, 3], "fifo", uniforms)

    assert set(oldest.tolist()) == {10}  # 7 days have passed, so it takes 20
    assert Counter(second.tolist()) == {10: 800, 17: 200}
    assert (now >= second).all()
    assert set(now.tolist()) == {10, 17, 20}


def test_independent_orders_each_follow_their_own_age() -> None:
    uniforms = np.stack([stratified_uniforms(1000, "po", order) for order in range(3)])

    oldest, second, now = draw_arrival_days(SEVEN_OR_TWENTY, [10, 3], "independent", uniforms)

    assert set(oldest.tolist()) == {10}
    assert Counter(second.tolist()) == {4: 800, 17: 200}
    assert Counter(now.tolist()) == {7: 800, 20: 200}


def test_what_is_known_of_open_orders_is_what_a_fifo_supplier_does() -> None:
    """Orders every 3 days, 300,000 of them: when does the one behind the oldest open order come?"""
    rng = np.random.default_rng(8)
    placed = 3 * np.arange(300_000)
    arrives = np.maximum.accumulate(placed + np.where(rng.random(len(placed)) < 0.2, 20, 7))
    review = placed[50:-50] + 6  # the order of six days ago is the oldest that is open
    oldest = np.searchsorted(arrives, review, side="right") == np.arange(50, len(placed) - 50)
    wait = (arrives[51:-49] - review)[oldest]  # of the order behind it, three days old

    drawn = draw_arrival_days(SEVEN_OR_TWENTY, [6, 3], "fifo", rng.random((3, 200_000)))[1]
    for days in (1, 4, 14, 17):
        assert (drawn == days).mean() == pytest.approx((wait == days).mean(), abs=0.005)
