"""Numbered stages with live progress, wall time and peak memory each; some run side by side."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from infra.errors import StockstreamError
from infra.local.processes import Component, wait_until

_SAMPLE_SECONDS = 2.0
_VERB_TIMEOUT_SECONDS = 3600.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """A step with a name; its action reports progress, line by line, to the function it is given."""

    name: str
    action: Callable[[Say], None]


@dataclass
class Timing:
    """What a stage took; memory is that of all watched components while it ran."""

    stage: str
    seconds: float
    peak_memory_bytes: int


class StageRunner:
    """Runs stages and keeps their timings.

    Args:
        total: how many stages there are to be.
        components: the processes whose memory counts, and which end when a stage fails.
        echo: takes each line of progress.
    """

    def __init__(self, total: int, components: Sequence[Component], echo: Say) -> None:
        self.timings: list[Timing] = []
        self._total = total
        self._components = components
        self._echo = echo
        self._lock = threading.Lock()

    def run(self, *stages: Stage) -> None:
        """Runs the stages side by side; returns when all are done.

        Raises:
            Exception: what the first failing stage raised; every component has been ended then.
        """
        with ThreadPoolExecutor(len(stages)) as pool:
            try:
                self._watch(dict(self._submit(pool, stage) for stage in stages))
            except BaseException:
                self.end_components()
                raise

    def end_components(self) -> None:
        """Stops every component, last first."""
        for component in reversed(self._components):
            component.stop()

    def _submit(self, pool: ThreadPoolExecutor, stage: Stage) -> tuple[Future[None], Timing]:
        timing = Timing(stage.name, 0.0, 0)
        self.timings.append(timing)
        return pool.submit(self._run_one, len(self.timings), stage, timing), timing

    def _run_one(self, number: int, stage: Stage, timing: Timing) -> None:
        began = time.monotonic()

        def say(line: str) -> None:
            with self._lock:
                self._echo(
                    f"[{number}/{self._total}] {stage.name:<9} {time.monotonic() - began:5.0f} s  {line}"
                )

        say("...")
        stage.action(say)
        timing.seconds = round(time.monotonic() - began, 1)
        say("done")

    def _watch(self, running: dict[Future[None], Timing]) -> None:
        while running:
            memory = sum(component.memory_bytes() for component in self._components)
            for timing in running.values():
                timing.peak_memory_bytes = max(timing.peak_memory_bytes, memory)
            done, _ = wait(running, timeout=_SAMPLE_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                future.result()


def run_module(component: Component, module: str, arguments: Sequence[str], say: Say) -> None:
    """Runs `python -m module` to its end and relays what it prints.

    Raises:
        StockstreamError: it failed; with its last log lines.
    """
    component.start([sys.executable, "-m", module, *arguments])
    lines = follow(component.output_file)

    def relay_until_ended() -> bool:
        # A leader may look ended while its threads are still being taken down; only its status is the end.
        ended = component.exit_status() is not None
        while (line := next(lines)) is not None:
            say(line)
        return ended

    wait_until(relay_until_ended, _VERB_TIMEOUT_SECONDS, f"end of {component.name}")
    if status := component.exit_status():
        raise StockstreamError(
            f"{component.name} failed with exit status {status}; {component.last_log_lines()}"
        )


def follow(file: Path) -> Iterator[str | None]:
    """Lines of a growing file as they are completed; None whenever there is no further one yet."""
    with file.open(encoding="utf-8", errors="replace") as growing:
        begun = ""
        while True:
            begun += growing.readline()
            if begun.endswith("\n"):
                yield begun.rstrip()
                begun = ""
            else:
                yield None
