"""The HTTP API's reads with 100,000 SKUs loaded, by sixteen clients at once, while stock levels come in.

All data is simulated. The application runs in a process of its own, without Ray; as under Ray Serve, what was
loaded before the first request is frozen for the garbage collector.
"""

import asyncio
import gc
import os
import resource
import tempfile
import threading
import time
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from infra.contracts.topics import STOCK_LEVELS
from infra.local.broker import free_ports
from serving.board.board import Board
from serving.partition_log import Entry
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.serving.read_load import (
    CLIENTS,
    LOOPBACK,
    Load,
    api_of,
    filled_board,
    name_of,
    p99_ms,
    serve_alone,
    server_process,
)
from tests.unit.serving.records import level

SKUS, SECONDS, REPEATS = 100_000, 15.0, 3
LEVELS_PER_SECOND = 100


def serve(ready: Event, port: int, folder: str, memory: Any) -> None:
    """The application alone, with all SKUs."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    board = filled_board(SKUS)
    http = api_of(board, Path(folder))
    memory.value = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    gc.collect()
    gc.freeze()
    threading.Thread(target=keep_changing, args=(board,), daemon=True).start()
    serve_alone(http, port, ready)


def keep_changing(board: Board) -> None:
    """Stock levels of one SKU after the other, ten times a second some, so that no order of rows stays."""
    for number in count():
        board.apply(Entry(STOCK_LEVELS, 0, number, level(name_of(number % SKUS), number % 97)))
        if number % (LEVELS_PER_SECOND // 10) == 0:
            list(board.due(0.0))
            time.sleep(0.1)


def figures() -> list[Figure]:
    """The 99th percentile over all pages, that of the slowest page, the rate, and memory per SKU."""
    memory = get_context("spawn").Value("q", 0)
    (port,) = free_ports(1)
    load = Load(f"http://{LOOPBACK}:{port}", SKUS)
    with tempfile.TemporaryDirectory() as folder, server_process(serve, port, folder, memory):
        asyncio.run(load.wait_until_answered())
        runs = [asyncio.run(load.run(SECONDS)) for _ in range(REPEATS)]
    everything = [[each for page in run.values() for each in page] for run in runs]
    slowest = [max(p99_ms(page) for page in run.values()) for run in runs]
    how = (
        f"simulated; {SKUS:,} SKUs, {CLIENTS} clients, {SECONDS:g} s, {LEVELS_PER_SECOND} stock levels/s,"
        f" without Ray, {os.cpu_count()} cores"
    )
    return [
        measured(
            "API reads, p99", [p99_ms(run) for run in everything], "ms", how, "≤ 100", lambda ms: ms <= 100
        ),
        measured("API reads, p99 of the slowest page", slowest, "ms", how),
        measured("API reads", [len(run) / SECONDS for run in everything], "requests/s", how),
        measured(
            "API memory per SKU", [memory.value / SKUS / 1000], "kB", f"simulated; {SKUS:,} SKUs, 3 days each"
        ),
    ]
