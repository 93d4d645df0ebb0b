"""What the images contain, without an image builder: installed by the script that their builds run.

Each component is started with the command lines of the rendered chart, at this machine's paths and ports.
"""

import json
import os
import secrets
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.contracts.topics import FEATURES, STOCK_LEVELS
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.kafka_security import PREFIX
from infra.local.broker import free_ports
from infra.local.processes import Component, wait_until
from infra.local.secured_broker import OPERATOR, SHOP
from infra.local.stack import Stack
from tests.e2e.verbs import FIRST_DAY, MAPPING
from tests.helm.chart import objects

ROOT = Path(__file__).parents[2]
IN_IMAGE = "/opt/stockstream"
LOOPBACK = "127.0.0.1"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder per component, as `/opt/stockstream` of its image."""
    folder = tmp_path_factory.mktemp("images")
    for component in ("features", "serving", "batch"):
        install = [str(ROOT / "infra" / "images" / "install.sh"), component, str(folder / component)]
        done = subprocess.run(install, capture_output=True, text=True, timeout=1200, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A secured broker with every topic; whatever else a test starts in its run directory ends with it."""
    stack = Stack(tmp_path)
    try:
        stack.start_broker(secure=True)
        yield stack
    finally:
        stack.stop()


def rendered(kind: str) -> list[dict[str, Any]]:
    return [each for each in objects() if each["kind"] == kind]


