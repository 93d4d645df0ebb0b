from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.fitting import new_config, seasonal_effects
from batch.forecaster.kept_state import DayInputs, KeptStates
from batch.forecaster.predictor import Predictor, as_float
from batch.forecaster.training import new_network
from batch.forecaster.windows import DemandWindow, demand_history

START, DAYS, HORIZON, HISTORY = 480, 880, 28, 476
PANEL = generate(GeneratorPlan(series=30, days=DAYS, own_phases=True, seed=101)).panel()
KEYS = PANEL.series


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    past = PANEL.until(START)
    seasons = seasonal_effects(past, True)
    config = new_config(past, seasons)
    network = new_network(config, seasons, 1)
    return Predictor(config, {name: value.numpy() for name, value in network.state_dict().items()})


def window(last: int, rows: slice = slice(None)) -> DemandWindow:
    return PANEL.rows(rows).window(last, HISTORY, HORIZON)


def encoded(predictor: Predictor, last: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(h, c) of the whole window that the network reads, in one go."""
    days = predictor.config.days_read(PANEL.day(last))
    features = demand_history(window(last), predictor.effects(KEYS)).features[:, -days:]
    with torch.inference_mode():
        _, (hidden, cell) = predictor.network.encoder(as_float(features))
    return hidden[0], cell[0]


def test_a_state_advanced_day_by_day_equals_encoding_the_window(predictor: Predictor) -> None:
    kept = KeptStates(predictor)
    for day in range(366):
        kept.advance(DayInputs.of(window(START + day), predictor.effects(KEYS)), KEYS)
        if day in (0, 1, 2, 7, 27, 28, 29, 84, 200, 365):
            hidden, cell = encoded(predictor, START + day)
            assert_allclose(torch.stack([kept.state(key).hidden for key in KEYS]), hidden, atol=1e-5)
            assert_allclose(torch.stack([kept.state(key).cell for key in KEYS]), cell, atol=1e-5)


def test_advancing_by_up_to_a_year_equals_encoding_all_those_days(predictor: Predictor) -> None:
    days, last = 365, START + 365
    whole = DayInputs.of(PANEL.window(last, 364 + days + 1, 0), predictor.effects(KEYS))
    kept = KeptStates(predictor)
    stepped = kept.read_days(whole, days, [None] * len(KEYS))
    features = demand_history(whole.window, predictor.effects(KEYS)).features
    with torch.inference_mode():
        _, (hidden, cell) = predictor.network.encoder(as_float(features[:, -days:]))
    assert_allclose(stepped[0][: len(KEYS)], hidden[0], atol=1e-5)
    assert_allclose(stepped[1][: len(KEYS)], cell[0], atol=1e-5)


def test_forecasts_from_kept_states_are_those_of_the_gate_to_rounding(predictor: Predictor) -> None:
    kept = KeptStates(predictor)
    for day in range(3):
        made = kept.predict(window(START + day), KEYS)
    expected = predictor.predict(window(START + 2), KEYS)
    assert_allclose(made, expected, rtol=1e-4, atol=1.0)  # counts: a quantile may lie on the edge of the next
    assert np.mean(np.abs(made - expected) > 1e-3) < 1e-3


@pytest.mark.parametrize("restart", [1, 13, 40])
def test_a_restart_comes_to_the_same_bytes(predictor: Predictor, restart: int) -> None:
    kept = KeptStates(predictor)
    for day in range(restart + 1):
        made = kept.predict(window(START + day), KEYS)
    again = KeptStates(predictor).predict(window(START + restart), KEYS)
    assert made.tobytes() == again.tobytes()


def test_bytes_do_not_depend_on_other_series_or_on_days_left_out(predictor: Predictor) -> None:
    kept, alone = KeptStates(predictor), KeptStates(predictor)
    for day in range(4):
        made = kept.predict(window(START + day), KEYS)
    for day in (0, 3):
        single = alone.predict(window(START + day, slice(7, 8)), KEYS[7:8])
    assert made[7].tobytes() == single[0].tobytes()


def test_the_window_begins_anew_on_fixed_dates_and_stays_within_what_training_draws(
    predictor: Predictor,
) -> None:
    config = predictor.config
    days = [PANEL.first_day + timedelta(days=n) for n in range(200)]
    starts = {day - timedelta(days=config.days_read(day) - 1) for day in days}
    assert all(3 / 4 * config.encoder_days < config.days_read(day) <= config.encoder_days for day in days)
    assert {
        (later - earlier).days for earlier, later in zip(sorted(starts), sorted(starts)[1:], strict=False)
    } == {config.anchor_days}


def test_a_day_costs_one_step_and_an_anchor_a_whole_encoding(predictor: Predictor) -> None:
    steps: list[int] = []

    class Counting(KeptStates):
        def read_days(self, days: DayInputs, count: int, states: object) -> tuple[torch.Tensor, torch.Tensor]:
            steps.append(count)
            return super().read_days(days, count, states)  # type: ignore[arg-type]

    kept = Counting(predictor)
    first = next(
        day for day in range(START, START + 28) if predictor.config.days_since_anchor(PANEL.day(day)) == 0
    )
    for day in range(first, first + 29):
        kept.advance(DayInputs.of(window(day), predictor.effects(KEYS)), KEYS)
    assert steps == [85, *[1] * 27, 85]


def test_a_changed_covariate_that_no_training_day_had_changes_nothing(predictor: Predictor) -> None:
    ignorant = Predictor(
        predictor.config, predictor.weights | {"effects": np.zeros_like(predictor.weights["effects"])}
    )
    plain = window(START)
    promoted = replace(plain, promotion=1 - plain.promotion, future_price=plain.future_price * 2)
    made = [KeptStates(ignorant).predict(each, KEYS).tobytes() for each in (plain, promoted)]
    assert made[0] == made[1]
