"""One identical tumbling window in Flink SQL, in default Python DataStream and in bytewax."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.local.verify import ROOT
from tests.benchmarks.figures import Figure, measured

REPEATS = 3
BYTEWAX = "bytewax==0.21.1"
_ENVIRONMENT = ROOT / ".run" / "peers"
_FINISHED = "finished.txt"
_HERE = Path(__file__).parent
_WINDOW = [sys.executable, "-m", "tests.benchmarks.streaming.tumbling_window"]
_HOW = (
    "count and sum per SKU and minute over simulated numbers, one slot; slope of wall time between two sizes"
)
_SIZES = {"sql": (4_000_000, 16_000_000), "datastream": (10_000, 30_000), "bytewax": (20_000, 60_000)}


def figures() -> list[Figure]:
    """Events per second of each, measured in turns, and SQL's multiple of the others."""
    commands = {
        "sql": [*_WINDOW, "sql"],
        "datastream": [*_WINDOW, "datastream"],
        "bytewax": [_bytewax_python(), str(_HERE / "bytewax_window.py")],
    }
    rates: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            rates[name].append(_rate(command, _SIZES[name]))
            print(f"{name}: {rates[name][-1]:,.0f} events/s", flush=True)
    own = [measured(f"window_{name}", values, "events/s", _HOW) for name, values in rates.items()]
    return [*own, *(_multiple(name, rates) for name in ("datastream", "bytewax"))]


def _multiple(peer: str, rates: dict[str, list[float]]) -> Figure:
    base = statistics.median(rates[peer])
    multiples: Sequence[float] = [rate / base for rate in rates["sql"]]
    return measured(f"window_sql_to_{peer}", multiples, "ratio", _HOW, "reported (>= 100 expected)")


def _rate(command: list[str], sizes: tuple[int, int]) -> float:
    small, large = (_seconds([*command, str(size)]) for size in sizes)
    return (sizes[1] - sizes[0]) / (large - small)


def _seconds(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=600)
    return time.monotonic() - began


def _bytewax_python() -> str:
    """The interpreter of an environment that holds bytewax; made anew if it is not there or not finished."""
    python = str(_ENVIRONMENT / "bin" / "python")
    if not (_ENVIRONMENT / _FINISHED).exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", BYTEWAX], check=True)
        (_ENVIRONMENT / _FINISHED).write_text(BYTEWAX)
    return python
