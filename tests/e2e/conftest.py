"""One short slice of the real data through all real engines, once undisturbed, for every end-to-end test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.prometheus_server import PrometheusServer
from infra.local.stack import Stack
from tests.e2e.verbs import DAYS, make_history, patience, run_verb


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    with patience():
        yield


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with the demand panel and a promoted model."""
    run_dir = tmp_path_factory.mktemp("history")
    make_history(run_dir)
    return run_dir


@pytest.fixture(scope="session")
def fresh_stack(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Stack]]:
    """Makes running stacks that know the history; all end with the session."""
    stacks: list[Stack] = []

    def start() -> Stack:
        run_dir = tmp_path_factory.mktemp("stack")
        for folder in ("panel", "models"):
            shutil.copytree(history / folder, run_dir / folder)
        stack = Stack(run_dir)
        stacks.append(stack)
        stack.start_broker()
        stack.start_features()
        stack.start_serving()
        if PrometheusServer.is_installed():
            stack.start_prometheus()
        return stack

    try:
        yield start
    finally:
        for stack in stacks:
            stack.stop()


@pytest.fixture(scope="session")
def undisturbed(fresh_stack: Callable[[], Stack]) -> Stack:
    """A stack through which the slice has run; it still runs."""
    stack = fresh_stack()
    run_verb(stack.run_dir, "shop", "--days", str(DAYS))
    return stack
