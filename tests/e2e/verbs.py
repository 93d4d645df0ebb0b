"""Runs `stockstream` verbs as a user does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "infra" / "local" / "online_retail" / "mapping.yaml"
FIRST_DAY = "2011-09-19"
"""The first replayed day; history ends before it."""
DAYS = 15
"""Long enough for two reviews, 2011-09-26 and 2011-10-03."""

_PATIENCE = {
    "STOCKSTREAM_INPUT_DEADLINE_SECONDS": "600",
    "STOCKSTREAM_ALLOCATION_DEADLINE_SECONDS": "600",
}


@contextmanager
def patience() -> Iterator[None]:
    """On a busy machine a slow answer must not become a decision made without it."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in _PATIENCE.items():
            environment.setenv(name, value)
        yield


def verb_command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "stockstream"), *arguments]


def verb_environment(run_dir: Path) -> dict[str, str]:
    return {**os.environ, "STOCKSTREAM_RUN_DIR": str(run_dir)}


def run_verb(run_dir: Path, *arguments: str, timeout: float = 600) -> str:
    """Runs a verb to its end; its output, or a failure that shows it."""
    done = subprocess.run(
        verb_command(*arguments),
        env=verb_environment(run_dir),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def make_history(run_dir: Path) -> None:
    """The demand panel of all days before the first one, and a promoted model."""
    run_verb(run_dir, "import", "--mapping", str(MAPPING), "--until", FIRST_DAY)
    run_verb(run_dir, "history")
    run_verb(run_dir, "train")


@contextmanager
def running_shop(run_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The replayed slice; it writes `shop.log` in the run directory and ends with the context."""
    log = (run_dir / "shop.log").open("wb")
    command = verb_command("shop", "--days", str(DAYS), "--timeout", "180")
    process = subprocess.Popen(
        command, env=verb_environment(run_dir), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)
        log.close()
