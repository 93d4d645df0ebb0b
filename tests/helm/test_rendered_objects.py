"""kubeconform holds each object against the operators' own definitions, kube-score against good practice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helm.chart import ALL_VALUES, kube_score, kubeconform, objects, pods, rendered

ALL_FINE = 10
UNITS = {"Mi": 2**20, "Gi": 2**30}
# What kube-score minds and the chart keeps: (kind and name, finding), and why.
KEPT = {
    (
        "",
        "container-resources: CPU limit is not set",
    ): "a limit throttles beside idle cores; requests share busy ones",
    ("", "container-image-pull-policy: ImagePullPolicy is not set to Always"): "production pins digests",
    (
        "NetworkPolicy shop-stockstream-features",
        "networkpolicy-targets-pod: The NetworkPolicys selector doesn't match any pods",
    ): "Flink's operator makes them",
    (
        "NetworkPolicy shop-stockstream-serving",
        "networkpolicy-targets-pod: The NetworkPolicys selector doesn't match any pods",
    ): "KubeRay makes them",
    (
        "Ingress shop-stockstream",
        "ingress-targets-service: No service match was found",
    ): "KubeRay makes the Service",
}


def findings(values: Path) -> Iterator[tuple[str, str]]:
    """What kube-score minds: kind and name, and what."""
    for scored in kube_score(rendered(values=values)):
        subject = f"{scored['type_meta']['kind']} {scored['object_meta']['name']}"
        for check in scored["checks"]:
            if check["grade"] < ALL_FINE and not check["skipped"]:
                for comment in check["comments"]:
                    yield subject, f"{check['check']['id']}: {comment['summary']}"


def is_kept(subject: str, finding: str) -> bool:
    return ("", finding) in KEPT or (subject, finding) in KEPT


def amount(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_every_object_is_one_that_the_operators_define(values: Path) -> None:
    said = kubeconform(rendered(values=values))
    assert said["resources"] == []
    assert said["summary"] == {"valid": len(objects(values=values)), "invalid": 0, "errors": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("written", "broken", "named"),
    [
        ("jobManager:", "jobManger:", "jobManger"),
        ("upgradeStrategy: {type: None}", "upgradeStrategy: {type: 1}", "/spec/upgradeStrategy/type"),
        ("topicName:", "topicname:", "topicname"),
        ("concurrencyPolicy: Forbid", "concurrencyPolicies: Forbid", "concurrencyPolicies"),
        ("metadataVersion:", "metadataVersions:", "metadataVersions"),
    ],
)
def test_a_field_that_no_operator_knows_would_be_seen(written: str, broken: str, named: str) -> None:
    manifests = rendered()
    assert written in manifests
    said = kubeconform(manifests.replace(written, broken, 1))
    assert len(said["resources"]) == 1
    assert named in str(said["resources"][0])


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_what_kube_score_minds_has_a_reason_to_stay(values: Path) -> None:
    assert [each for each in findings(values) if not is_kept(*each)] == []


def test_every_reason_to_stay_is_still_needed() -> None:
    found = {each for values in ALL_VALUES for each in findings(values)}
    found |= {("", finding) for _, finding in found}
    assert set(KEPT) - found == set()


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_scratch_space_fits_into_what_a_pod_may_keep_on_its_nodes_disk(values: Path) -> None:
    limited = 0
    for pod in pods(objects(values=values)):
        scratch = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
        on_disk = sum(amount(each["sizeLimit"]) for each in scratch if each.get("medium") != "Memory")
        # Flink's operator takes resources elsewhere and sets no limit on disk.
        for limits in (
            container["resources"]["limits"] for container in pod["containers"] if "resources" in container
        ):
            assert on_disk < amount(limits["ephemeral-storage"])
            limited += 1
    assert limited >= 5
