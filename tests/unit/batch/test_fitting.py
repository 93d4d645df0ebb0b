from dataclasses import replace

import numpy as np
import pytest

from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.artifact import Weights
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fitting import (
    calibrate,
    finished,
    fit_forecaster,
    learned_part,
    new_config,
    seasonal_effects,
    weigh_heads,
)
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import check_quantiles
from batch.forecaster.seasonality import SeasonalEffects, fit_seasonality
from batch.forecaster.training import TrainingPlan, new_network
from batch.forecaster.windows import Floats, log_index_of
from infra.errors import StockstreamError

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


@pytest.mark.parametrize("days", [42, 90, 253])
def test_a_short_panel_is_learned_from_too(days: int) -> None:
    predictor = fit_forecaster(PANEL.until(days - 1), PLAN)
    window = PANEL.window(days - 1, predictor.config.history_days, predictor.config.horizon_days)
    for quantiles in predictor.predict(window, PANEL.series):
        check_quantiles(quantiles)


def test_a_panel_too_short_to_learn_from_is_refused_with_the_days_needed() -> None:
    with pytest.raises(StockstreamError, match="panel has 41 days: training needs at least 42"):
        fit_forecaster(PANEL.until(40), PLAN)


def test_demand_by_weight_is_learned_and_forecast_in_fractions() -> None:
    by_weight = replace(PANEL, units=PANEL.units * 0.37)
    predictor = fit_forecaster(by_weight.until(89), PLAN)
    window = by_weight.window(89, predictor.config.history_days, predictor.config.horizon_days)
    quantiles = predictor.predict(window, PANEL.series)
    assert not predictor.config.counts
    assert (quantiles % 1 > 0).any()
    for one in quantiles:
        check_quantiles(one)


def test_copulas_are_fitted_with_seasons_that_know_nothing_of_the_days_kept_back() -> None:
    panel = PANEL.until(419)
    learned = learned_part(panel)
    seasons = seasonal_effects(learned, False)
    config = new_config(learned, seasons)
    weights = {name: each.numpy() for name, each in new_network(config, seasons, 1).state_dict().items()}
    made = finished(panel, config, weights)
    assert made.config == calibrate(panel, weigh_heads(panel, config, weights), weights)
    assert not np.array_equal(made.network.effects.numpy(), weights["effects"])


def test_recent_quantiles_weigh_most_where_the_network_has_not_learned_anything() -> None:
    panel = PANEL.until(419)
    config, weights = new_and_broken(panel)
    weighed = weigh_heads(panel, config, weights)
    assert weighed.recent_share == 1.0


def test_seasons_and_promotions_are_found_though_stock_runs_out_on_the_best_days() -> None:
    plan = GeneratorPlan(series=2060, days=100, future_days=0, stockout_share=0.0, seed=102)
    whole = generate(plan).panel()
    opening = np.random.default_rng(4).lognormal(0, 0.5, whole.units.shape)
    stock = np.ceil(opening * whole.units.mean(axis=1, keepdims=True))
    cut = replace(whole, units=np.minimum(whole.units, stock), observed=whole.units < stock)

    def index(seasons: SeasonalEffects) -> Floats:
        return log_index_of(whole.window(99, 100, 0), seasons.effects[1:])

    of_known_days = fit_seasonality(
        cut.units, cut.observed, cut.first_day, cut.price, cut.promotion, yearly=False
    )
    true = index(seasonal_effects(whole, False))
    missed, found = index(of_known_days) - true, index(seasonal_effects(cut, False)) - true
    for part in (slice(0, 2000), slice(2000, None)):  # they are drawn one after the other
        assert np.mean(found[part] ** 2) < 0.25 * np.mean(missed[part] ** 2)
        on_promotion = whole.promotion[part] > 0
        assert missed[part][on_promotion].mean() < -0.3
        assert abs(found[part][on_promotion].mean()) < 0.1


def new_and_broken(panel: DemandPanel) -> tuple[ForecasterConfig, Weights]:
    """A network whose both heads forecast e times and more than is sold."""
    seasons = seasonal_effects(panel, False)
    config = new_config(panel, seasons)
    weights = {
        name: value.numpy().copy() for name, value in new_network(config, seasons, 1).state_dict().items()
    }
    weights["mixture.bias"][config.components : 2 * config.components] += 3.0
    weights["bent.bias"][len(config.base_days) + 1] = 3.0
    return config, weights
