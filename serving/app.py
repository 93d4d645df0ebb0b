"""`stockstream serve`: the composition root of forecasting and deciding on Ray Serve."""

import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
import typer
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.schema import LoggingConfig

from infra.errors import StockstreamError, exit_with_message
from infra.local.process_table import ProcessEntry, find_process
from infra.ray_directory import ray_directory
from infra.readiness import announce_ready, ready_file
from infra.settings import Settings, load_settings
from serving.allocator import Allocator
from serving.api.deployment import Api
from serving.evaluator import Evaluator
from serving.forecaster import Forecaster
from serving.partition_log import owned_partitions
from serving.planner import Planner

_OBJECT_STORE_BYTES = 100 * 1024 * 1024

SERVE_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray gives a proxy 5 s to start, then kills it: not enough on a busy machine.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    # From the proxy to the API by gRPC, no thread between: 0.41 of uvicorn's rate instead of 0.23.
    "RAY_SERVE_USE_GRPC_BY_DEFAULT": "1",
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
}

app = typer.Typer(add_completion=False, help=__doc__)


def start_ray(settings: Settings, directory: Path) -> None:
    """A Ray of this machine alone, on the loopback interface, sized for consumers that mostly wait."""
    ray.init(
        address="local",
        num_cpus=1 + settings.planner_replicas // 5,
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        _temp_dir=str(directory),
        _metrics_export_port=settings.metrics_port,
        logging_level=logging.WARNING,
    )


def descendants(pid: int) -> list[ProcessEntry]:
    """Every live process that this one has started, directly or not."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            entry = find_process(child)
            found += [entry, *descendants(child)] if entry else []
    return found


def shut_down() -> None:
    """Ends the application and Ray, its agents included: they linger for a minute after their node."""
    started = descendants(os.getpid())
    if ray.is_initialized():  # else this would start a Ray to look for an application
        serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()
    for process in started:
        if find_process(process.pid) == process:
            os.kill(process.pid, signal.SIGKILL)


def application(settings: Settings) -> Any:
    """The deployments; the API comes last because it reports on the others.

    Raises:
        StockstreamError: the planner's replicas do not divide the partitions.
    """
    owned_partitions(0, settings.planner_replicas, settings.partitions)
    forecaster: Any = Forecaster
    evaluator: Any = Evaluator
    planner: Any = Planner
    allocator: Any = Allocator
    api: Any = Api
    return api.bind(
        settings,
        forecaster.bind(settings),
        evaluator.bind(settings),
        planner.options(num_replicas=settings.planner_replicas).bind(settings),
        allocator.bind(settings),
    )


def on_cluster(arguments: dict[str, str]) -> Any:
    """What a Ray cluster that runs already deploys: the application with its environment's settings."""
    return application(load_settings())


@contextmanager
def served(settings: Settings, deployed: Any, stopping: threading.Event) -> Iterator[None]:
    """Runs an application on this machine; in the context every deployment is healthy, that is, caught up.

    Args:
        settings: where it listens and keeps its files.
        deployed: the application, bound.
        stopping: what SIGTERM and Ctrl-C set.
    """
    stop_on_signals(stopping)
    os.environ |= SERVE_ENVIRONMENT | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with ray_directory(settings.run_dir) as directory:
        try:
            start_ray(settings, directory)
            stop_on_signals(stopping)  # Ray has put its own handlers in place
            serve.start(
                http_options=HTTPOptions(host=settings.api_host, port=settings.api_port),
                logging_config=LoggingConfig(enable_access_log=False),
            )
            serve.run(deployed)
            yield
        finally:
            shut_down()


@app.command()
def main() -> None:
    """Serves until it is told to stop (SIGTERM or Ctrl-C)."""
    settings = load_settings()
    stopping = threading.Event()
    try:
        with served(settings, application(settings), stopping):
            announce_ready(settings.run_dir, "serving")
            stopping.wait()
            ready_file(settings.run_dir, "serving").unlink(missing_ok=True)
    except RuntimeError as error:
        raise StockstreamError(f"serving did not start: {str(error).splitlines()[0]}") from error


def stop_on_signals(stopping: threading.Event) -> None:
    """SIGTERM and Ctrl-C ask for an orderly end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())


if __name__ == "__main__":
    exit_with_message(app)
