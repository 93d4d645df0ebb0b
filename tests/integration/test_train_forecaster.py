import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from batch.forecaster.artifact import current_model, load_artifact
from batch.forecaster.panel import read_panel
from batch.forecaster.predictor import check_quantiles, load_predictor
from infra.contracts.demand import HORIZON_DAYS

DAYS, FIRST = 420, date(2010, 1, 4)


def write_panel(folder: Path) -> None:
    rng = np.random.default_rng(21)
    rows = [
        {
            "sku": f"sku{number}",
            "location": "shop",
            "date": FIRST + timedelta(days=day),
            "units": float(rng.negative_binomial(2, 0.05)) if day % 7 != 5 else 0.0,
            "open": day % 7 != 5,
            "available": None,
        }
        for number in range(5)
        for day in range(DAYS)
    ]
    folder.mkdir(parents=True)
    pd.DataFrame(rows).astype({"available": float}).to_parquet(folder / "part-0.parquet")
    (folder / "_manifest.json").write_text(json.dumps({"panel_hash": "a" * 64}))


def run_verb(module: str, run_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "STOCKSTREAM_RUN_DIR": str(run_dir)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    run_dir = tmp_path_factory.mktemp("run")
    write_panel(run_dir / "panel")
    return run_dir, run_verb("batch.train_forecaster", run_dir, "--epochs", "2")


def test_training_writes_a_model_whose_gate_decides_whether_it_serves(trained: tuple[Path, str]) -> None:
    run_dir, output = trained
    (folder,) = (path for path in (run_dir / "models").iterdir() if path.is_dir())
    artifact = load_artifact(run_dir / "models", folder.name)
    assert "epoch 2/2" in output
    assert artifact.manifest["panel_hash"] == "a" * 64
    assert artifact.manifest["learned_until"] == artifact.metrics["origins"][0]
    assert (current_model(run_dir / "models") == folder.name) == artifact.metrics["passes"]


def test_the_trained_model_forecasts_every_series_of_its_panel(trained: tuple[Path, str]) -> None:
    run_dir, _ = trained
    (folder,) = (path for path in (run_dir / "models").iterdir() if path.is_dir())
    predictor = load_predictor(load_artifact(run_dir / "models", folder.name))
    panel = read_panel(run_dir / "panel")
    window = panel.window(DAYS - HORIZON_DAYS - 1, predictor.config.history_days, HORIZON_DAYS)
    quantiles = predictor.predict(window, panel.series)
    assert quantiles.shape == (5, HORIZON_DAYS, 21)
    for one in quantiles:
        check_quantiles(one)


def test_a_backtest_of_the_model_repeats_the_loss_of_the_gate(trained: tuple[Path, str]) -> None:
    run_dir, _ = trained
    (folder,) = (path for path in (run_dir / "models").iterdir() if path.is_dir())
    name = f"promoted:{folder.name}"
    run_verb("batch.backtest", run_dir, "--models", name, "--spacing", "14")
    report = json.loads((run_dir / "backtest" / "report.json").read_text())
    gate = load_artifact(run_dir / "models", folder.name).metrics["pooled"]["lstm"]
    assert report["models"][name]["pooled"]["wql"] == pytest.approx(gate["wql"], rel=1e-9)
