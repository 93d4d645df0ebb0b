"""The slice with one kill -9 of the features job and one of a Planner: the same decisions as without."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.contracts.topics import FORECASTS
from infra.local.processes import Component, wait_until
from infra.local.stack import Stack
from tests.e2e.topic_log import decisions_of, final_features_of, forecasts_of, records_of
from tests.e2e.verbs import running_shop

pytestmark = pytest.mark.timeout(1200)


def replica_pids(stack: Stack, deployment: str) -> list[int]:
    members = Component("serving", stack.run_dir).members()
    title = re.compile(f"default[:#]{deployment}")
    return [pid for pid in members if title.search(Path(f"/proc/{pid}/cmdline").read_text())]


def test_killed_features_job_and_planner_leave_the_same_decisions(
    undisturbed: Stack, fresh_stack: Callable[[], Stack]
) -> None:
    stack = fresh_stack()
    settings = stack.settings()

    def days_forecast() -> int:
        return len(records_of(settings, FORECASTS)) // 100

    with running_shop(stack.run_dir) as shop:
        wait_until(lambda: days_forecast() >= 4, 120, "four days of forecasts")
        Component("features", stack.run_dir).kill()
        stack.start_features()
        wait_until(lambda: days_forecast() >= 9, 180, "nine days of forecasts")
        os.kill(replica_pids(stack, "Planner")[0], signal.SIGKILL)
        status = shop.wait(timeout=400)

    assert status == 0, (stack.run_dir / "shop.log").read_text()
    reference = undisturbed.settings()
    assert decisions_of(settings) == {id_: decision for id_, decision in decisions_of(reference).items()}
    assert final_features_of(settings).items() <= final_features_of(reference).items()
    assert forecasts_of(settings).keys() <= forecasts_of(reference).keys()
