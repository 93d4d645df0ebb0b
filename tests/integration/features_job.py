"""The features job as a process of a test: started with options, killed, stopped, its restarts counted."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, wait_until
from tests.e2e.open_ports import answers_anyone, listening_ports

_METRIC = re.compile(r"^flink_jobmanager_job_numRestarts\{.*\} ([0-9.]+)$", re.MULTILINE)
_COMMAND = [sys.executable, "-m", "streaming.demand_features_job"]


def run_to_end(
    component: Component, command: list[str], environment: dict[str, str], timeout_seconds: float
) -> None:
    """Runs a command until its exit status is known, which must be 0; a leader may look ended before."""
    component.start(command, environment)
    try:
        wait_until(lambda: component.exit_status() is not None, timeout_seconds, f"end of {component.name}")
        assert component.exit_status() == 0, component.last_log_lines()
    finally:
        component.stop()


@dataclass(frozen=True)
class PortOfJob:
    """Whether other machines reach a port, and whether Flink's REST there answers without its key."""

    is_open: bool
    answers_anyone: bool


@dataclass
class FeaturesJob:
    """The job of one run directory, with a checkpoint every second."""

    broker: Broker
    run_dir: Path
    metrics_port: int = 0

    @property
    def component(self) -> Component:
        return Component("features", self.run_dir)

    def start(self, *options: str) -> None:
        """Returns when the job runs; it goes on from the latest checkpoint if there is one."""
        ready = self.run_dir / "ready" / "features"
        ready.unlink(missing_ok=True)
        self.component.start([*_COMMAND, *options], self._environment({}))
        self.component.wait_until_ready(ready.exists, 120)

    def run_bounded(self, timeout_seconds: float, *options: str, **changed: str) -> None:
        """Runs the job, with changed settings, to the present ends of the topics; it must end well."""
        command = [*_COMMAND, "--bounded", *options]
        run_to_end(self.component, command, self._environment(changed), timeout_seconds)

    def _environment(self, changed: dict[str, str]) -> dict[str, str]:
        self.metrics_port = free_ports(1)[0]
        settings = {
            "RUN_DIR": str(self.run_dir),
            "BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "CHECKPOINT_INTERVAL_SECONDS": "1",
            "FLINK_METRICS_PORT": str(self.metrics_port),
            **changed,
        }
        return {f"STOCKSTREAM_{name}": value for name, value in settings.items()}

    def checkpoints(self) -> set[Path]:
        """The complete checkpoints and savepoints there are."""
        return set((self.run_dir / "checkpoints").glob("**/_metadata"))

    def wait_for_checkpoint(self) -> None:
        """Returns when a checkpoint has been completed that was not there before."""
        before = self.checkpoints()
        wait_until(lambda: bool(self.checkpoints() - before), 60, "a checkpoint")

    def kill(self) -> None:
        """SIGKILL of every process of the job."""
        self.component.kill()

    def stop(self) -> None:
        """Ends the job with a savepoint; it must end by itself and well."""
        savepoints = self._savepoints()
        self.component.stop(60)
        assert self._savepoints() - savepoints, self.component.last_log_lines()

    def _savepoints(self) -> set[Path]:
        return {path for path in self.checkpoints() if "savepoints" in path.parts}

    def ports(self) -> dict[int, PortOfJob]:
        """Every port that the running job listens on, but for its metrics."""
        found = listening_ports(self.component.members())
        assert found.pop(self.metrics_port) is False
        return {
            port: PortOfJob(is_open, answers_anyone(port, "/jobs/overview"))
            for port, is_open in found.items()
        }

    def restarts(self) -> int:
        """How often Flink itself has restarted the running job, by its own metric."""
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            found = _METRIC.search(answer.read().decode())
        assert found, "no metric numRestarts"
        return int(float(found[1]))
