from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from batch.forecaster.seasonality import EFFECTS
from batch.forecaster.windows import (
    DAY_FEATURES,
    DemandWindow,
    Flags,
    Floats,
    calendar_features,
    demand_history,
    demand_level,
    empirical_quantiles,
    filled_units,
    trailing_ratio,
)
from infra.contracts.demand import QUANTILE_LEVELS

LAST_DAY = date(2011, 9, 18)


def random_demand(days: int) -> tuple[Floats, Flags, Flags]:
    rng = np.random.default_rng(3)
    open_days = rng.random((4, days)) < 0.85
    observed = rng.random((4, days)) < 0.9
    return rng.poisson(5.0, (4, days)) * open_days.astype(float), observed, open_days


def window_of(units: Floats, observed: Flags, open_days: Flags) -> DemandWindow:
    return DemandWindow(LAST_DAY, units, observed, open_days, open_days[:, :0])


def test_a_trailing_ratio_counts_known_days_only() -> None:
    units, observed, open_days = random_demand(60)
    known = observed & open_days
    expected = pd.DataFrame(np.where(known, units, np.nan).T).rolling(7, min_periods=1).mean().T.fillna(0)
    assert_allclose(trailing_ratio(units, np.ones_like(units), known, 7), expected, atol=1e-9)


def test_a_season_does_not_move_the_level() -> None:
    index = np.tile(1 + np.arange(140) % 7, (1, 1)).astype(float)
    level = demand_level(3.0 * index, index, index > 0)
    assert_allclose(level, 3.0)


def test_no_feature_of_a_day_changes_with_later_demand() -> None:
    units, observed, open_days = random_demand(150)
    changed = units.copy()
    changed[:, 100:] += 1000.0
    effects = np.random.default_rng(4).normal(0, 0.2, (4, EFFECTS))
    before, after = (
        demand_history(window_of(each, observed, open_days), effects).features for each in (units, changed)
    )
    assert before.shape == (4, 150, DAY_FEATURES)
    assert_array_equal(before[:, :100], after[:, :100])


def test_a_censored_day_counts_as_the_level_or_what_was_sold_if_more() -> None:
    units = np.array([[10.0, 10.0, 1.0, 30.0, 0.0]])
    observed = np.array([[True, True, False, False, False]])
    open_days = np.array([[True, True, True, True, False]])
    filled = filled_units(window_of(units, observed, open_days), np.ones_like(units), np.full((1, 1), 10.0))
    assert_allclose(filled, [[10.0, 10.0, 10.0, 30.0, 0.0]])


def test_demand_never_has_a_level_of_zero() -> None:
    nothing = np.zeros((1, 5))
    assert (demand_level(nothing, nothing + 1, nothing > 0) > 0).all()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=80), st.integers(1, 90))
def test_empirical_quantiles_agree_with_numpy(demand: list[float], days: int) -> None:
    units = np.array([demand])
    expected = np.quantile(demand[-days:], QUANTILE_LEVELS)
    found = empirical_quantiles(units, units >= 0, QUANTILE_LEVELS, days)
    assert_allclose(found[0], expected, rtol=1e-9, atol=1e-9)


def test_empirical_quantiles_skip_unknown_days() -> None:
    units = np.array([[7.0, 1.0, 99.0, 3.0, 99.0]])
    known = np.array([[True, True, False, True, False]])
    assert_allclose(empirical_quantiles(units, known, (0.5,), 2), [[2.0]])


def test_empirical_quantiles_of_nothing_are_zero() -> None:
    assert_array_equal(empirical_quantiles(np.ones((1, 4)), np.zeros((1, 4), bool), (0.5, 0.9), 3), 0.0)


@pytest.mark.parametrize("day", ["2011-09-18", "2010-12-25", "2012-02-29", "2010-01-01"])
def test_the_calendar_knows_weekdays_and_christmas(day: str) -> None:
    (features,) = calendar_features(np.array([day], dtype="datetime64[D]"))
    moment = pd.Timestamp(day)
    to_christmas = (pd.Timestamp(moment.year, 12, 25) - moment).days
    assert features[:7].argmax() == moment.dayofweek
    assert abs(features[11] * 90 - np.clip(to_christmas, -1, 90)) <= moment.is_leap_year
