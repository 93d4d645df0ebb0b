from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from batch.copula_fit import summed_quantiles
from batch.forecaster.baselines import (
    bootstrap_cumulative,
    rolling_cumulative,
    seasonal_naive,
    seasonal_naive_cumulative,
)
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS, Copula

MEDIAN = QUANTILE_LEVELS.index(0.5)


def window_of(units: Floats, future_open: Flags | None = None) -> DemandWindow:
    yes = np.ones(units.shape, dtype=np.bool_)
    ahead = np.ones((len(units), 28), dtype=np.bool_) if future_open is None else future_open
    return DemandWindow(date(2011, 9, 18), units, yes, yes, ahead)


def test_a_weekly_pattern_is_what_the_seasonal_naive_forecasts() -> None:
    week = np.array([5.0, 1.0, 0.0, 7.0, 2.0, 9.0, 4.0])
    window = window_of(np.tile(week, 32)[None])
    forecast = seasonal_naive(window)[0]
    assert_allclose(forecast, np.repeat(np.tile(week, 4)[:, None], len(QUANTILE_LEVELS), axis=1))
    assert_allclose(seasonal_naive_cumulative(window, 14)[0], 2 * week.sum())


def test_the_seasonal_naive_sells_nothing_on_closed_days() -> None:
    future_open = np.ones((1, 28), dtype=np.bool_)
    future_open[0, 3] = False
    units = np.random.default_rng(1).poisson(5.0, (1, 224)).astype(float)
    assert_array_equal(seasonal_naive(window_of(units, future_open))[0, 3], 0.0)


def test_constant_demand_has_only_one_sum() -> None:
    window = window_of(np.full((1, 224), 3.0))
    assert_allclose(rolling_cumulative(window, 14), 42.0)
    assert_allclose(bootstrap_cumulative(window, 14), 42.0)


def test_the_bootstrap_of_independent_days_has_their_mean_and_spread() -> None:
    units = np.random.default_rng(2).poisson(20.0, (1, 224)).astype(float)
    last = units[0, -56:]
    sums = bootstrap_cumulative(window_of(units), 14)[0]
    spread = sums[QUANTILE_LEVELS.index(0.9)] - sums[QUANTILE_LEVELS.index(0.1)]
    assert sums[MEDIAN] == pytest.approx(14 * last.mean(), rel=0.03)
    assert spread == pytest.approx(2 * 1.2816 * last.std() * np.sqrt(14), rel=0.15)


def test_stronger_dependence_widens_the_sum() -> None:
    daily = np.cumsum(np.ones((1, 14, len(QUANTILE_LEVELS))), axis=2)
    loose, tight = (summed_quantiles(daily, Copula(level=level, decay=0.0), 2000)[0] for level in (0.0, 0.5))
    assert tight[-3] - tight[2] > 1.5 * (loose[-3] - loose[2])
