"""Panels on disk: hashed by content, kept side by side, the current one named by an atomic link."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from batch.demand_panel import PANEL_COLUMNS
from batch.price_history import PRICE_COLUMNS

KEY = ["sku", "location", "date"]


def read_panel(folder: Path) -> pd.DataFrame:
    """A panel's rows in the order of sku, location and date; `date` is datetime64."""
    panel = pd.read_parquet(folder)
    panel = panel[_columns(panel)]
    panel["date"] = pd.to_datetime(panel["date"])
    return panel.sort_values(KEY, ignore_index=True)


def _columns(panel: pd.DataFrame) -> list[str]:
    return [*PANEL_COLUMNS, *(name for name in PRICE_COLUMNS if name in panel)]


def panel_hash(panel: pd.DataFrame) -> str:
    """SHA-256 of the rows, whatever their order and however they are split into files."""
    whole = hashlib.sha256()
    panel = panel.sort_values(KEY, ignore_index=True)
    for name in _columns(panel):
        whole.update(f"{name}\x1e".encode())
        column = panel[name]
        if name in ("sku", "location"):
            whole.update("\x1f".join(column.astype(str)).encode())
        elif name == "date":
            whole.update(column.to_numpy().astype("datetime64[D]").astype("<i8").tobytes())
        else:
            numbers = column.astype("float64") + 0.0
            whole.update(numbers.to_numpy(dtype="<f8").tobytes())
            whole.update(column.isna().to_numpy().tobytes())
    return whole.hexdigest()


def publish_panel(run_dir: Path, staging: Path, manifest: dict[str, Any]) -> Path:
    """Moves a finished panel to `panels/<hash>` and points `panel` to it.

    Args:
        run_dir: Folder of the stack's files.
        staging: Folder with the panel's Parquet files, inside `run_dir`.
        manifest: Its manifest, with `panel_hash`.
    """
    (staging / "_manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    target = run_dir / "panels" / str(manifest["panel_hash"])[:16]
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        shutil.rmtree(staging)
    else:
        staging.rename(target)
    link = run_dir / f".panel.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(run_dir), target_is_directory=True)
    link.replace(run_dir / "panel")
    return target
