import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"
HELM = ROOT / ".run" / "helm" / "bin" / "helm"
TOOLS = ROOT / ".run" / "chart-tools"
KINDS = (
    "kafka.strimzi.io/v1/Kafka",
    "flink.apache.org/v1beta1/FlinkDeployment",
    "ray.io/v1/RayService",
    "ray.io/v1/RayCronJob",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
)
SMALL, EXTERNAL, PRODUCTION = (
    CHART / "ci" / f"{name}-values.yaml" for name in ("small", "external-kafka", "production")
)
ALL_VALUES = sorted((CHART / "ci").glob("*-values.yaml"))


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HELM), *arguments], capture_output=True, text=True, check=False)


def template(
    *sets: str, values: Path = SMALL, kinds: tuple[str, ...] = KINDS
) -> subprocess.CompletedProcess[str]:
    known = [argument for kind in kinds for argument in ("--api-versions", kind)]
    given = [argument for each in sets for argument in ("--set", each)]
    return helm("template", "shop", str(CHART), "--values", str(values), *known, *given)


@cache
def rendered(*sets: str, values: Path = SMALL) -> str:
    done = template(*sets, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(*sets: str, values: Path = SMALL) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(rendered(*sets, values=values)) if each]


def pods(found: Any) -> list[dict[str, Any]]:
    """Every pod's spec in what was rendered, however deep it lies."""
    if isinstance(found, list):
        return [pod for each in found for pod in pods(each)]
    if not isinstance(found, dict):
        return []
    own = [found] if "containers" in found and "securityContext" in found else []
    return own + [pod for each in found.values() for pod in pods(each)]


def kubeconform(manifests: str) -> dict[str, Any]:
    """What kubeconform says of manifests: `resources` that are not valid, and a `summary` of counts."""
    schemas = TOOLS / "crds" / "schemas"
    done = subprocess.run(
        [
            *(str(TOOLS / "lint" / "bin" / "kubeconform"), "-strict", "-summary", "-output", "json"),
            *("-kubernetes-version", "1.36.0"),
            *("-schema-location", f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"),
            "-schema-location",
            f"{schemas}/{{{{.Group}}}}_{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
        ],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def kube_score(manifests: str) -> list[dict[str, Any]]:
    """What kube-score says of each object: `object_name` and its `checks`."""
    done = subprocess.run(
        [
            *(str(TOOLS / "lint" / "bin" / "kube-score"), "score", "--output-format", "json"),
            *("--kubernetes-version", "v1.36", "-"),
        ],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return said


def named(kind: str, *sets: str, values: Path = SMALL) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by the part of their name that follows the release's."""
    found = [each for each in objects(*sets, values=values) if each["kind"] == kind]
    return {each["metadata"]["name"].removeprefix("shop-stockstream").lstrip("-"): each for each in found}
