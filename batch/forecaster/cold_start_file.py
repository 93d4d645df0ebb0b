"""The cold start beside the panel that it was learned from: one safetensors file, replaced in one step."""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from batch.forecaster.cold_start import OFFSETS, ColdStart, DayDistribution
from batch.forecaster.errors import ModelRejected
from batch.forecaster.items import Floats, ItemFactors
from batch.forecaster.whole_file import write_whole

FILE = "_cold_start.safetensors"
FORMAT = 1

_DAY = ("log_level", "log_k", "nothing", "shift", "shape")
_OWN = ("effects", "number_mean", "coefficients", "location_effects", "prior")


def write_cold_start(panel_dir: Path, cold: ColdStart) -> str:
    """Writes the file; returns its SHA-256 (hex), the same for the same content."""
    content = save(_tensors(cold), {"cold_start": json.dumps(_words(cold), sort_keys=True)})
    write_whole(panel_dir / FILE, content)
    return hashlib.sha256(content).hexdigest()


def read_cold_start(panel_dir: Path) -> ColdStart | None:
    """What was learned with the panel; None for a panel without it.

    Raises:
        ModelRejected: the file is damaged, of another format, or holds numbers that are not finite.
    """
    path = panel_dir / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            words = json.loads(file.metadata()["cold_start"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        cold = _cold_start(tensors, words)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelRejected(f"cold start {path} cannot be read: {error}") from None
    _check(path, cold, tensors)
    return cold


def _tensors(cold: ColdStart) -> dict[str, Floats]:
    factors = cold.factors
    tensors = {name: getattr(cold, name) for name in _OWN}
    tensors |= {f"day.{name}": getattr(cold.day, name) for name in _DAY}
    tensors |= {
        "factors": factors.factors,
        "factor_number_mean": factors.number_mean,
        "factor_coefficients": factors.coefficients,
    }
    return {name: np.ascontiguousarray(value, dtype=np.float64) for name, value in tensors.items()}


def _words(cold: ColdStart) -> dict[str, object]:
    return {
        "format": FORMAT,
        "counts": cold.day.counts,
        "locations": cold.locations,
        "categories": cold.categories,
        "sku": cold.factors.sku,
        "labels": cold.factors.labels,
    }


def _cold_start(tensors: dict[str, Floats], words: dict[str, object]) -> ColdStart:
    if words["format"] != FORMAT:
        raise ValueError(f"it has format {words['format']}, {FORMAT} is accepted")
    names = {
        name: tuple(map(str, words[name]))  # type: ignore[call-overload]
        for name in ("locations", "categories", "sku", "labels")
    }
    factors = ItemFactors(
        names["sku"],
        tensors["factors"],
        names["labels"],
        tensors["factor_number_mean"],
        tensors["factor_coefficients"],
    )
    day = DayDistribution(words["counts"] is True, *(tensors[f"day.{name}"] for name in _DAY))
    own = {name: tensors[name] for name in _OWN}
    return ColdStart(
        day=day, factors=factors, locations=names["locations"], categories=names["categories"], **own
    )


def _check(path: Path, cold: ColdStart, tensors: dict[str, Floats]) -> None:
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ModelRejected(f"cold start {path}: {name} has a value that is not finite")
    if cold.prior.shape != (len(cold.categories), len(OFFSETS)) or "" not in cold.categories:
        raise ModelRejected(f"cold start {path}: prior has shape {cold.prior.shape} for its categories")
