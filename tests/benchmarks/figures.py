"""Figures of a benchmark: what was measured, how often, against which goal."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from infra.local.verify import current_commit, machine

_VERSIONS = ("apache-flink", "pyspark", "kafka-python", "numpy", "pandas")


@dataclass(frozen=True)
class Figure:
    """A measured figure.

    Attributes:
        id: its name, unique in the report.
        value: median of the repeats.
        unit: of the value and the spread.
        goal: in words; `reported` where there is none.
        met: whether the value reaches the goal.
        repeats: how often it was measured.
        spread: smallest and largest of the repeats.
        how: what was run, in one line; names simulated data as simulated.
        commit: of the code that was measured.
    """

    id: str
    value: float
    unit: str
    goal: str
    met: bool
    repeats: int
    spread: tuple[float, float]
    how: str
    commit: str


def measured(
    name: str,
    values: Sequence[float],
    unit: str,
    how: str,
    goal: str = "reported",
    meets: Callable[[float], bool] = lambda _: True,
) -> Figure:
    """The figure of repeated measurements: their median, and whether that meets the goal."""
    value = statistics.median(values)
    return Figure(
        name, value, unit, goal, meets(value), len(values), (min(values), max(values)), how, current_commit()
    )


def write_report(path: Path, figures: Sequence[Figure]) -> None:
    """Writes the figures with the machine and the versions they were measured on."""
    report = {
        "figures": [asdict(figure) for figure in figures],
        "machine": machine(),
        "versions": {name: version(name) for name in _VERSIONS},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def read_report(path: Path) -> list[Figure]:
    """The figures of a report."""
    figures = json.loads(path.read_text())["figures"]
    return [Figure(**{**figure, "spread": tuple(figure["spread"])}) for figure in figures]
