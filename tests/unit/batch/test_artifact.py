from pathlib import Path

import numpy as np
import pytest

from batch.forecaster.artifact import (
    current_model,
    load_artifact,
    point_to,
    roll_back,
    save_artifact,
)
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.errors import ModelRejected
from batch.promote_model import promote_if_better, promote_model
from infra.contracts.demand import QUANTILE_LEVELS
from infra.errors import StockstreamError

CONFIG = ForecasterConfig(
    series=(("a", "l"),), locations=("l",), pooled_quantiles=(1.0,) * len(QUANTILE_LEVELS)
)


def save(models: Path, weight: float, passes: bool = True) -> str:
    weights = {"w": np.array([weight], dtype=np.float32)}
    return save_artifact(models, CONFIG, weights, {"passes": passes}, {"panel_hash": "0" * 64})


def test_a_model_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    artifact = load_artifact(tmp_path, save(tmp_path, 2.5))
    assert artifact.config == CONFIG
    assert artifact.weights["w"] == np.float32(2.5)
    assert artifact.manifest["panel_hash"] == "0" * 64


def test_the_same_training_gives_the_same_id_and_another_a_different_one(tmp_path: Path) -> None:
    assert save(tmp_path, 1.0) == save(tmp_path, 1.0)
    assert save(tmp_path, 1.0) != save(tmp_path, 2.0)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "metrics.json"])
def test_a_model_with_an_altered_file_is_refused(tmp_path: Path, name: str) -> None:
    model_id = save(tmp_path, 1.0)
    path = tmp_path / model_id / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelRejected, match=name):
        load_artifact(tmp_path, model_id)


def test_a_missing_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match="lstm-none is incomplete"):
        load_artifact(tmp_path, "lstm-none")


def test_rollback_returns_to_the_model_before(tmp_path: Path) -> None:
    first, second = save(tmp_path, 1.0), save(tmp_path, 2.0)
    promote_model(tmp_path, first)
    promote_model(tmp_path, second)
    assert current_model(tmp_path) == second
    assert roll_back(tmp_path) == first
    assert current_model(tmp_path) == first


def test_rollback_from_the_only_model_leaves_the_fallback(tmp_path: Path) -> None:
    point_to(tmp_path, save(tmp_path, 1.0))
    assert roll_back(tmp_path) is None
    assert current_model(tmp_path) is None
    with pytest.raises(StockstreamError, match="nothing to roll back"):
        roll_back(tmp_path)


def test_promoting_the_current_model_again_keeps_the_way_back(tmp_path: Path) -> None:
    first, second = save(tmp_path, 1.0), save(tmp_path, 2.0)
    for model_id in (first, second, second):
        point_to(tmp_path, model_id)
    assert roll_back(tmp_path) == first


def test_a_model_that_fails_its_gate_never_serves(tmp_path: Path) -> None:
    good, bad = save(tmp_path, 1.0), save(tmp_path, 2.0, passes=False)
    promote_model(tmp_path, good)
    with pytest.raises(ModelRejected, match="does not beat the baselines"):
        promote_model(tmp_path, bad)
    assert f"{good} keeps serving" in promote_if_better(tmp_path, bad)
    assert current_model(tmp_path) == good
