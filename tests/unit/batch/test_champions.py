"""The table of champions: what it accepts, and that a model with a damaged one is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from batch.forecaster.artifact import CHAMPIONS_FILE, MANIFEST_FILE, load_artifact, save_artifact
from batch.forecaster.champions import FALLBACK, MODEL, MODELS_OWN, Champions, Role, baselines
from batch.forecaster.errors import ModelRejected
from batch.forecaster.intermittent import USUAL_SMOOTHING
from tests.unit.batch.test_artifact import CONFIG
from tests.unit.batch.test_model_gate import noisy_panel

TABLE: dict[str, Any] = {
    "segments": {"C/Z/lumpy": {"champion": "tsb", "fallback": FALLBACK}},
    "series": {"l": {"a": "C/Z/lumpy"}},
    "copulas": {name: {"level": 0.1, "decay": 0.0} for name in baselines(USUAL_SMOOTHING)},
    "smoothing": [0.1, 0.2],
}


def saved(models: Path, table: Champions | None) -> str:
    weights = {"w": np.array([1.0], dtype=np.float32)}
    return save_artifact(models, CONFIG, weights, {}, {"panel_hash": "0" * 64}, table)


def test_a_series_of_a_segment_has_its_champion_and_any_other_is_the_models() -> None:
    table = Champions.model_validate(TABLE)

    assert table.role(("a", "l")) == Role("tsb", FALLBACK, "C/Z/lumpy")
    assert table.role(("a", "elsewhere")) == table.role(("b", "l")) == MODELS_OWN == Role(MODEL, FALLBACK)


def test_a_table_is_read_back_with_its_model_and_another_table_is_another_model(tmp_path: Path) -> None:
    table = Champions.model_validate(TABLE)
    model_id, without = saved(tmp_path, table), saved(tmp_path, None)

    assert load_artifact(tmp_path, model_id).champions == table
    assert load_artifact(tmp_path, without).champions is None
    assert model_id != without


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"segments": {"C/Z/lumpy": {"champion": "cold_start", "fallback": FALLBACK}}}, "cannot serve"),
        ({"segments": {"C/Z/lumpy": {"champion": "tsb", "fallback": MODEL}}}, "cannot serve"),
        ({"segments": {"C/Z/lumpy": {"champion": "tsb", "fallback": "tsb"}}}, "its own fallback"),
        ({"series": {"l": {"a": "A/X/smooth"}}}, "A/X/smooth"),
        ({"copulas": {}}, "no copula"),
        ({"code": "import os"}, "code"),
    ],
)
def test_a_table_that_could_not_serve_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Champions.model_validate(TABLE | change)


def altered(folder: Path) -> None:
    path = folder / CHAMPIONS_FILE
    path.write_text(path.read_text().replace('"tsb"', '"croston_sba"', 1))


def removed(folder: Path) -> None:
    (folder / CHAMPIONS_FILE).unlink()


def left_out(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest["files"][CHAMPIONS_FILE]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("damage", "said"),
    [(altered, "differs"), (removed, "incomplete"), (left_out, "not those that it is named by")],
)
def test_a_model_whose_table_was_touched_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    model_id = saved(tmp_path, Champions.model_validate(TABLE))
    damage(tmp_path / model_id)

    with pytest.raises(ModelRejected, match=said):
        load_artifact(tmp_path, model_id)


@pytest.mark.parametrize("name", baselines(USUAL_SMOOTHING))
def test_whoever_may_serve_says_the_same_alone_and_among_others_and_nothing_on_closed_days(name: str) -> None:
    window = noisy_panel(560).window(525, 476, 28)
    window.future_open[:, 3] = False
    rule = {str(each): rule for each, rule in baselines(USUAL_SMOOTHING).items()}[name]

    together = rule(window)

    assert together.shape == (3, 28, 21)
    assert (np.diff(together, axis=2) >= 0).all()
    assert (together[:, 3] == 0).all()
    assert (together[:, 4, -1] > 0).all()
    for row in range(3):
        np.testing.assert_array_equal(rule(window.rows([row])), together[[row]])
