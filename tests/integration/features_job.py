"""The features job as a process of a test: started with options, killed, stopped, its restarts counted."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, wait_until

_METRIC = re.compile(r"^flink_jobmanager_job_numRestarts\{.*\} ([0-9.]+)$", re.MULTILINE)


@dataclass
class FeaturesJob:
    """The unbounded job of one run directory, with a checkpoint every second."""

    broker: Broker
    run_dir: Path
    metrics_port: int = 0

    @property
    def component(self) -> Component:
        return Component("features", self.run_dir)

    def start(self, *options: str) -> None:
        """Returns when the job runs; it goes on from the latest checkpoint if there is one."""
        self.metrics_port = free_ports(1)[0]
        settings = {
            "RUN_DIR": str(self.run_dir),
            "BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "CHECKPOINT_INTERVAL_SECONDS": "1",
            "FLINK_METRICS_PORT": str(self.metrics_port),
        }
        ready = self.run_dir / "ready" / "features"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "streaming.demand_features_job", *options]
        self.component.start(command, {f"STOCKSTREAM_{name}": value for name, value in settings.items()})
        self.component.wait_until_ready(ready.exists, 120)

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

    def restarts(self) -> int:
        """How often Flink itself has restarted the running job, by its own metric."""
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            found = _METRIC.search(answer.read().decode())
        assert found, "no metric numRestarts"
        return int(float(found[1]))
