from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from batch.forecaster.explanation import (
    CHRISTMAS,
    LEVEL,
    OPEN_DAYS,
    PRICE,
    PROMOTION,
    STOCK_OUTS,
    Explanation,
    explain_fallback,
    explain_model,
    shapley_values,
    without_christmas,
    without_season,
)
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.network import DemandNetwork
from batch.forecaster.predictor import Predictor
from batch.forecaster.quantile_function import mean
from batch.forecaster.windows import DemandWindow, calendar_features
from tests.unit.batch.test_predictor import CONFIG, DAYS, HORIZON, SERIES

KEY = SERIES[3]
LAST_DAY = date(2011, 9, 18)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    rng = np.random.default_rng(3)
    shapes = DemandNetwork(CONFIG).state_dict()
    return Predictor(CONFIG, {n: rng.normal(0, 0.1, tuple(v.shape)).astype("f4") for n, v in shapes.items()})


def window(last_day: date = LAST_DAY) -> DemandWindow:
    rng = np.random.default_rng(4)
    open_days = np.broadcast_to(np.arange(DAYS) % 7 != 5, (1, DAYS))
    return DemandWindow(
        last_day=last_day,
        units=rng.negative_binomial(2, 0.2, (1, DAYS)) * open_days.astype(float),
        observed=np.ones((1, DAYS), dtype=bool),
        open=open_days,
        future_open=open_days[:, -HORIZON:],
    )


def total(explanation: Explanation) -> float:
    return explanation.reference + sum(explanation.contributions.values())


@given(arrays(np.float64, (2, 2, 2), elements=st.floats(-100, 100)))
def test_shapley_values_are_the_mean_gain_over_every_order_of_the_players(values: np.ndarray) -> None:  # type: ignore[type-arg]
    gains = np.zeros(3)
    for order in permutations(range(3)):
        present = [0, 0, 0]
        for player in order:
            before = values[tuple(present)]
            present[player] = 1
            gains[player] += values[tuple(present)] - before

    assert_allclose(shapley_values(values), gains / 6, atol=1e-9)
    assert_allclose(shapley_values(values).sum(), values[1, 1, 1] - values[0, 0, 0], atol=1e-9)


@pytest.mark.parametrize("days", [1, 14, 28])
def test_contributions_and_reference_sum_to_the_mean_of_the_forecast(predictor: Predictor, days: int) -> None:
    busy = replace(
        window(), promotion=(np.arange(DAYS) % 11 == 0)[None].astype(float),
        future_promotion=np.eye(1, HORIZON, 3), future_price=np.full((1, HORIZON), 0.8),
        observed=(np.arange(DAYS) % 9 != 0)[None], future_open=np.ones((1, HORIZON), dtype=bool),
    )  # fmt: skip
    explained = explain_model(predictor, busy, KEY, days)
    expected = mean(predictor.predict(busy, [KEY]))[0, :days].sum()

    assert explained.forecast == pytest.approx(expected, rel=1e-6)
    assert total(explained) == pytest.approx(explained.forecast, rel=1e-9)
    moved = {driver for driver, units in explained.contributions.items() if units}
    assert moved >= set(explained.contributions) - ({OPEN_DAYS} if days == 1 else set())


def test_what_did_not_happen_moves_nothing(predictor: Predictor) -> None:
    moved = explain_model(predictor, window(), KEY, 28).contributions

    for driver in (PROMOTION, PRICE, STOCK_OUTS):
        assert moved[driver] == pytest.approx(0, abs=1e-9)
    assert moved[CHRISTMAS] != 0  # 97 days off on the first day ahead, 70 on the last


def test_the_network_that_sees_a_constant_calendar_is_that_of_those_inputs(predictor: Predictor) -> None:
    """No day within the horizon or the context tells another's forecast apart once its dates are constant."""
    blind = without_christmas(without_season(predictor.weights))
    there, later = (window(LAST_DAY + timedelta(days=n)) for n in (0, 7 * 28))
    made = [Predictor(CONFIG, blind).predict(each, [KEY]) for each in (there, later)]
    sighted = [predictor.predict(each, [KEY]) for each in (there, later)]

    assert_allclose(made[0], made[1], atol=1e-6)
    assert np.abs(sighted[0] - sighted[1]).max() > 1e-3
    far_from_christmas = calendar_features(np.array(["2011-03-01"], dtype="datetime64[D]"))
    assert far_from_christmas[0, -2:].tolist() == [1.0, 0.0]


def test_the_fallback_is_explained_by_its_open_days_and_its_recent_level() -> None:
    units = np.where(np.arange(DAYS) >= DAYS - 28, 6.0, 3.0)[None]
    ahead = np.arange(HORIZON)[None] < 20
    every = np.ones((1, DAYS), dtype=bool)
    explained = explain_fallback(DemandWindow(LAST_DAY, units, every, every, ahead), 28)

    flat = mean(
        empirical_forecast(DemandWindow(LAST_DAY, np.full_like(units, 3.0), every, every, every[:, :28]))
    )
    assert explained.reference == pytest.approx(float(flat.sum()))
    assert set(explained.contributions) == {LEVEL, STOCK_OUTS, OPEN_DAYS}
    assert explained.contributions[LEVEL] > 0 > explained.contributions[OPEN_DAYS]
    assert explained.contributions[STOCK_OUTS] == 0
    assert total(explained) == pytest.approx(explained.forecast)


def test_a_series_that_sold_nothing_lately_lost_its_usual_level() -> None:
    units = np.where(np.arange(DAYS) >= DAYS - 28, 0.0, 3.0)[None]
    every = np.ones((1, DAYS), dtype=bool)
    explained = explain_fallback(DemandWindow(LAST_DAY, units, every, every, every[:, :28]), 28)

    assert explained.contributions[LEVEL] == pytest.approx(explained.forecast - explained.reference)
    assert explained.contributions[LEVEL] < 0
