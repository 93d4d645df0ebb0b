from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.artifact import load_artifact, save_artifact
from batch.forecaster.categories import (
    LEAST_SERIES,
    learnable_categories,
    read_categories,
    write_categories,
)
from batch.forecaster.fitting import fit_forecaster
from batch.forecaster.items import NO_ATTRIBUTE, NUMBERS, Items, category_levels
from batch.forecaster.kept_state import KeptStates
from batch.forecaster.predictor import Predictor, check_quantiles, load_predictor
from batch.forecaster.training import TrainingPlan
from batch.forecaster.windows import Floats

PLAN = TrainingPlan(epochs=1, steps_per_epoch=2, series_per_step=4, origins_per_series=3)
LAST = 199
PLAIN = generate(GeneratorPlan(series=12, days=240, seed=101)).panel()
PANEL = replace(PLAIN, category=("food:fruit",) * 5 + ("food:bread", NO_ATTRIBUTE) + ("toys",) * 5)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return fit_forecaster(PANEL.until(LAST), PLAN)


def forecast(predictor: Predictor, series: tuple[tuple[str, str], ...] = PANEL.series) -> Floats:
    config = predictor.config
    return predictor.predict(PANEL.window(LAST, config.history_days, config.horizon_days), series)


@given(st.lists(st.sampled_from(["a", "a:b", "a:b:c", "a:d", "e", "none"]), max_size=40))
def test_a_series_is_in_its_narrowest_level_with_enough_others(categories: list[str]) -> None:
    learned = learnable_categories(categories)
    levels = [() if each == NO_ATTRIBUTE else category_levels(each)[1:] for each in categories]
    size = Counter(level for each in levels for level in each)
    large = [[level for level in each if size[level] >= LEAST_SERIES] for each in levels]
    expected = tuple(each[-1] if each else NO_ATTRIBUTE for each in large)
    assert learned == (expected if len(set(expected) - {NO_ATTRIBUTE}) > 1 else None)


def test_a_model_holds_the_category_that_each_series_was_trained_in(predictor: Predictor) -> None:
    assert predictor.config.categories == ("food:fruit",) * 5 + ("food", NO_ATTRIBUTE) + ("toys",) * 5


def test_without_two_categories_a_model_is_as_it_was(tmp_path: Path) -> None:
    plain, alike = (
        fit_forecaster(replace(PLAIN, category=names).until(LAST), PLAN)
        for names in ((NO_ATTRIBUTE,) * 12, ("food",) * 12)
    )
    ids = {
        save_artifact(tmp_path, each.config, each.weights, {}, {"panel_hash": "0" * 64})
        for each in (plain, alike)
    }
    assert len(ids) == 1
    assert "categor" not in plain.config.model_dump_json()
    assert not [name for name in plain.weights if "category" in name]


def test_a_saved_model_forecasts_the_same_bytes(predictor: Predictor, tmp_path: Path) -> None:
    origin = {"panel_hash": "0" * 64}
    model_id = save_artifact(tmp_path, predictor.config, predictor.weights, {}, origin)
    loaded = load_predictor(load_artifact(tmp_path, model_id))
    assert forecast(loaded).tobytes() == forecast(predictor).tobytes()


def test_kept_states_and_unknown_series_know_of_categories_too(predictor: Predictor) -> None:
    config = predictor.config
    window = PANEL.window(LAST, config.history_days, config.horizon_days)
    assert_allclose(KeptStates(predictor).predict(window, PANEL.series), forecast(predictor), atol=1e-4)
    for quantiles in forecast(predictor, tuple((f"new-{row}", "shop") for row in range(12))):
        check_quantiles(quantiles)


def test_a_category_moves_the_forecasts_of_its_series_alone(predictor: Predictor) -> None:
    name = "category.embedding.weight"
    moved = predictor.weights[name].copy()
    moved[-1] += 1.0
    other = Predictor(predictor.config, predictor.weights | {name: moved})
    changed = (forecast(other) != forecast(predictor)).any(axis=(1, 2))
    assert changed.tolist() == [category == "toys" for category in PANEL.category]


def test_the_categories_beside_a_panel_are_those_of_the_items_that_have_one(tmp_path: Path) -> None:
    assert read_categories(tmp_path) == {}
    numbers = np.full((2, len(NUMBERS)), np.nan)
    write_categories(tmp_path, Items(("a", "b"), ("food:fruit", NO_ATTRIBUTE), (NO_ATTRIBUTE,) * 2, numbers))
    assert read_categories(tmp_path) == {"a": "food:fruit"}
