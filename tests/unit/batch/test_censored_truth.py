import numpy as np
import pytest

from batch.censored_truth import (
    bias,
    censored_truth,
    is_development,
    mean_of_full_days,
    profile_fill,
    recorded_only,
    wape,
)
from batch.latent_demand import RecordedDays, estimate_demand
from tests.data.fresh_retail import SAMPLE, FreshRetail, read_fresh_retail


@pytest.fixture(scope="module")
def stores() -> FreshRetail:
    return read_fresh_retail(SAMPLE)


def test_the_panel_is_what_its_definition_says_day_by_day(stores: FreshRetail) -> None:
    some = stores.of(list(range(0, 521, 20)))
    made = censored_truth(some.sales, some.stockout_hours, some.first_day, 1.2, np.random.default_rng(3))
    rng, row, series = np.random.default_rng(3), 0, 0
    for sales, stockout_hours in zip(some.sales, some.stockout_hours, strict=True):
        full = [day for day in range(90) if stockout_hours[day] == 0]
        mean = sum(sales[day].sum() for day in full) / max(len(full), 1)
        if len(full) < 30 or mean <= 0.1:
            continue
        for day in full:
            stock = left = 1.2 * mean * np.exp(0.5 * rng.standard_normal())
            sold, reached = 0.0, False
            for hour in range(24):
                sold += sales[day, hour]
                reached = reached or sold >= stock
                assert made.days.out[row, hour] == reached
                assert made.days.sales[row, hour] == pytest.approx(min(sales[day, hour], left), abs=1e-9)
                left = max(left - sales[day, hour], 0)
            assert made.truth[row] == pytest.approx(sold)
            assert (made.days.series[row], made.days.day[row]) == (series, some.first_day + day)
            row += 1
        series += 1
    assert row == len(made.truth) > 500


def test_half_of_the_series_never_serve_development(stores: FreshRetail) -> None:
    assert 0.4 < np.mean([is_development(name) for name in stores.names]) < 0.6


@pytest.mark.parametrize(("factor", "nothing"), [(0.8, -0.25), (1.2, -0.12), (2.0, -0.03)])
def test_on_real_days_the_estimate_is_far_less_biased_than_doing_nothing(
    stores: FreshRetail, factor: float, nothing: float
) -> None:
    some = stores.of([at for at, name in enumerate(stores.names) if is_development(name)])
    made = censored_truth(some.sales, some.stockout_hours, some.first_day, factor, np.random.default_rng(1))
    demand = estimate_demand(made.days)
    assert bias(recorded_only(made.days), made.truth) < nothing
    assert abs(bias(demand, made.truth)) < -nothing / 8
    assert wape(demand, made.truth) < wape(profile_fill(made.days), made.truth)


def days_of(sales: list[list[float]], out: list[list[bool]]) -> RecordedDays:
    """Days of one series, hours 0 to 3."""
    pad = ((0, 0), (0, 20))
    return RecordedDays(
        np.zeros(len(sales), dtype=np.int64), np.arange(len(sales)), np.pad(sales, pad), np.pad(out, pad)
    )


def test_the_plain_methods_on_a_case_computed_by_hand() -> None:
    no, yes = False, True
    days = days_of([[1, 1, 1, 1], [2, 1, 0, 0]], [[no, no, no, no], [no, yes, yes, yes]])
    assert recorded_only(days).tolist() == [4, 3]
    assert mean_of_full_days(days).tolist() == [4, 4]
    # Rates in stock are 1.5, 1, 1, 1; the series sold 6 in exposures of 1 and 1.5 / 4.5 of a day.
    level = 6 / (1 + 1.5 / 4.5)
    assert profile_fill(days).tolist() == pytest.approx([4, 2 + 3 * level / 4.5])


def test_bias_and_wape_weigh_errors_by_the_whole_truth() -> None:
    estimate, truth = np.array([3.0, 1.0]), np.array([2.0, 6.0])
    assert bias(estimate, truth) == -0.5
    assert wape(estimate, truth) == 0.75
