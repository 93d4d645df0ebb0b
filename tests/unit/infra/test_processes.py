import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import StockstreamError, WaitExpired
from infra.local.process_table import find_process
from infra.local.processes import Component, wait_until

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("working on it", file=sys.stderr, flush=True)
print("up", flush=True)
time.sleep(99)
"""
WITH_A_CHILD_THAT_LEAVES = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"], start_new_session=True)
print("up", flush=True)
time.sleep(99)
"""


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Component]:
    component = Component("worker", tmp_path)
    yield component
    component.kill()


def start(component: Component, code: str) -> None:
    component.start([sys.executable, "-c", code])
    component.wait_until_ready(lambda: "up" in component.output_file.read_text(), 20)


def test_a_stopped_component_leaves_no_process(component: Component) -> None:
    start(component, WITH_A_CHILD_THAT_LEAVES)
    assert len(component.members()) == 2

    component.stop()

    assert component.members() == []
    assert not component.is_running()


def test_a_component_that_ignores_the_request_to_end_is_killed(component: Component) -> None:
    start(component, STUBBORN)

    component.stop(timeout_seconds=0.2)

    assert component.members() == []


def test_another_command_finds_the_component_by_its_name_and_folder(component: Component) -> None:
    start(component, "import time; print('up', flush=True); time.sleep(99)")

    assert Component(component.name, component.run_dir).pid() == component.pid()
    assert Component(component.name, component.run_dir / "other").pid() is None


def test_a_recycled_pid_is_not_taken_for_the_component(component: Component) -> None:
    pids = component.run_dir / "pids"
    pids.mkdir()
    (pids / "worker.json").write_text(f'{{"pid": {os.getpid()}, "start_ticks": 1}}')

    component.stop()

    assert find_process(os.getpid()) is not None


def test_members_are_found_after_their_leader_was_killed(component: Component) -> None:
    start(component, WITH_A_CHILD_THAT_LEAVES)
    leader = component.pid()
    assert leader is not None

    os.kill(leader, signal.SIGKILL)
    wait_until(lambda: not component.is_running(), 10, "end of the leader")

    assert len(component.members()) == 1
    component.stop()
    assert component.members() == []


def test_a_failed_start_shows_the_last_log_lines(component: Component) -> None:
    component.start([sys.executable, "-c", "raise SystemExit('the port is taken')"])

    with pytest.raises(StockstreamError, match=r"worker ended before it was ready(.|\n)*the port is taken"):
        component.wait_until_ready(lambda: False, 20)


def test_a_start_that_takes_too_long_shows_the_last_log_lines(component: Component) -> None:
    start(component, STUBBORN)

    with pytest.raises(WaitExpired, match=r"worker ready: not within 0.1 s(.|\n)*on it"):
        component.wait_until_ready(lambda: False, 0.1)


def test_a_running_component_is_not_started_twice(component: Component) -> None:
    start(component, STUBBORN)

    with pytest.raises(StockstreamError, match="worker runs already"):
        component.start([sys.executable, "-c", ""])


def test_a_missing_program_is_named(component: Component) -> None:
    with pytest.raises(StockstreamError, match="worker cannot start no-such-program: No such file"):
        component.start(["no-such-program"])


def test_a_wait_that_expires_names_what_it_waited_for() -> None:
    with pytest.raises(WaitExpired, match=r"the broker: not within 0.05 s"):
        wait_until(lambda: False, 0.05, "the broker")


@pytest.mark.parametrize(("code", "status"), [("", 0), ("raise SystemExit(3)", 3)])
def test_the_starter_learns_the_exit_status(component: Component, code: str, status: int) -> None:
    component.start([sys.executable, "-c", code])

    wait_until(lambda: not component.is_running(), 20, "end of the worker")

    assert component.exit_status() == status


def test_a_killed_component_reports_the_signal(component: Component) -> None:
    start(component, STUBBORN)

    component.kill()

    assert component.exit_status() == -signal.SIGKILL
