"""What a planner's console asks the HTTP API for, by sixteen clients at once, and a board to ask about.

All data is simulated: four forecasts and one decision, copied under as many names as are asked for.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import aiohttp
import numpy as np
import uvicorn
from fastapi import FastAPI

from infra.contracts.topics import CALENDARS, DECISIONS, FEATURES, FORECASTS, ITEMS, STOCK_LEVELS
from serving.api.access import Holders
from serving.api.application import build_api
from serving.board.board import Board
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import TOKENS, refuse, tokens_file
from tests.unit.serving.records import LOCATION, calendar, final_row, forecast, item, level
from tests.unit.serving.test_allocator_stage import allocated, decisions

CLIENTS = 16
LOOPBACK = "127.0.0.1"
READY_WITHIN_SECONDS = 1800
READS = (
    "/v1/skus?limit=50&offset={offset}&sort=-money_at_risk",
    "/v1/skus?limit=50&q={sku}",
    "/v1/exceptions?limit=50",
    "/v1/forecasts/{location}/{sku}",
    "/v1/skus/{location}/{sku}",
    "/v1/skus/{location}/{sku}/days",
    "/v1/decisions?sku={sku}&location={location}",
)


def name_of(number: int) -> str:
    """The SKU of a number."""
    return f"S{number:06d}"


def filled_board(skus: int) -> Board:
    """A board that knows so many SKUs."""
    board = Board()
    (decision,) = (each for sku, each in decisions(allocated()).items() if sku == "A")
    board.apply(Entry(CALENDARS, 0, 0, calendar()))
    patterns = [forecast("A", daily_mean=mean) for mean in (0.5, 2.0, 10.0, 40.0)]
    rows = [final_row("A", f"2011-09-{day}", 3.0) for day in (23, 24, 25)]
    for number in range(skus):
        named = {"sku": name_of(number)}
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


def api_of(board: Board, folder: Path) -> FastAPI:
    """The application over a board, without Ray and Kafka; its tokens are in the folder."""
    return build_api(board, Holders(tokens_file(folder)), lambda: [], refuse)


@dataclass(frozen=True)
class Load:
    """Sixteen clients that ask an address for pages about so many SKUs."""

    address: str
    skus: int
    pages: Sequence[str] = READS

    async def run(self, seconds: float) -> dict[str, list[float]]:
        """Seconds per request of each page."""
        took: dict[str, list[float]] = {page: [] for page in self.pages}
        async with self._session() as session:
            until = time.monotonic() + seconds
            clients = (self._ask(session, until, random.Random(each), took) for each in range(CLIENTS))
            await asyncio.gather(*clients)
        return took

    def _session(self) -> aiohttp.ClientSession:
        headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
        return aiohttp.ClientSession(self.address, headers=headers)

    async def _ask(
        self, session: aiohttp.ClientSession, until: float, rng: random.Random, took: dict[str, list[float]]
    ) -> None:
        """One client: asks for one page after the other until the time is over."""
        while time.monotonic() < until:
            page, offset = rng.choice(self.pages), rng.randrange(-(-self.skus // 50)) * 50
            path = page.format(sku=name_of(rng.randrange(self.skus)), location=LOCATION, offset=offset)
            began = time.perf_counter()
            async with session.get(path) as response:
                await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{path}: {response.status} {await response.text()}")
            took[page].append(time.perf_counter() - began)

    async def wait_until_answered(self) -> None:
        """Returns once the address answers.

        Raises:
            RuntimeError: it does not within 30 s.
        """
        async with self._session() as session:
            for _ in range(300):
                try:
                    async with session.get("/healthz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.1)
        raise RuntimeError("the application does not answer")


def p99_ms(seconds: Sequence[float]) -> float:
    """The 99th percentile in milliseconds."""
    return float(np.quantile(seconds, 0.99)) * 1000


@contextmanager
def server_process(serve: Callable[..., None], *arguments: object) -> Iterator[None]:
    """Runs `serve(ready, *arguments)` in a process of its own; the context begins when it sets `ready`."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=serve, args=(ready, *arguments))
    process.start()
    try:
        until = time.monotonic() + READY_WITHIN_SECONDS
        while not ready.wait(1):
            if not process.is_alive() or time.monotonic() > until:
                raise RuntimeError(f"the application ended, or was not ready in {READY_WITHIN_SECONDS} s")
        yield
    finally:
        process.terminate()
        process.join(60)


def serve_alone(http: FastAPI, port: int, ready: Event) -> None:
    """Serves an application by uvicorn alone, until the process is told to stop."""
    server = uvicorn.Server(uvicorn.Config(http, host=LOOPBACK, port=port, log_level="warning"))
    ready.set()
    server.run()
