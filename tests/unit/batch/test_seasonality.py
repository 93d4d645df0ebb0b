from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose

from batch.demand_generator import FIRST_DAY, GeneratorPlan, generate
from batch.forecaster.seasonality import EFFECTS, SeasonalEffects, calendar_waves, fit_seasonality, log_index

PLAN = GeneratorPlan(series=200, seed=101)
PROMOTION, PRICE = EFFECTS - 2, EFFECTS - 1


def fitted(plan: GeneratorPlan, yearly: bool = True) -> SeasonalEffects:
    panel = generate(plan).panel().until(plan.days - 1)
    known = panel.observed & panel.open
    return fit_seasonality(panel.units, known, panel.first_day, panel.price, panel.promotion, yearly)


def index_error(plan: GeneratorPlan) -> tuple[float, float]:
    """Variances of the true log index over the future, and of its estimate's error."""
    generated = generate(plan)
    panel, seasons = generated.panel(), fitted(plan)
    days = np.datetime64(FIRST_DAY) + np.arange(panel.units.shape[1])
    found = log_index(seasons.effects[1:], days, panel.price, panel.promotion)
    true = np.log(generated.rate) - generated.walk
    error = (found - true) - (found - true)[:, : plan.days].mean(axis=1, keepdims=True)
    return float(true[:, plan.days :].var(axis=1).mean()), float((error[:, plan.days :] ** 2).mean())


def test_seasons_of_all_series_together_are_found() -> None:
    truth, error = index_error(PLAN)
    assert error < 0.1 * truth


def test_seasons_of_single_series_are_found() -> None:
    truth, error = index_error(replace(PLAN, own_phases=True))
    assert error < 0.3 * truth


def test_a_promotion_and_its_price_explain_the_effect_of_a_promotion() -> None:
    shared = fitted(PLAN).effects[0]
    assert shared[PROMOTION] + shared[PRICE] * np.log(0.8) == pytest.approx(0.7, abs=0.05)


def test_dispersions_are_told_apart() -> None:
    truth = np.log(generate(PLAN).dispersion[:, 0])
    found = fitted(PLAN).log_dispersion[1:]
    assert np.corrcoef(truth, found)[0, 1] > 0.85
    assert found.mean() == pytest.approx(truth.mean(), abs=0.15)


def test_demand_without_a_season_gets_none() -> None:
    shared = fitted(replace(PLAN, weekly=0.0, annual=0.0)).effects[0]
    assert np.abs(shared[:PROMOTION]).max() < 0.05


def test_a_series_without_a_known_day_gets_the_effects_of_all() -> None:
    panel = generate(PLAN).panel()
    known = panel.observed.copy()
    known[0] = False
    seasons = fit_seasonality(panel.units, known, panel.first_day, panel.price, panel.promotion, True)
    assert_allclose(seasons.effects[1], seasons.effects[0], atol=1e-6)


def test_a_panel_too_short_for_a_year_gets_no_yearly_season() -> None:
    effects = fitted(replace(PLAN, days=400), yearly=False).effects
    assert np.abs(effects[:, 6:PROMOTION]).max() == pytest.approx(0, abs=1e-9)


def test_the_week_repeats_after_seven_days_whatever_the_first_day() -> None:
    days = np.datetime64(date(2024, 2, 27)) + np.arange(14)
    waves = calendar_waves(days)[:, :6]
    assert_allclose(waves[:7], waves[7:], atol=1e-9)
    assert_allclose(waves[3:7], calendar_waves(days[3:7])[:, :6])
