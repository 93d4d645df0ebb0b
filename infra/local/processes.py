"""Processes of the local stack: started detached, found again by later commands, ended without leftovers."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from infra.errors import StockstreamError, WaitExpired
from infra.local.process_table import (
    ProcessEntry,
    find_process,
    is_marked,
    live_processes,
    memory_share_bytes,
)

_MARK = "STOCKSTREAM_COMPONENT"
_LOG_LINES_SHOWN = 15


def wait_until(condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Returns as soon as the condition holds; asks at growing intervals of at most 0.5 s.

    Raises:
        WaitExpired: it did not hold in time; the message names `what`.
    """
    retrying = Retrying(
        retry=retry_if_result(lambda holds: not holds),
        stop=stop_after_delay(timeout_seconds),
        wait=wait_exponential(multiplier=0.02, max=0.5),
    )
    try:
        retrying(condition)
    except RetryError:
        raise WaitExpired(f"{what}: not within {timeout_seconds:g} s") from None


@dataclass(frozen=True)
class Component:
    """A named process with its descendants, its pid file and its log, in the run directory.

    The component owns every process of the leader's session and every one that carries its mark in the
    environment, so that descendants which leave the process group are found too.
    """

    name: str
    run_dir: Path

    @property
    def log_file(self) -> Path:
        """What it writes to stderr: the log of its engine."""
        return self.run_dir / "logs" / f"{self.name}.log"

    @property
    def output_file(self) -> Path:
        """What it writes to stdout: progress and results, for people."""
        return self.run_dir / "logs" / f"{self.name}.out"

    @property
    def _pid_file(self) -> Path:
        return self.run_dir / "pids" / f"{self.name}.json"

    @property
    def _mark(self) -> str:
        return f"{_MARK}={self.run_dir.resolve()}/{self.name}"

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts the command in its own session; both its streams are appended to their files.

        Args:
            command: program and arguments.
            environment: variables added to those of this process.

        Raises:
            StockstreamError: it runs already, or the program is not there.
        """
        if self.is_running():
            raise StockstreamError(f"{self.name} runs already (pid {self.pid()}); stop it first")
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        name, _, value = self._mark.partition("=")
        try:
            pid = os.posix_spawnp(
                command[0],
                list(command),
                {**os.environ, **(environment or {}), name: value},
                file_actions=self._redirections(),
                setsid=True,
            )
        except OSError as error:
            raise StockstreamError(f"{self.name} cannot start {command[0]}: {error.strerror}") from None
        entry = find_process(pid)
        self._remember({"pid": pid, "start_ticks": entry.start_ticks if entry else 0})

    def _redirections(self) -> list[tuple[int, int, str, int, int]]:
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.output_file), append, 0o644),
            (os.POSIX_SPAWN_OPEN, 2, str(self.log_file), append, 0o644),
        ]

    def wait_until_ready(self, condition: Callable[[], bool], timeout_seconds: float) -> None:
        """Returns when the condition holds.

        Raises:
            StockstreamError: the process ended first, or time ran out; with its last log lines.
        """

        def ready_or_ended() -> bool:
            return condition() or not self.is_running()

        try:
            wait_until(ready_or_ended, timeout_seconds, f"{self.name} ready")
        except WaitExpired as error:
            raise WaitExpired(f"{error}; {self.last_log_lines()}") from None
        if not self.is_running():
            raise StockstreamError(f"{self.name} ended before it was ready; {self.last_log_lines()}")

    def pid(self) -> int | None:
        """Pid of the leader while it lives; a pid that was recycled for another process is not it."""
        entry = self._leader()
        return entry.pid if entry else None

    def is_running(self) -> bool:
        return self.pid() is not None

    def exit_status(self) -> int | None:
        """The leader's exit status, negative for a signal; None while it lives.

        Only the process that started the component learns it; for others it stays None.
        """
        known = self._known()
        if known is None:
            return None
        status = _collect(known["pid"])
        if status is not None:
            self._remember({**known, "exit_status": status})
        return known.get("exit_status", status)

    def members(self) -> list[int]:
        """Pids of every live process of the component, the leader included."""
        session = self._session()
        return [
            entry.pid
            for entry in live_processes()
            if entry.session == session or is_marked(entry.pid, self._mark)
        ]

    def memory_bytes(self) -> int:
        """Memory of all members together; a page that several share is split between them."""
        return sum(memory_share_bytes(pid) for pid in self.members())

    def _leader(self) -> ProcessEntry | None:
        known = self._known()
        if known is None:
            return None
        entry = find_process(known["pid"])
        return entry if entry and entry.start_ticks == known["start_ticks"] else None

    def _session(self) -> int | None:
        """The leader's session; it outlives the leader while any member lives."""
        known = self._known()
        if known is None or (find_process(known["pid"]) and not self._leader()):
            return None
        return int(known["pid"])

    def _remember(self, known: Mapping[str, int]) -> None:
        draft = self._pid_file.with_suffix(".draft")
        draft.write_text(json.dumps(known))
        draft.replace(self._pid_file)

    def _known(self) -> dict[str, int] | None:
        try:
            return dict(json.loads(self._pid_file.read_text()))
        except FileNotFoundError:
            return None

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """Ends all members: the leader is asked first, then the others, then whoever is left is killed.

        Raises:
            WaitExpired: a process outlived even the kill.
        """
        self._request_end([pid] if (pid := self.pid()) else [], self._leader_has_ended, timeout_seconds)
        self._request_end(self.members(), self._has_ended, min(timeout_seconds, 3.0))
        self.kill()
        self.exit_status()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kills all members at once, as a crash would.

        Raises:
            WaitExpired: a process outlived the kill.
        """
        _signal(self.members(), signal.SIGKILL)
        wait_until(self._has_ended, 10.0, f"end of {self.name}")

    def _request_end(self, pids: list[int], ended: Callable[[], bool], timeout_seconds: float) -> None:
        _signal(pids, signal.SIGTERM)
        with contextlib.suppress(WaitExpired):
            wait_until(ended, timeout_seconds, f"end of {self.name}")

    def _leader_has_ended(self) -> bool:
        return not self.is_running()

    def _has_ended(self) -> bool:
        return not self.members()

    def last_log_lines(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log_file.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return "\n  ".join([f"last lines of {self.log_file}:", *lines])


def started_components(run_dir: Path) -> list[Component]:
    """Every component that was started in this run directory and not stopped since."""
    return [Component(file.stem, run_dir) for file in sorted((run_dir / "pids").glob("*.json"))]


def _collect(pid: int) -> int | None:
    """Exit status of a child that has ended, taken from the kernel so that no zombie stays."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
