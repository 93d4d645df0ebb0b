"""The command lines of the chart's batch jobs, run as written from the image's folder on a secured broker."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.processes import wait_until
from infra.local.stack import Stack
from tests.e2e.verbs import FIRST_DAY, MAPPING
from tests.helm.chart import PRODUCTION, pods
from tests.verify.image_folders import environment, installed, rendered, run_in, secured_broker
from tests.verify.ray_nodes import RayNodes, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("images"), "batch") as folder:
        yield folder / "batch"


@pytest.fixture(scope="module")
def stack(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A secured broker with the history on it."""
    with secured_broker(tmp_path_factory.mktemp("stack")) as stack:
        run(image, stack, "batch", "import", "--mapping", str(MAPPING), "--until", FIRST_DAY)
        yield stack


def run(image: Path, stack: Stack, user: str, *arguments: str) -> None:
    command = run_in(stack.run_dir, str(image / "bin" / "stockstream"), *arguments)
    told = environment(stack, image, user)
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def arguments_of(container: dict[str, Any], stack: Stack) -> list[str]:
    return [each.replace("/var/lib/stockstream", str(stack.run_dir)) for each in container["args"]]


def test_every_cron_job_does_its_work_as_the_chart_says(image: Path, stack: Stack) -> None:
    templates = rendered("CronJob") + rendered("CronJob", PRODUCTION)
    containers = [pod["containers"][0] for pod in pods(templates)]
    jobs = {container["name"]: container for container in containers}

    assert set(jobs) == {"archive", "history", "train", "retrain", "backtest"}
    for name in ("archive", "history", "train", "retrain", "backtest"):
        assert jobs[name]["command"] == ["stockstream"]
        run(image, stack, "batch", *arguments_of(jobs[name], stack))

    assert any((stack.run_dir / "models").iterdir())
    report = json.loads((stack.run_dir / "backtest" / "report.json").read_text())
    assert len(report["models"]) == 3


def test_the_heartbeat_beats_as_the_chart_says(image: Path, stack: Stack) -> None:
    (beat,) = (each for each in rendered("Deployment") if each["metadata"]["name"].endswith("heartbeat"))
    (container,) = beat["spec"]["template"]["spec"]["containers"]
    run(image, stack, "heartbeat", *arguments_of(container, stack), "--once")


def test_a_ray_cluster_of_its_own_trains_as_the_chart_says(image: Path, stack: Stack) -> None:
    run(image, stack, "batch", "archive")
    run(image, stack, "batch", "history")
    shutil.rmtree(stack.run_dir / "models", ignore_errors=True)
    (job,) = (each["spec"]["jobTemplate"] for each in rendered("RayCronJob", PRODUCTION))
    assert job["submissionMode"] == "HTTPMode"
    told = environment(stack, image, "batch")

    with running(stack.run_dir, job["rayClusterSpec"], told) as nodes:
        submitted = nodes.send("POST", "/api/jobs/", {"entrypoint": job["entrypoint"]})["submission_id"]
        wait_until(lambda: _state(nodes, submitted) in ("SUCCEEDED", "FAILED"), 900, "the training job")
        log = nodes.send("GET", f"/api/jobs/{submitted}/logs")["logs"]
        assert _state(nodes, submitted) == "SUCCEEDED", log[-3000:]

    assert any((stack.run_dir / "models").iterdir())


def _state(nodes: RayNodes, submitted: str) -> str:
    return str(nodes.send("GET", f"/api/jobs/{submitted}")["status"])
