"""A head and a worker started by `ray start`, as KubeRay composes it from a rendered Ray cluster."""

import json
import secrets
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.broker import free_ports
from infra.local.processes import Component, wait_until
from tests.verify.image_folders import run_in

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RayNodes:
    """Address of the dashboard of a running Ray cluster and the token that it asks for."""

    dashboard: str
    token: str = field(default_factory=partial(secrets.token_hex, 32))

    def send(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """What the dashboard answers, parsed; nothing if its answer has no body.

        Raises:
            OSError: it does not answer, or refuses.
        """
        headers = {
            "Authorization": f"Bearer {self.token if token is None else token}",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.dashboard}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    def answers(self) -> bool:
        """Whether the head's dashboard is there."""
        try:
            return bool(self.send("GET", "/api/version"))
        except OSError:
            return False


@contextmanager
def running(run_dir: Path, cluster: dict[str, Any], told: dict[str, str]) -> Iterator[RayNodes]:
    """The head and one worker of a Ray cluster's resource."""
    gcs, dashboard, client, head_metrics, metrics = free_ports(5)
    (worker_group,) = cluster["workerGroupSpecs"]
    head = cluster["headGroupSpec"]["rayStartParams"] | {
        "dashboard-host": LOOPBACK,
        "metrics-export-port": head_metrics,
        "port": gcs,
        "dashboard-port": dashboard,
        "ray-client-server-port": client,
    }
    worker = worker_group["rayStartParams"] | {"metrics-export-port": metrics, "num-cpus": 2}
    nodes = RayNodes(f"http://{LOOPBACK}:{dashboard}")
    told = told | {
        "RAY_AUTH_MODE": cluster["authOptions"]["mode"],
        "RAY_AUTH_TOKEN": nodes.token,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    temporary = Path(f"/tmp/ray-{gcs}")
    processes = [Component(name, run_dir) for name in ("ray-worker", "ray-head")]
    try:
        processes[1].start(_ray_start(run_dir, "--head", f"--temp-dir={temporary}", **head), told)
        wait_until(nodes.answers, 90, "Ray's head")
        processes[0].start(_ray_start(run_dir, **worker, address=f"{LOOPBACK}:{gcs}"), told)
        yield nodes
    finally:
        for process in processes:
            process.stop()
        shutil.rmtree(temporary, ignore_errors=True)


def _ray_start(run_dir: Path, *flags: str, **options: Any) -> list[str]:
    given = [f"--{option}={value}" for option, value in options.items()]
    return run_in(run_dir, "ray", "start", "--block", f"--node-ip-address={LOOPBACK}", *flags, *given)
