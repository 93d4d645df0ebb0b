"""Model files: written whole, named by content, checked when read, chosen by one atomic pointer."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from batch.forecaster.champions import Champions
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.errors import ModelRejected
from batch.forecaster.whole_file import write_whole
from infra.errors import StockstreamError

Weights = dict[str, NDArray[np.float32]]

WEIGHTS_FILE, CONFIG_FILE, METRICS_FILE, MANIFEST_FILE = (
    "model.safetensors", "config.json", "metrics.json", "manifest.json",
)  # fmt: skip
CHAMPIONS_FILE = "champions.json"
"""Only where some segment's champion is not the model."""

CURRENT, PREVIOUS = "current", "previous"


@dataclass(frozen=True)
class Artifact:
    """A verified model, and who forecasts in its place where it is not the best."""

    model_id: str
    config: ForecasterConfig
    weights: Weights
    metrics: dict[str, Any]
    manifest: dict[str, Any]
    champions: Champions | None = None


def save_artifact(
    models_dir: Path,
    config: ForecasterConfig,
    weights: Weights,
    metrics: dict[str, Any],
    origin: dict[str, Any],
    champions: Champions | None = None,
) -> str:
    """Writes a model folder in one step.

    Args:
        models_dir: the folder of all models.
        config: its constants.
        weights: its tensors by name.
        metrics: the gate's figures.
        origin: where it comes from (panel hash, seeds, versions); goes into the manifest.
        champions: who forecasts which series; None leaves all to the model.

    Returns:
        The model id: a hash of weights, config, panel and champions, the same for the same training.
    """
    files = {
        WEIGHTS_FILE: save(weights),
        CONFIG_FILE: config.model_dump_json(indent=1).encode(),
        METRICS_FILE: _json(metrics),
    }
    if champions is not None:
        files[CHAMPIONS_FILE] = _json(champions.model_dump(mode="json"))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    model_id = _model_id(hashes, origin["panel_hash"])
    files[MANIFEST_FILE] = _json({"model_id": model_id, "files": hashes, **origin})
    _write_folder(models_dir, model_id, files)
    return model_id


def load_artifact(models_dir: Path, model_id: str) -> Artifact:
    """Reads a model and checks every file against the manifest.

    Raises:
        ModelRejected: a file is missing, altered or of another schema.
    """
    folder = models_dir / model_id
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
        optional = {CHAMPIONS_FILE} & manifest["files"].keys()
        names = (WEIGHTS_FILE, CONFIG_FILE, METRICS_FILE, *optional)
        files = {name: (folder / name).read_bytes() for name in names}
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError) as error:
        raise ModelRejected(f"model {model_id} is incomplete: {error}") from None
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest["files"][name]:
            raise ModelRejected(f"model {model_id}: {name} differs from its manifest")
    if _model_id(manifest["files"], manifest["panel_hash"]) != model_id:
        raise ModelRejected(f"model {model_id}: its files are not those that it is named by")
    try:
        config = ForecasterConfig.model_validate_json(files[CONFIG_FILE])
        weights = load(files[WEIGHTS_FILE])
        table = files.get(CHAMPIONS_FILE)
        champions = None if table is None else Champions.model_validate_json(table)
    except (ValidationError, SafetensorError) as error:
        raise ModelRejected(f"model {model_id} cannot be read: {str(error).splitlines()[0]}") from None
    return Artifact(model_id, config, weights, json.loads(files[METRICS_FILE]), manifest, champions)


def current_model(models_dir: Path) -> str | None:
    """The id that serves; None when no model is promoted and the fallback forecasts."""
    return _read_pointer(models_dir / CURRENT)


def point_to(models_dir: Path, model_id: str) -> None:
    """Makes a model the current one; the one before is kept for `roll_back`."""
    before = current_model(models_dir)
    if before == model_id:
        return
    if before is None:
        (models_dir / PREVIOUS).unlink(missing_ok=True)
    else:
        write_whole(models_dir / PREVIOUS, f"{before}\n".encode())
    write_whole(models_dir / CURRENT, f"{model_id}\n".encode())


def roll_back(models_dir: Path) -> str | None:
    """Returns to the model before the current one, or to none (the fallback) when there was none.

    Raises:
        StockstreamError: no model is promoted.
    """
    if current_model(models_dir) is None:
        raise StockstreamError(f"no model is promoted in {models_dir}: nothing to roll back")
    before = _read_pointer(models_dir / PREVIOUS)
    if before is None:
        (models_dir / CURRENT).unlink()
    else:
        os.replace(models_dir / PREVIOUS, models_dir / CURRENT)
    return before


def _read_pointer(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def _model_id(hashes: dict[str, str], panel_hash: str) -> str:
    named_by = [hashes[WEIGHTS_FILE], hashes[CONFIG_FILE], panel_hash]
    if CHAMPIONS_FILE in hashes:
        named_by.append(hashes[CHAMPIONS_FILE])
    return "lstm-" + hashlib.sha256("|".join(named_by).encode()).hexdigest()[:16]


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _write_folder(models_dir: Path, model_id: str, files: dict[str, bytes]) -> None:
    models_dir.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=models_dir))
    for name, content in files.items():
        (unfinished / name).write_bytes(content)
    if (models_dir / model_id).exists():
        shutil.rmtree(models_dir / model_id)
    os.replace(unfinished, models_dir / model_id)
