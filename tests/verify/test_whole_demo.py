"""The whole demo: every epoch decided, every decision replayed, the goals of the forecast met."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STOCKSTREAM = str(Path(sys.executable).parent / "stockstream")
SKUS, REVIEWS = 100, 11

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@dataclass(frozen=True)
class DemoRun:
    report: dict[str, Any]
    replay: subprocess.CompletedProcess[str]


def stockstream(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["env", "STOCKSTREAM_RUN_DIR=.run/demo", STOCKSTREAM, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoRun]:
    done = stockstream("demo", "--keep")
    try:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        report = json.loads((ROOT / ".run" / "demo" / "report.json").read_text())
        yield DemoRun(report, stockstream("replay"))
    finally:
        stockstream("down")


def test_every_sku_is_decided_in_every_epoch_and_nothing_is_lost(demo: DemoRun) -> None:
    counts = demo.report["counts"]

    assert counts["decisions"] == SKUS * REVIEWS
    assert counts["forecasts"] == SKUS * counts["days"]
    assert (counts["late"], counts["dead_letters"], counts["fallback_share"]) == (0, 0, 0)


def test_every_decision_is_recomputed_exactly(demo: DemoRun) -> None:
    assert demo.replay.returncode == 0, demo.replay.stdout + demo.replay.stderr
    assert f"{SKUS * REVIEWS} decisions reproduced exactly" in demo.replay.stdout


def test_published_forecasts_beat_both_baselines_and_are_calibrated(demo: DemoRun) -> None:
    accuracy = demo.report["forecast_accuracy"]
    own, *others = (accuracy[name] for name in ("published", "seasonal naive", "56-day empirical"))

    for score in ("wql", "cumulative"):
        assert own[score] <= 0.95 * min(other[score] for other in others)
    assert own["coverage_80"] == pytest.approx(0.80, abs=0.05)
