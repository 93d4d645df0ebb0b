from pathlib import Path

import pytest

from tests.helm.chart import ALL_VALUES, CHART, helm, objects, pods, template


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_the_chart_has_nothing_to_complain_about(values: Path) -> None:
    done = helm("lint", "--strict", str(CHART), "--values", str(values))
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_the_api_knows_where_alerts_and_dashboards_are() -> None:
    addresses = {
        "monitoring.prometheusUrl": "http://prometheus.monitoring:9090",
        "monitoring.prometheusLink": "https://prometheus.example.com",
        "monitoring.grafanaLink": "https://grafana.example.com",
    }
    given = ",".join(f"{name}={address}" for name, address in addresses.items())

    def known(*values: str) -> list[str]:
        (settings,) = [each for each in objects(*values) if each["metadata"]["name"].endswith("-settings")]
        return [value for name, value in settings["data"].items() if name.endswith(("_LINK", "METHEUS_URL"))]

    assert sorted(known(given)) == sorted(addresses.values())
    assert known() == []


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
    (
        "serving.ingress.enabled=true,serving.ingress.host=a.b,serving.ingress.tlsSecretName=t",
        "serving.apiTokens.secretName",
    ),
    ("batch.history.schedule=daily", "batch.history.schedule"),
    ("batch.resources.requests.memory=big", "batch.resources.requests.memory"),
    ("training.mode=cluster", "training.mode"),
    ("training.workers=0", "training.workers"),
    ("monitoring.podMonitors=1", "monitoring.podMonitors"),
    ("monitoring.prometheusUrl=prometheus:9090", "monitoring.prometheusUrl"),
    ("monitoring.grafanaLink=javascript:x", "monitoring.grafanaLink"),
    ("networkPolicies.egressPorts[0]=70000", "networkPolicies.egressPorts"),
    ("podSecurity.userId=0", "podSecurity.userId"),
]


@pytest.mark.parametrize(("given", "named"), BREAKAGES, ids=[given for given, _ in BREAKAGES])
def test_a_value_that_cannot_work_is_refused_by_its_name(given: str, named: str) -> None:
    done = template(given)
    assert done.returncode != 0, done.stdout
    assert named in done.stderr
