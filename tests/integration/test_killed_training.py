"""A training worker is killed for real; the run goes on from its last checkpoint and ends with a model."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.forecaster.artifact import load_artifact
from infra.local.process_table import is_marked, live_processes
from tests.integration.test_train_forecaster import write_panel

EPOCHS, KILLED_AFTER, EPOCHS_PER_CHECKPOINT = 12, 6, 4


def training_workers(mark: str) -> list[int]:
    """Process ids of the Ray Train workers of the run with this mark in its environment."""
    pids = [entry.pid for entry in live_processes() if is_marked(entry.pid, mark)]
    return [pid for pid in pids if b"TrainWorker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def epochs_done(lines: Iterator[str]) -> Iterator[int]:
    for line in lines:
        if found := re.search(rf"epoch (\d+)/{EPOCHS}:", line):
            yield int(found[1])


@pytest.mark.timeout(600)
def test_a_killed_worker_costs_a_training_run_the_epochs_since_its_checkpoint(tmp_path: Path) -> None:
    write_panel(tmp_path / "panel")
    mark = f"STOCKSTREAM_RUN_DIR={tmp_path}"
    with subprocess.Popen(
        [sys.executable, "-m", "batch.train_forecaster", "--epochs", str(EPOCHS)],
        env={**os.environ, "STOCKSTREAM_RUN_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        epochs = epochs_done(iter(run.stdout))
        before = next(epoch for epoch in epochs if epoch >= KILLED_AFTER)
        victims = training_workers(mark)
        assert victims
        os.kill(victims[0], signal.SIGKILL)
        after = list(epochs)
    assert run.returncode == 0
    resumed = next(epoch for last, epoch in zip([before, *after], after, strict=False) if epoch <= last)
    assert resumed > 1
    assert resumed % EPOCHS_PER_CHECKPOINT == 1
    assert after[-1] == EPOCHS
    (folder,) = (path for path in (tmp_path / "models").iterdir() if path.is_dir())
    assert load_artifact(tmp_path / "models", folder.name).manifest["workers"] == 2
