from datetime import timedelta

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.fitting import new_config, seasonal_effects
from batch.forecaster.kept_state import KeptState
from batch.forecaster.predictor import Predictor
from batch.forecaster.training import new_network

START, DAYS = 120, 486
PANEL = generate(GeneratorPlan(series=30, days=DAYS, own_phases=True, seed=101)).panel()


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    past = PANEL.until(START)
    seasons = seasonal_effects(past, True)
    config = new_config(past, seasons)
    network = new_network(config, seasons, 1)
    return Predictor(config, {name: value.numpy() for name, value in network.state_dict().items()})


def encoded(predictor: Predictor, last: int) -> KeptState:
    return KeptState(predictor, PANEL.series, PANEL.window(last, last + 1, 0))


def test_a_state_advanced_day_by_day_equals_encoding_the_whole_history(predictor: Predictor) -> None:
    kept = encoded(predictor, START)
    for day in range(1, 366):
        kept.advance(PANEL.window(START + day, 1, 0))
        if day in (1, 2, 7, 28, 84, 200, 365):
            again = encoded(predictor, START + day)
            assert kept.last_day == again.last_day
            assert_allclose(kept.hidden, again.hidden, atol=1e-5)
            assert_allclose(kept.cell, again.cell, atol=1e-5)


def test_a_state_refuses_any_day_but_the_next(predictor: Predictor) -> None:
    kept = encoded(predictor, START)
    with pytest.raises(ValueError, match=f"one day after {PANEL.day(START)}"):
        kept.advance(PANEL.window(START + 2, 1, 0))
    assert kept.last_day == PANEL.first_day + timedelta(days=START)
    assert torch.equal(kept.hidden, encoded(predictor, START).hidden)
    assert np.isfinite(kept.cell.numpy()).all()