def environment(stack: Stack, image: Path, user: str) -> dict[str, str]:
    """What the chart's pods are told, at this machine's paths and addresses."""
    (settings,) = (
        each["data"] for each in rendered("ConfigMap") if each["metadata"]["name"].endswith("-settings")
    )
    own = {
        "STOCKSTREAM_RUN_DIR": str(stack.run_dir),
        "STOCKSTREAM_BOOTSTRAP_SERVERS": stack.settings().bootstrap_servers,
        "PATH": f"{image}/bin:/usr/bin:/bin",
        "HOME": str(stack.run_dir),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    told: dict[str, str] = settings | own | stack.security.environment(user)
    return told


def run_in(folder: Path, *command: str) -> list[str]:
    """A command with a working directory in which no source of the checkout can be found."""
    return ["env", f"--chdir={folder}", *command]


def test_every_image_has_its_component_and_no_build_tool(images: Path) -> None:
    for component, module, absent in (
        ("features", "pyflink", "torch"),
        ("serving", "ray.serve", "pyspark"),
        ("batch", "pyspark", "pyflink"),
    ):
        python = str(images / component / "bin" / "python")
        importable = (
            "import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in sys.argv[1:]))"
        )
        for modules, expected in (
            ([module, "infra", "streaming"], 0),
            ([absent], 1),
            (["pip"], 1),
            (["uv"], 1),
        ):
            done = subprocess.run(run_in(images, python, "-c", importable, *modules), check=False)
            assert done.returncode == expected, (component, modules)


def test_flink_runs_the_features_job_in_application_mode_as_the_chart_says(
    images: Path, stack: Stack
) -> None:
    (deployment,) = rendered("FlinkDeployment")
    spec, image = deployment["spec"], images / "features"
    flink, api = image / "flink", free_ports(1)[0]
    conf = _flink_conf(stack, flink, spec, api)
    told = environment(stack, image, "features") | {"FLINK_HOME": str(flink), "FLINK_CONF_DIR": str(conf)}
    told |= {"FLINK_LOG_DIR": str(stack.run_dir / "flink-log"), "JAVA_HOME": os.environ.get("JAVA_HOME", "")}
    arguments = [each.replace(IN_IMAGE, str(image)) for each in spec["job"]["args"]]
    entrypoint = str(image / "src" / "infra" / "images" / "entrypoint.sh")
    job = [entrypoint, "standalone-job", "--job-classname", spec["job"]["entryClass"], *arguments]
    jobmanager, taskmanager = (Component(name, stack.run_dir) for name in ("jobmanager", "taskmanager"))

    jobmanager.start(run_in(stack.run_dir, *job), told)
    taskmanager.start(run_in(stack.run_dir, entrypoint, "taskmanager"), told)
    jobmanager.wait_until_ready(partial(_is_running, api), 240)
    _publish_a_day(stack)

    wait_until(lambda: _count_features(stack) > 0, 120, "features from the cluster")
    written = [path for path in stack.run_dir.rglob("*") if path.is_file() and path.parent.name != "secure"]
    password = told[f"{PREFIX}PASSWORD"].encode()
    assert [path for path in written if password in path.read_bytes()] == []


def _flink_conf(stack: Stack, flink: Path, spec: dict[str, Any], api: int) -> Path:
    """Flink's configuration folder as the operator makes it from the resource."""
    conf = stack.run_dir / "flink-conf"
    shutil.copytree(flink / "conf", conf)
    options = {
        name: value
        for name, value in spec["flinkConfiguration"].items()
        if not name.startswith("high-availability")
    }
    hosts = ("jobmanager.rpc.address", "jobmanager.bind-host", "taskmanager.host", "taskmanager.bind-host")
    options |= dict.fromkeys((*hosts, "rest.bind-address"), LOOPBACK)
    rpc, metrics = free_ports(2)
    options |= {
        "rest.port": api,
        "jobmanager.rpc.port": rpc,
        "metrics.reporter.prom.port": f"{metrics}-{metrics + 9}",
    }
    options |= {
        f"{role}.memory.process.size": spec[key]["resource"]["memory"] for role, key in _ROLES.items()
    }
    options |= {"parallelism.default": spec["job"]["parallelism"]}
    text = yaml.safe_dump(options).replace("/var/lib/stockstream", str(stack.run_dir))
    defaults = yaml.safe_load((flink / "conf" / "config.yaml").read_text())
    (conf / "config.yaml").write_text(text + yaml.safe_dump({"env": defaults["env"]}))
    (conf / "log4j-console.properties").write_text(spec["logConfiguration"]["log4j-console.properties"])
    return conf


_ROLES = {"jobmanager": "jobManager", "taskmanager": "taskManager"}


def _get(url: str, token: str = "") -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def _is_running(api: int) -> bool:
    try:
        return [job["state"] for job in _get(f"http://{LOOPBACK}:{api}/jobs/overview")["jobs"]] == ["RUNNING"]
    except OSError:
        return False


def _publish_a_day(stack: Stack) -> None:
    """Heartbeats and a level of one SKU: enough for a row of features."""
    with pytest.MonkeyPatch.context() as shop:
        for name, value in stack.security.environment(SHOP).items():
            shop.setenv(name, value)
        producer = Producer(stack.settings().bootstrap_servers)
        start_ms = 1_316_386_800_000
        level = {
            "version": 1,
            "event_id": "l-1",
            "event_time_ms": start_ms,
            "sku": "A",
            "location": "gb-main",
        }
        level |= {"event_type": "snapshot", "on_hand": 5}
        producer.send_bytes(STOCK_LEVELS, b"A|gb-main", json.dumps(level).encode())
        for topic in ("shop.clickstream.v1", STOCK_LEVELS, "catalog.items.v1"):
            producer.send_heartbeat(topic, start_ms + 2 * 86_400_000)
        producer.flush()
        producer.close()


def _count_features(stack: Stack) -> int:
    with pytest.MonkeyPatch.context() as operator:
        for name, value in stack.security.environment(OPERATOR).items():
            operator.setenv(name, value)
        settings = stack.settings()
        partitions = topic_partitions([FEATURES], range(settings.partitions))
        return sum(1 for _ in read_to_end(settings.bootstrap_servers, partitions))


def test_ray_serves_the_application_as_the_chart_says(images: Path, stack: Stack) -> None:
    (service,) = rendered("RayService")
    cluster, image = service["spec"]["rayClusterConfig"], images / "serving"
    ports = dict(
        zip(("gcs", "dashboard", "client", "head_metrics", "metrics", "http"), free_ports(6), strict=True)
    )
    token = secrets.token_hex(32)
    told = environment(stack, image, "serving") | {
        "RAY_AUTH_MODE": cluster["authOptions"]["mode"],
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    (worker_group,) = cluster["workerGroupSpecs"]
    head_options = cluster["headGroupSpec"]["rayStartParams"] | {
        "dashboard-host": LOOPBACK,
        "metrics-export-port": ports["head_metrics"],
        "port": ports["gcs"],
        "dashboard-port": ports["dashboard"],
        "ray-client-server-port": ports["client"],
    }
    worker_options = worker_group["rayStartParams"] | {"metrics-export-port": ports["metrics"], "num-cpus": 2}
    worker_options |= {"address": f"{LOOPBACK}:{ports['gcs']}"}
    dashboard = f"http://{LOOPBACK}:{ports['dashboard']}"

    _ray_start(stack, "ray-head", told, "--head", f"--temp-dir=/tmp/ray-{ports['gcs']}", **head_options)
    wait_until(partial(_answers, f"{dashboard}/api/version", token), 90, "Ray's head")
    _ray_start(stack, "ray-worker", told, **worker_options)
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    config["http_options"] |= {"host": LOOPBACK, "port": ports["http"]}
    _put(f"{dashboard}/api/serve/applications/", config, token)

    wait_until(partial(_answers, f"http://{LOOPBACK}:{ports['http']}/readyz", ""), 300, "the application")
    with pytest.raises(OSError, match=r"401|403"):
        _put(f"{dashboard}/api/serve/applications/", config, "wrong")
    shutil.rmtree(f"/tmp/ray-{ports['gcs']}", ignore_errors=True)


def _ray_start(stack: Stack, name: str, told: dict[str, str], *flags: str, **options: Any) -> None:
    """`ray start` as KubeRay composes it from `rayStartParams`."""
    given = [f"--{option}={value}" for option, value in options.items()]
    command = ["ray", "start", "--block", f"--node-ip-address={LOOPBACK}", *flags, *given]
    Component(name, stack.run_dir).start(run_in(stack.run_dir, *command), told)


def _answers(url: str, token: str) -> bool:
    try:
        return bool(_get(url, token))
    except OSError:
        return False


def _put(url: str, body: Any, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")
    urllib.request.urlopen(request, timeout=120).close()


def test_every_cron_job_does_its_work_as_the_chart_says(images: Path, stack: Stack) -> None:
    image = images / "batch"
    told = environment(stack, image, "batch")
    _run(image, stack, told, "import", "--mapping", str(MAPPING), "--until", FIRST_DAY)
    jobs = {each["metadata"]["name"].removeprefix("shop-stockstream-"): each for each in rendered("CronJob")}
    arguments = {name: _container(job)["args"] for name, job in jobs.items()}

    assert {"archive", "history", "train", "retrain"} <= set(arguments)
    for name in ("archive", "history", "train", "retrain"):
        assert _container(jobs[name])["command"] == ["stockstream"]
        _run(
            image,
            stack,
            told,
            *(each.replace("/var/lib/stockstream", str(stack.run_dir)) for each in arguments[name]),
        )

    assert any((stack.run_dir / "models").iterdir())
    (beat,) = (each for each in rendered("Deployment") if each["metadata"]["name"].endswith("heartbeat"))
    told = environment(stack, image, "heartbeat")
    _run(image, stack, told, *_container(beat)["args"], "--once")


def _container(found: dict[str, Any]) -> dict[str, Any]:
    spec = found["spec"]
    pod = (
        spec["jobTemplate"]["spec"]["template"]["spec"]
        if found["kind"] == "CronJob"
        else spec["template"]["spec"]
    )
    container: dict[str, Any] = pod["containers"][0]
    return container


def _run(image: Path, stack: Stack, told: dict[str, str], *arguments: str) -> None:
    command = run_in(stack.run_dir, str(image / "bin" / "stockstream"), *arguments)
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
