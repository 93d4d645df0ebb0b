import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from batch.stockout_day import DayModel, StockedHours, expected_hours, mean_at_least


@given(st.floats(0.01, 30), st.floats(1.01, 4), st.floats(0, 0.5), st.integers(1, 40))
def test_the_mean_above_a_bound_is_that_of_the_summed_distribution(
    mean: float, spread: float, factor: float, least: int
) -> None:
    variance = spread * mean + factor * mean**2
    counts = np.arange(5000)
    chance = nbinom.pmf(counts, mean**2 / (variance - mean), mean / variance)
    above = counts >= least
    reached = chance[above].sum()
    found = mean_at_least(np.array([mean]), np.array([variance]), np.array([float(least)]))[0]
    assert found >= least
    if reached > 1e-9:
        assert found == pytest.approx((counts[above] * chance[above]).sum() / reached, rel=1e-5)


def test_what_can_hardly_be_reached_is_just_reached() -> None:
    found = mean_at_least(np.array([1e-3, 0.0]), np.array([1.1e-3, 0.0]), np.array([400.0, 1.0]))
    assert list(found) == pytest.approx([400, 1])


def model(mean: float, memory: float = 1.0) -> DayModel:
    share = np.zeros((1, 24))
    share[0, 8:18] = 0.1
    return DayModel(np.array([mean]), share, np.array([1.0]), np.array([1.0]), np.full(24, memory))


def hours(sales: dict[int, float], out: range) -> StockedHours:
    sold, closed = np.zeros((1, 24)), np.zeros((1, 24), dtype=bool)
    for hour, units in sales.items():
        sold[0, hour] = units
    closed[0, list(out)] = True
    return StockedHours(sold, ~closed, closed & (sold > 0), closed & (sold == 0))


def test_hours_in_stock_are_demand_as_recorded() -> None:
    recorded = hours({9: 3, 14: 1, 20: 2}, range(0))
    demand, _ = expected_hours(recorded, model(10))
    assert (demand == recorded.sales).all()


def test_a_day_never_in_stock_has_the_demand_expected_before() -> None:
    demand, _ = expected_hours(hours({}, range(24)), model(10))
    assert demand.sum() == pytest.approx(10)
    assert demand[0, 8:18] == pytest.approx(1)


def test_the_rest_of_a_day_follows_the_gamma_poisson_posterior() -> None:
    mean, sold = 10.0, 9.0  # in the first half of the day
    demand, _ = expected_hours(hours({8: 4, 12: 5}, range(13, 24)), model(mean))
    shape = 10.0  # of the day's factor: 1 / DAY_VARIANCE
    factor = (shape + sold) / (shape + mean * 0.5)
    assert demand[0, 13:].sum() == pytest.approx(mean * 0.5 * factor)


def test_without_memory_the_rest_of_a_day_is_what_was_expected_before() -> None:
    demand, _ = expected_hours(hours({8: 4, 12: 5}, range(13, 24)), model(10, memory=0))
    assert demand[0, 13:].sum() == pytest.approx(5)


def test_hours_after_a_delivery_count_as_in_stock() -> None:
    demand, _ = expected_hours(hours({8: 1, 16: 1, 17: 1}, range(9, 16)), model(10))
    shape, seen = 10.0, 0.3
    factor = (shape + 3) / (shape + 10 * seen)
    assert demand[0, 9:16].sum() == pytest.approx(10 * 0.7 * factor)


def test_the_hour_in_which_stock_ran_out_had_at_least_what_it_sold() -> None:
    demand, _ = expected_hours(hours({8: 3}, range(8, 24)), model(10))
    assert demand[0, 8] > 3
    assert demand[0, 9:].sum() > 9
