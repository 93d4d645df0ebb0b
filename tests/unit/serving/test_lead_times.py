from collections import Counter

import numpy as np
import pytest

from infra.contracts.inventory import LeadTimeCount
from serving.inventory.lead_times import (
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
