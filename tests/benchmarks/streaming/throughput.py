"""Events per second of the features job, and what limits it, against plain queries over the same topic."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.broker import Broker
from infra.local.processes import Component
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.streaming.click_load import SKUS, write_items
from tests.integration.features_job import FeaturesJob, run_to_end

REPEATS = 2
SIZES = (1_000_000, 3_000_000)
PARALLELISM = 2
TIMEOUT_SECONDS = 400.0
_GOAL = 80_000
_HOW = (
    f"simulated clicks over {SKUS:,} SKUs with 2 % stock changes from one broker on the same machine, bounded"
    f" runs with parallelism {PARALLELISM}; slope of wall time between {SIZES[0]:,} and {SIZES[1]:,} events"
)

Timed = Callable[[Broker, Path], None]


@dataclass
class Timings:
    """Seconds of each repeat of one variant, by number of events."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})

    def rates(self) -> list[float]:
        """Events per second of each repeat: what the further events cost, without start and end."""
        small, large = (self.seconds[size] for size in SIZES)
        return [(SIZES[1] - SIZES[0]) / (slow - fast) for fast, slow in zip(small, large, strict=True)]


def figures() -> list[Figure]:
    """Rates of the whole job, evenly and on one hot SKU, and of decoding and one CUMULATE by Flink alone."""
    plain = {
        "all": _job,
        "decode": _query("decode", "hashmap"),
        "cumulate": _query("cumulate", "hashmap"),
        "rocksdb": _query("cumulate", "rocksdb"),
    }
    rates = {name: timings.rates() for name, timings in _timings(plain, skewed=False).items()}
    skewed = _timings({"all": _job}, skewed=True)["all"].rates()
    return [
        measured("features_all", rates["all"], "events/s", _HOW, f">= {_GOAL:,}", lambda rate: rate >= _GOAL),
        measured("decode", rates["decode"], "events/s", _HOW),
        measured("cumulate", rates["cumulate"], "events/s", _HOW),
        _ratio("cumulate_to_decode", rates["cumulate"], rates["decode"], 0.40),
        _ratio("rocksdb_to_heap", rates["rocksdb"], rates["cumulate"], 0.70),
        measured("features_all_skewed", skewed, "events/s", f"{_HOW}; half of all events on one SKU"),
        _ratio("skewed_to_uniform", skewed, rates["all"], 0.70),
    ]


def _ratio(name: str, values: Sequence[float], base: Sequence[float], goal: float) -> Figure:
    typical = statistics.median(base)
    ratios = [value / typical for value in values]
    return measured(name, ratios, "ratio", _HOW, f">= {goal:.2f}", lambda ratio: ratio >= goal)


def _timings(variants: dict[str, Timed], skewed: bool) -> dict[str, Timings]:
    """Each variant over the smaller topic, in turns, then over the larger."""
    timings = {name: Timings() for name in variants}
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        broker.create_topics(partitions=4)
        write_items(broker.bootstrap_servers)
        written = 0
        for size in SIZES:
            _load(broker, Path(folder), written, size, skewed)
            written = size
            for number in range(REPEATS):
                for name, run in variants.items():
                    seconds = _seconds(run, broker, Path(folder) / f"{name}-{size}-{number}")
                    print(f"{name} {size:,} {'skewed ' if skewed else ''}{seconds:.1f} s", flush=True)
                    timings[name].seconds[size].append(seconds)
    return timings


def _seconds(run: Timed, broker: Broker, run_dir: Path) -> float:
    began = time.monotonic()
    run(broker, run_dir)
    return time.monotonic() - began


def _load(broker: Broker, run_dir: Path, first: int, size: int, skewed: bool) -> None:
    numbers = [str(first), str(size - 1)]
    options = ["--skewed"] if skewed else []
    command = ["tests.benchmarks.streaming.click_load", broker.bootstrap_servers, *numbers, *options]
    _run("load", run_dir, command)


def _query(name: str, backend: str) -> Timed:
    def run(broker: Broker, run_dir: Path) -> None:
        options = ["--backend", backend, "--parallelism", str(PARALLELISM)]
        command = ["tests.benchmarks.streaming.topic_query", name, broker.bootstrap_servers, *options]
        _run("query", run_dir, command)

    return run


def _job(broker: Broker, run_dir: Path) -> None:
    options = ["--parallelism", str(PARALLELISM)]
    changed = {"FEATURES_HEAP_MIB": "4096", "CHECKPOINT_INTERVAL_SECONDS": "30"}
    FeaturesJob(broker, run_dir).run_bounded(TIMEOUT_SECONDS, *options, **changed)


def _run(name: str, run_dir: Path, module: list[str]) -> None:
    run_to_end(Component(name, run_dir), [sys.executable, "-m", *module], {}, TIMEOUT_SECONDS)
