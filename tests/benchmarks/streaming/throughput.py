"""Events per second of the features job, and what limits it, against plain queries over the same topic."""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from infra.local.broker import Broker
from infra.local.processes import Component
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.streaming.click_load import SKUS, write_items
from tests.integration.features_job import FeaturesJob, run_to_end

REPEATS = 2
JOB_SIZES = (1_000_000, 3_000_000)
QUERY_SIZES = (3_000_000, 9_000_000)
PARALLELISM = 2
TIMEOUT_SECONDS = 400.0
_GOAL = 80_000
_HOW = (
    f"simulated clicks over {SKUS:,} SKUs with 2 % stock changes from one broker on the same machine, bounded"
    f" runs with parallelism {PARALLELISM}; slope of wall time between {JOB_SIZES[0]:,} and {JOB_SIZES[1]:,}"
    f" events of the whole job, {QUERY_SIZES[0]:,} and {QUERY_SIZES[1]:,} of the plain queries"
)


@dataclass
class Variant:
    """What is timed, over how many events, and the seconds of each repeat."""

    run: Callable[[Broker, Path], None]
    sizes: tuple[int, int]
    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def rates(self) -> list[float]:
        """Events per second of each repeat: what the further events cost, without start and end."""
        small, large = self.sizes
        pairs = zip(self.seconds[small], self.seconds[large], strict=True)
        return [(large - small) / (slow - fast) for fast, slow in pairs]


def figures() -> list[Figure]:
    """Rates of the whole job, evenly and on one hot SKU, and of decoding and one CUMULATE by Flink alone."""
    plain = {
        "all": Variant(_job, JOB_SIZES),
        "decode": Variant(_query("decode", "hashmap"), QUERY_SIZES),
        "cumulate": Variant(_query("cumulate", "hashmap"), QUERY_SIZES),
        "rocksdb": Variant(_query("cumulate", "rocksdb"), QUERY_SIZES),
    }
    _time(plain, skewed=False)
    rates = {name: variant.rates() for name, variant in plain.items()}
    hot = Variant(_job, JOB_SIZES)
    _time({"all": hot}, skewed=True)
    skewed = hot.rates()
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


def _time(variants: dict[str, Variant], skewed: bool) -> None:
    """Fills the topic step by step, and at each size runs in turns the variants that are timed there."""
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        broker.create_topics(partitions=4)
        write_items(broker.bootstrap_servers)
        written = 0
        for size in sorted({size for variant in variants.values() for size in variant.sizes}):
            _load(broker, Path(folder), written, size, skewed)
            written = size
            here = {name: variant for name, variant in variants.items() if size in variant.sizes}
            for number, (name, variant) in product(range(REPEATS), here.items()):
                began = time.monotonic()
                variant.run(broker, Path(folder) / f"{name}-{size}-{number}")
                variant.seconds[size].append(time.monotonic() - began)
                print(f"{name} {size:,} {'skewed ' * skewed}{variant.seconds[size][-1]:.1f} s", flush=True)


def _load(broker: Broker, run_dir: Path, first: int, size: int, skewed: bool) -> None:
    numbers = [str(first), str(size - 1)]
    options = ["--skewed"] if skewed else []
    command = ["tests.benchmarks.streaming.click_load", broker.bootstrap_servers, *numbers, *options]
    _run("load", run_dir, command)


def _query(name: str, backend: str) -> Callable[[Broker, Path], None]:
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
