from dataclasses import replace

import numpy as np

from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.fitting import fit_forecaster
from batch.forecaster.predictor import check_quantiles
from batch.forecaster.training import TrainingPlan

PLAN = TrainingPlan(epochs=1, steps_per_epoch=2, series_per_step=4, origins_per_series=3)
PANEL = generate(GeneratorPlan(series=6, days=420, seed=101)).panel()


def test_fitting_twice_gives_the_same_forecast_bit_for_bit() -> None:
    made = []
    for _ in range(2):
        predictor = fit_forecaster(PANEL.until(419), PLAN)
        window = PANEL.window(419, predictor.config.history_days, predictor.config.horizon_days)
        made.append(predictor.predict(window, PANEL.series))
    assert made[0].tobytes() == made[1].tobytes()
    for quantiles in made[0]:
        check_quantiles(quantiles)


def test_nothing_after_the_panel_it_is_given_can_change_a_forecaster() -> None:
    shuffled = np.random.default_rng(1).permuted(PANEL.units[:, 400:], axis=1)
    other = replace(PANEL, units=np.concatenate([PANEL.units[:, :400], shuffled], axis=1))
    one, two = (fit_forecaster(panel.until(399), PLAN) for panel in (PANEL, other))
    window = PANEL.window(399, one.config.history_days, one.config.horizon_days)
    assert one.config == two.config
    assert one.predict(window, PANEL.series).tobytes() == two.predict(window, PANEL.series).tobytes()
