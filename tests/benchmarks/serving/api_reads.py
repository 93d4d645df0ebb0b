"""The HTTP API's reads with 100,000 SKUs loaded, by sixteen clients at once.

All data is simulated: four forecasts and one decision, copied under 100,000 names. The clients ask for what a
planner's console asks for; the application runs in a process of its own, without Ray.
"""

import asyncio
import multiprocessing
import os
import random
import resource
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import uvicorn

from infra.contracts.topics import CALENDARS, DECISIONS, FEATURES, FORECASTS, ITEMS, STOCK_LEVELS
from serving.api.access import Holders
from serving.api.application import build_api
from serving.board.board import Board
from serving.partition_log import Entry
from tests.benchmarks.figures import Figure, measured
from tests.unit.serving.api.small_api import TOKENS, refuse, tokens_file
from tests.unit.serving.records import LOCATION, calendar, final_row, forecast, item, level
from tests.unit.serving.test_allocator_stage import allocated, decisions

SKUS, CLIENTS, SECONDS, REPEATS = 100_000, 16, 15.0, 3
LOOPBACK = "127.0.0.1"
PAGES = (
    "/v1/skus?limit=50&offset={offset}&sort=-money_at_risk",
    "/v1/skus?limit=50&q={sku}",
    "/v1/exceptions?limit=50",
    "/v1/forecasts/{location}/{sku}",
    "/v1/skus/{location}/{sku}",
    "/v1/skus/{location}/{sku}/days",
    "/v1/decisions?sku={sku}&location={location}",
)


def filled_board() -> Board:
    """A board that knows every SKU."""
    board = Board()
    (decision,) = (each for sku, each in decisions(allocated()).items() if sku == "A")
    board.apply(Entry(CALENDARS, 0, 0, calendar()))
    patterns = [forecast("A", daily_mean=mean) for mean in (0.5, 2.0, 10.0, 40.0)]
    rows = [final_row("A", f"2011-09-{day}", 3.0) for day in (23, 24, 25)]
    for number in range(SKUS):
        named = {"sku": f"S{number:06d}"}
        messages = [
            (ITEMS, item(named["sku"])),
            (STOCK_LEVELS, level(named["sku"], number % 97)),
            *((FEATURES, row.model_copy(update=named)) for row in rows),
            (FORECASTS, patterns[number % 4].model_copy(update=named)),
            (DECISIONS, decision.model_copy(update=named | {"decision_id": f"d-{number}"})),
        ]
        for topic, message in messages:
            board.apply(Entry(topic, 0, number, message))
        if number % 5000 == 0:
            list(board.due(0.0))
    list(board.due(0.0))
    return board


def serve(port: int, folder: str, ready: Event, memory: Any) -> None:
    """The application alone, with all SKUs."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    http = build_api(filled_board(), Holders(tokens_file(Path(folder))), lambda: [], refuse)
    memory.value = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    server = uvicorn.Server(uvicorn.Config(http, host=LOOPBACK, port=port, log_level="warning"))
    ready.set()
    server.run()


@contextmanager
def served(memory: Any) -> Iterator[str]:
    """The address of the application, in a process that ends with the context."""
    context = multiprocessing.get_context("spawn")
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
        free.close()
        ready = context.Event()
        process = context.Process(target=serve, args=(port, folder, ready, memory), daemon=True)
        process.start()
        try:
            if not ready.wait(900):
                raise RuntimeError("the application was not ready within 900 s")
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()
            process.join(30)


async def ask(
    session: aiohttp.ClientSession, until: float, rng: random.Random, took: dict[str, list[float]]
) -> None:
    """One client: asks for one page after the other until the time is over."""
    while time.monotonic() < until:
        page = rng.choice(PAGES)
        number = rng.randrange(SKUS)
        path = page.format(sku=f"S{number:06d}", location=LOCATION, offset=rng.randrange(SKUS // 50) * 50)
        began = time.perf_counter()
        async with session.get(path) as response:
            await response.read()
            if response.status != 200:
                raise RuntimeError(f"{path}: {response.status} {await response.text()}")
        took[page].append(time.perf_counter() - began)


async def measure(address: str, seconds: float) -> dict[str, list[float]]:
    """Seconds per request of each page, asked for by all clients at once."""
    took: dict[str, list[float]] = {page: [] for page in PAGES}
    headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    async with aiohttp.ClientSession(address, headers=headers) as session:
        until = time.monotonic() + seconds
        await asyncio.gather(*(ask(session, until, random.Random(each), took) for each in range(CLIENTS)))
    return took


def figures() -> list[Figure]:
    """The 99th percentile over all pages, that of the slowest page, the rate, and memory per SKU."""
    memory = multiprocessing.get_context("spawn").Value("q", 0)
    with served(memory) as address:
        asyncio.run(_until_it_answers(address))
        runs = [asyncio.run(measure(address, SECONDS)) for _ in range(REPEATS)]
    everything = [[each for page in run.values() for each in page] for run in runs]
    slowest = [max(_p99(page) for page in run.values()) for run in runs]
    how = f"simulated; {SKUS:,} SKUs, {CLIENTS} clients, {SECONDS:g} s, without Ray, {os.cpu_count()} cores"
    return [
        measured(
            "API reads, p99", [_p99(run) for run in everything], "ms", how, "≤ 100", lambda ms: ms <= 100
        ),
        measured("API reads, p99 of the slowest page", slowest, "ms", how),
        measured("API reads", [len(run) / SECONDS for run in everything], "requests/s", how),
        measured(
            "API memory per SKU", [memory.value / SKUS / 1000], "kB", f"simulated; {SKUS:,} SKUs, 3 days each"
        ),
    ]


async def _until_it_answers(address: str) -> None:
    async with aiohttp.ClientSession(address) as session:
        for _ in range(300):
            try:
                async with session.get("/healthz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    raise RuntimeError("the application does not answer")


def _p99(seconds: list[float]) -> float:
    return float(np.quantile(seconds, 0.99)) * 1000
