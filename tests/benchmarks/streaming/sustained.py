"""The whole stack under a steady load: is its lag flat, are its features fresh, is nothing lost?"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from infra.contracts.topics import FEATURES
from infra.heartbeat import send_heartbeats
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.local.processes import wait_until
from infra.local.prometheus_server import PrometheusServer
from infra.local.stack import Stack
from infra.local.verify import ROOT
from tests.benchmarks.figures import Figure, measured
from tests.e2e.verbs import FIRST_DAY, MAPPING, run_verb

RATE = 5_000
SECONDS = 600
STEP_SECONDS = 10
_SAMPLE_SECONDS = 5.0
_SETTINGS = {
    "STOCKSTREAM_FEATURE_STEP_SECONDS": str(STEP_SECONDS),
    "STOCKSTREAM_OUT_OF_ORDERNESS_SECONDS": "1",
}
_PENDING = re.compile(r"^flink_taskmanager_job_task_operator_pendingRecords\{.*\} ([0-9.E+]+)$", re.MULTILINE)
_HOW = (
    f"simulated views, {RATE:,}/s for {SECONDS} s by an open-loop generator on the same machine, with broker,"
    f" features job, serving and Prometheus; step {STEP_SECONDS} s, bound of disorder 1 s"
)


@dataclass(frozen=True)
class Load:
    """What was sent, how late, and the records waiting in the topics, sampled at equal times."""

    events: int
    slip_seconds: float
    pending: list[float]


@dataclass(frozen=True)
class Answer:
    """What came out: how old the oldest news in each row was, seconds, and the events counted."""

    ages: list[float]
    counted: float


def figures() -> list[Figure]:
    """Lag at the end against the beginning, the age of features, events lost."""
    with _running_stack() as stack:
        servers = stack.settings().bootstrap_servers
        load = _send(stack)
        _close(servers)
        wait_until(lambda: _pending(stack) == 0, 120, "end of the backlog")
        wait_until(lambda: _answer(servers).counted >= load.events, 120, "rows of all events")
        answer = _answer(servers)
    third = len(load.pending) // 3
    drift = statistics.median(load.pending[-third:]) - statistics.median(load.pending[:third])
    p99 = float(np.quantile(answer.ages, 0.99))
    limit = STEP_SECONDS + 5
    return [
        measured("sustained_lag_drift", [drift], "records", _HOW, "<= 5,000", lambda v: v <= RATE),
        measured("sustained_lag", load.pending, "records", f"{_HOW}; sampled every {_SAMPLE_SECONDS:g} s"),
        measured("sustained_freshness_p99", [p99], "s", _HOW, f"<= {limit} s", lambda v: v <= limit),
        measured("sustained_freshness", answer.ages, "s", _HOW),
        measured("sustained_lost", [load.events - answer.counted], "events", _HOW, "0", lambda v: v == 0),
        measured("sustained_generator_slip", [load.slip_seconds], "s", _HOW),
    ]


@contextmanager
def _running_stack() -> Iterator[Stack]:
    os.environ.update(_SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder)
        for verb in (["import", "--mapping", str(MAPPING), "--until", FIRST_DAY], ["history"], ["train"]):
            run_verb(run_dir, *verb)
        shutil.rmtree(run_dir / "archive")
        stack = Stack(run_dir)
        try:
            stack.start_broker()
            stack.start_features()
            stack.start_serving()
            if PrometheusServer.is_installed():
                stack.start_prometheus()
            yield stack
        finally:
            stack.stop()


def _send(stack: Stack) -> Load:
    servers = stack.settings().bootstrap_servers
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.streaming.open_loop_clicks",
        servers,
        str(RATE),
        str(SECONDS),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as generator:
        pending = []
        while generator.poll() is None:
            time.sleep(_SAMPLE_SECONDS)
            pending.append(_pending(stack))
            if len(pending) % 12 == 0:
                print(f"{len(pending) * _SAMPLE_SECONDS:.0f} s: {pending[-1]:.0f} records wait", flush=True)
        assert generator.stdout is not None
        sent = json.loads(generator.stdout.read())
    return Load(sent["events"], sent["slip_seconds"], pending)


def _close(servers: str) -> None:
    """Moves event time past the step that is still open."""
    producer = Producer(servers)
    send_heartbeats(producer, int(time.time() * 1000) + 2 * STEP_SECONDS * 1000)
    producer.close()


def _pending(stack: Stack) -> float:
    with urlopen(f"http://127.0.0.1:{stack.settings().flink_metrics_port}/metrics", timeout=30) as answer:
        found = _PENDING.findall(answer.read().decode())
    if not found:
        raise RuntimeError("the features job shows no metric pendingRecords")
    return sum(map(float, found))


def _answer(servers: str) -> Answer:
    """Reads every row; a key's day-to-date views grow, so that its last row of a day counts."""
    ages: list[float] = []
    views: dict[tuple[str, int], float] = {}
    for record in read_to_end(servers, topic_partitions([FEATURES], range(4))):
        row = json.loads(record.value)
        key = row["sku"], row["window_start_ms"]
        if row["values"]["views"] > views.get(key, 0):
            ages.append(record.timestamp / 1000 - row["window_end_ms"] / 1000 + STEP_SECONDS)
            views[key] = row["values"]["views"]
    return Answer(ages, sum(views.values()))
