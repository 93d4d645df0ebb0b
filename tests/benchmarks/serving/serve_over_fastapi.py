"""What Ray Serve costs: the same application's reads per second behind it, over those by uvicorn alone.

Serve runs as `stockstream serve` starts it. The same sixteen clients ask the two in turns. All data is
simulated.
"""

import asyncio
import os
import tempfile
import threading
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from ray import serve

from infra.local.broker import free_ports
from infra.ray_directory import LOOPBACK_RAY
from infra.settings import Settings
from serving.api.deployment import MAX_ONGOING_REQUESTS
from serving.app import served
from serving.replica import REPLICA_OPTIONS
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.serving.read_load import (
    CLIENTS,
    LOOPBACK,
    READS,
    Load,
    api_of,
    filled_board,
    serve_alone,
    server_process,
)

SKUS, SECONDS, REPEATS = 2000, 10.0, 5


@serve.deployment(num_replicas=1, max_ongoing_requests=MAX_ONGOING_REQUESTS, **REPLICA_OPTIONS)
@serve.ingress()
class Reads:
    """The API deployment over a board that follows nothing."""

    def __init__(self, folder: str) -> None:
        self._folder, self._board = folder, filled_board(SKUS)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Called by Serve, once the board is filled."""
        return api_of(self._board, Path(self._folder))


def behind_serve(ready: Event, port: int, folder: str) -> None:
    """The application behind Ray Serve, until the process is told to stop."""
    settings = Settings(run_dir=Path(folder), api_port=port, metrics_port=free_ports(1)[0])
    stopping, reads = threading.Event(), cast(Any, Reads)
    with served(settings, reads.bind(folder), stopping):
        ready.set()
        stopping.wait()


def alone(ready: Event, port: int, folder: str) -> None:
    """The application by uvicorn alone."""
    serve_alone(api_of(filled_board(SKUS), Path(folder)), port, ready)


def figures() -> list[Figure]:
    """The ratio on the console's reads, and on the cheapest request there is."""
    os.environ |= LOOPBACK_RAY
    ports = free_ports(2)
    with (
        tempfile.TemporaryDirectory() as folder,
        server_process(behind_serve, ports[0], folder),
        server_process(alone, ports[1], folder),
    ):
        reads, nothing = ([ratio(ports, pages) for _ in range(REPEATS)] for pages in (READS, ("/healthz",)))
    how = f"simulated; {SKUS:,} SKUs, {CLIENTS} clients, {SECONDS:g} s each, in turns, {os.cpu_count()} cores"
    return [
        measured("Serve / FastAPI, console's reads", reads, "×", how, "≥ 0.35", lambda share: share >= 0.35),
        measured("Serve / FastAPI, /healthz", nothing, "×", how),
    ]


def ratio(ports: list[int], pages: tuple[str, ...]) -> float:
    """Requests per second behind Serve over those without it."""
    behind, bare = (_rate(Load(f"http://{LOOPBACK}:{port}", SKUS, pages)) for port in ports)
    return behind / bare


def _rate(load: Load) -> float:
    return sum(map(len, asyncio.run(load.run(SECONDS)).values())) / SECONDS
