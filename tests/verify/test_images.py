"""What the images contain, without an image builder: installed by the script that their builds run.

Each component is started with the command lines of the rendered chart, at this machine's paths and ports.
"""

import json
import os
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
from tests.verify.image_folders import IN_IMAGE, environment, installed, rendered, run_in, secured_broker
from tests.verify.ray_nodes import LOOPBACK, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("images"), "features", "serving", "batch") as folder:
        yield folder


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with secured_broker(tmp_path) as stack:
        yield stack


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


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
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
    told, (http,) = environment(stack, images / "serving", "serving"), free_ports(1)
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    config["http_options"] |= {"host": LOOPBACK, "port": http}

    with running(stack.run_dir, service["spec"]["rayClusterConfig"], told) as nodes:
        nodes.send("PUT", "/api/serve/applications/", config)
        wait_until(partial(_is_ready, http), 300, "the application")
        with pytest.raises(OSError, match=r"401|403"):
            nodes.send("PUT", "/api/serve/applications/", config, token="wrong")


def _is_ready(http: int) -> bool:
    try:
        return bool(_get(f"http://{LOOPBACK}:{http}/readyz"))
    except OSError:
        return False
