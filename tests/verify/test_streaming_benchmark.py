"""The figures of the features: every part measured, and whatever has to be exact is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.figures import Figure, read_report
from tests.benchmarks.run import parts_of

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 7200

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_SECONDS)]


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    """Measures what has not been measured for this commit; needs STOCKSTREAM_DATA."""
    command = [sys.executable, "-m", "tests.benchmarks.run", "streaming"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=TIMEOUT_SECONDS)
    return read_report(ROOT / ".run" / "bench" / "streaming.json")


def test_every_part_of_the_benchmark_is_measured(figures: list[Figure]) -> None:
    measured = {file.stem for file in (ROOT / ".run" / "bench" / "parts" / "streaming").glob("*.json")}
    assert measured >= set(parts_of("streaming"))
    assert len({figure.id for figure in figures}) == len(figures)


def test_nothing_is_lost_wrong_or_said_twice_differently(figures: list[Figure]) -> None:
    exact = [figure for figure in figures if figure.goal == "0"]
    assert len(exact) > 10
    assert [figure for figure in exact if not figure.met] == []
