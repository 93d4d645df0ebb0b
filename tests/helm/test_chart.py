from pathlib import Path

import pytest
import yaml

from infra.contracts.table import strimzi_values
from infra.contracts.topics import TOPICS
from tests.helm.chart import ALL_VALUES, CHART, KINDS, PRODUCTION, helm, objects, pods, template


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_the_chart_has_nothing_to_complain_about(values: Path) -> None:
    done = helm("lint", "--strict", str(CHART), "--values", str(values))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_charts_contracts_are_those_of_the_code() -> None:
    kept = yaml.safe_load((CHART / "files" / "contracts.yaml").read_text())
    assert kept == strimzi_values(partitions=12), (
        "stockstream topics --format strimzi > helm/files/contracts.yaml"
    )


def test_every_topic_of_the_contracts_becomes_a_topic_of_strimzi() -> None:
    topics = {each["spec"]["topicName"] for each in objects() if each["kind"] == "KafkaTopic"}
    assert topics >= set(TOPICS) | {topic.dead_letters for topic in TOPICS.values()}


def test_a_component_is_granted_its_own_topics_and_no_other() -> None:
    users = {each["metadata"]["name"]: each for each in objects() if each["kind"] == "KafkaUser"}
    for name, access in strimzi_values(4)["users"].items():
        acls = users[f"shop-stockstream-{name}"]["spec"]["authorization"]["acls"]
        granted = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic"}
        assert granted == {*access["readFrom"], *access["writeTo"]}


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_no_pod_runs_as_root_or_can_write_to_its_own_image(values: Path) -> None:
    found = pods(objects(values=values))
    assert len(found) >= 7
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_password_is_in_any_object() -> None:
    for pod in pods(objects()):
        for variable in pod["containers"][0]["env"]:
            assert "PASSWORD" not in variable["name"] or "secretKeyRef" in variable["valueFrom"]


def test_each_zone_has_its_own_features_job() -> None:
    jobs = [each for each in objects(values=PRODUCTION) if each["kind"] == "FlinkDeployment"]
    assert [job["metadata"]["name"] for job in jobs] == [
        "shop-stockstream-features",
        "shop-stockstream-features-america-new-york",
    ]


@pytest.mark.parametrize("missing", KINDS[:3])
def test_a_cluster_that_lacks_an_operator_is_refused_by_name(missing: str) -> None:
    done = template(kinds=tuple(kind for kind in KINDS if kind != missing))
    assert done.returncode != 0
    assert f"this cluster has no {missing}: install" in done.stderr


BREAKAGES = [
    ("partitions=0", "partitions"),
    ("partitions=many", "partitions"),
    ("partitons=4", "partitons"),
    ("zones[0].name=Europe London", "zones.0.name"),
    ("zones[0].locatons[0]=a", "locatons"),
    ("settings.run-dir=/x", "run-dir"),
    ("settings.PARTITIONS=x", "settings has PARTITIONS"),
    ("images.pullPolicy=Sometimes", "images.pullPolicy"),
    ("images.features.digest=sha256:12", "images.features.digest"),
    ("images.serving.repository=", "images.serving.repository"),
    ("storage.accessMode=ReadOnlyMany", "storage.accessMode"),
    ("storage.size=lots", "storage.size"),
    ("kafka.mode=embedded", "kafka.mode"),
    ("kafka.mode=external,kafka.external.securityProtocol=SSL", "kafka.external.bootstrapServers"),
    ("kafka.external.bootstrapServers=kafka", "kafka.external.bootstrapServers"),
    ("kafka.external.securityProtocol=SASL_PLAINTEXT", "kafka.external.securityProtocol"),
    ("kafka.strimzi.version=latest", "kafka.strimzi.version"),
    ("kafka.strimzi.brokers.replicas=0", "kafka.strimzi.brokers.replicas"),
    ("kafka.strimzi.replicationFactor=2", "kafka.strimzi.replicationFactor"),
    ("kafka.strimzi.minInSyncReplicas=2", "kafka.strimzi.minInSyncReplicas"),
    ("kafka.strimzi.users.shop.writeTo[0]=Clicks", "kafka.strimzi.users.shop.writeTo"),
    ("features.flinkVersion=v1_20", "features.flinkVersion"),
    ("features.parallelism=5", "features.parallelism"),
    ("features.parallelism=2", "features.taskManager"),
    ("features.stepSeconds=70", "features.stepSeconds"),
    ("features.upgradeMode=never", "features.upgradeMode"),
    ("features.stateBackend=memory", "features.stateBackend"),
    ("features.checkpoints.location=/tmp", "features.checkpoints.location"),
    ("features.restarts.attempts=-1", "features.restarts.attempts"),
    ("features.taskManager.memory=4Gi", "features.taskManager.memory"),
    ("serving.plannerReplicas=3", "serving.plannerReplicas"),
    ("serving.forecastPaths=10", "serving.forecastPaths"),
    ("serving.upgradeStrategy=Rolling", "serving.upgradeStrategy"),
    ("serving.workers.replicas=0", "serving.workers.replicas"),
    ("serving.ingress.enabled=true", "serving.ingress.host"),
    ("batch.history.schedule=daily", "batch.history.schedule"),
    ("batch.resources.requests.memory=big", "batch.resources.requests.memory"),
    ("training.mode=cluster", "training.mode"),
    ("training.workers=0", "training.workers"),
    ("monitoring.podMonitors=1", "monitoring.podMonitors"),
    ("networkPolicies.egressPorts[0]=70000", "networkPolicies.egressPorts"),
    ("podSecurity.userId=0", "podSecurity.userId"),
]


@pytest.mark.parametrize(("given", "named"), BREAKAGES, ids=[given for given, _ in BREAKAGES])
def test_a_value_that_cannot_work_is_refused_by_its_name(given: str, named: str) -> None:
    done = template(given)
    assert done.returncode != 0, done.stdout
    assert named in done.stderr
