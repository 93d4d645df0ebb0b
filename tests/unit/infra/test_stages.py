import sys
import threading
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from infra.errors import StockstreamError
from infra.local.processes import Component, wait_until
from infra.local.stages import Stage, StageRunner, follow, run_module

HOLD_200_MIB = "import time; held = b'x' * 200 * 2**20; time.sleep(99)"


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Component]:
    component = Component("worker", tmp_path)
    yield component
    component.kill()


def runner(lines: list[str], *components: Component) -> StageRunner:
    return StageRunner(2, components, lines.append)


def test_every_line_says_which_stage_of_how_many_it_belongs_to() -> None:
    lines: list[str] = []
    stages = runner(lines)

    stages.run(Stage("first", lambda say: say("half way")))
    stages.run(Stage("second", lambda say: None))

    assert [line.split()[:2] + line.split()[4:] for line in lines] == [
        ["[1/2]", "first", "..."],
        ["[1/2]", "first", "half", "way"],
        ["[1/2]", "first", "done"],
        ["[2/2]", "second", "..."],
        ["[2/2]", "second", "done"],
    ]
    assert [timing.stage for timing in stages.timings] == ["first", "second"]


def test_stages_side_by_side_run_at_the_same_time() -> None:
    def meet(say: object) -> None:
        meeting.wait()

    meeting = threading.Barrier(2, timeout=20)

    runner([]).run(Stage("one", meet), Stage("two", meet))

    assert not meeting.broken


def test_a_failing_stage_ends_the_components_of_the_others(component: Component) -> None:
    def wait_for_end(say: object) -> None:
        component.start([sys.executable, "-c", "import time; time.sleep(99)"])
        started.set()
        wait_until(lambda: not component.is_running(), 60, "end of the worker")

    def fail(say: object) -> None:
        started.wait(20)
        raise StockstreamError("the disk is full")

    started = threading.Event()
    with pytest.raises(StockstreamError, match="the disk is full"):
        runner([], component).run(Stage("waits", wait_for_end), Stage("fails", fail))

    assert component.members() == []


def test_the_peak_memory_of_a_stage_is_that_of_its_components(component: Component) -> None:
    def allocate(say: object) -> None:
        component.start([sys.executable, "-c", HOLD_200_MIB])
        wait_until(lambda: stages.timings[0].peak_memory_bytes > 200 * 2**20, 20, "a sample")

    stages = runner([], component)
    stages.run(Stage("large", allocate))

    assert 200 * 2**20 < stages.timings[0].peak_memory_bytes < 260 * 2**20


def test_what_a_module_prints_is_relayed_line_by_line(component: Component) -> None:
    lines: list[str] = []

    run_module(component, "this", [], lines.append)

    assert lines[0] == "The Zen of Python, by Tim Peters"
    assert lines[-1].startswith("Namespaces are one honking great idea")


def test_a_module_that_fails_shows_its_last_log_lines(component: Component) -> None:
    with pytest.raises(
        StockstreamError,
        match=r"worker failed with exit status 1; last lines of (.|\n)*No module named no_such",
    ):
        run_module(component, "no_such_module", [], lambda line: None)


def test_a_line_is_followed_only_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "out"
    with file.open("w") as growing:
        lines = follow(file)
        growing.write("one\ntw")
        growing.flush()
        first = list(takewhile(lambda line: line is not None, lines))
        growing.write("o\n")
        growing.flush()
        second = list(takewhile(lambda line: line is not None, lines))

    assert (first, second) == (["one"], ["two"])
