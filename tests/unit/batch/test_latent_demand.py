import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.censored_truth import bias
from batch.latent_demand import RecordedDays, estimate_demand
from batch.stockout_day import Floats

SHARE = np.repeat([0.0, 0.04, 0.08, 0.05], [7, 5, 5, 7]) / 0.95


def simulated(rng: np.random.Generator, series: int, days: int, stock: float) -> tuple[RecordedDays, Floats]:
    """Simulated: gamma-Poisson days with weekdays, cut where sales reach a lognormal stock."""
    level = rng.uniform(2, 20, series)
    number, day = np.repeat(np.arange(series), days), np.tile(np.arange(days), series)
    weekday = np.array([0.8, 0.9, 0.9, 1.0, 1.1, 1.3, 1.0])[(day + 3) % 7]
    mean = level[number] * weekday * rng.gamma(8, 1 / 8, series * days)
    demand = rng.poisson(mean[:, None] * SHARE)
    limit = np.ceil(stock * level[number] * np.exp(rng.standard_normal(series * days) / 2))
    so_far = np.minimum(demand.cumsum(1), limit[:, None])
    sales = np.diff(so_far, axis=1, prepend=0).astype(float)
    return RecordedDays(number, day, sales, so_far >= limit[:, None]), demand.sum(1).astype(float)


def small(seed: int) -> RecordedDays:
    return simulated(np.random.default_rng(seed), 4, 20, 0.9)[0]


@pytest.mark.parametrize("stock", [0.7, 1.2, 2.0])
def test_a_simulated_truth_is_found_again(stock: float) -> None:
    days, truth = simulated(np.random.default_rng(5), 300, 60, stock)
    demand, hidden = estimate_demand(days), days.censored
    assert abs(bias(demand, truth)) < 0.01
    assert abs(bias(demand[hidden], truth[hidden])) < 0.02
    assert bias(days.recorded, truth) < -8 * abs(bias(demand, truth))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_days_in_stock_are_as_recorded_and_no_day_is_below(seed: int) -> None:
    days = small(seed)
    demand = estimate_demand(days)
    assert (demand[~days.censored] == days.recorded[~days.censored]).all()
    assert (demand >= days.recorded).all()


def test_without_stock_outs_demand_is_what_was_sold() -> None:
    days = small(1)
    stocked = RecordedDays(days.series, days.day, days.sales, np.zeros_like(days.out))
    assert (estimate_demand(stocked) == days.recorded).all()


def test_no_day_at_all_has_no_estimate() -> None:
    none = np.zeros(0, dtype=np.int64)
    empty = RecordedDays(none, none, np.zeros((0, 24)), np.zeros((0, 24), dtype=bool))
    assert estimate_demand(empty).shape == (0,)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.1, 3.0, 1000.0]))
def test_other_units_of_measure_give_the_same_demand(seed: int, scale: float) -> None:
    days = small(seed)
    scaled = RecordedDays(days.series, days.day, days.sales * scale, days.out)
    assert estimate_demand(scaled) == pytest.approx(estimate_demand(days) * scale, rel=1e-4)


def test_a_series_that_was_never_in_stock_and_never_sold_adds_nothing_and_harms_none() -> None:
    days = small(3)
    more = RecordedDays(
        np.append(days.series, 4),
        np.append(days.day, 0),
        np.vstack([days.sales, np.zeros(24)]),
        np.vstack([days.out, np.ones(24, dtype=bool)]),
    )
    demand = estimate_demand(more)
    assert demand[-1] == pytest.approx(0, abs=1e-6)
    assert demand[:-1] == pytest.approx(estimate_demand(days), rel=0.02)


def test_a_day_out_of_stock_gets_the_demand_of_its_weeks_and_weekday() -> None:
    """4 units a day in the first 10 weeks, then 12, twice as many on Sundays; drawn a little to the mean."""
    day = np.arange(140)
    units = np.where(day < 70, 4.0, 12.0) * np.where((day + 3) % 7 == 6, 2, 1)
    sales = np.zeros((140, 24))
    sales[:, 8:20] = units[:, None] / 12
    out = np.zeros((140, 24), dtype=bool)
    gone = [28, 31, 105, 108]  # a Thursday and a Sunday of each part
    out[gone], sales[gone] = True, 0
    demand = estimate_demand(RecordedDays(np.zeros(140, dtype=np.int64), day, sales, out))
    assert demand[gone] == pytest.approx([4, 8, 12, 24], rel=0.2)
