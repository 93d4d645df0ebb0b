"""Faults for a server to find."""

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.helm.kubernetes import Object


@dataclass(frozen=True)
class Fault:
    """A field of one kind of object, given a value that is wrong; None takes the field away."""

    kind: str
    path: str
    value: Any

    @property
    def field(self) -> str:
        """The path as a server writes it."""
        return re.sub(r"\.(\d+)", r"[\1]", self.path)

    def __str__(self) -> str:
        return f"{self.kind}-{self.path}={self.value}"


_POD = "spec.template.spec"
_CRON_POD = "spec.jobTemplate.spec.template.spec"
_RAY = "spec.rayClusterConfig"
_RAY_HEAD = f"{_RAY}.headGroupSpec.template.spec.containers.0"
FAULTS = [
    Fault("FlinkDeployment", "spec.flinkVersion", "v9_9"),
    Fault("FlinkDeployment", "spec.mode", "cluster"),
    Fault("FlinkDeployment", "spec.jobManger", {}),
    Fault("FlinkDeployment", "spec.job.upgradeMode", "never"),
    Fault("FlinkDeployment", "spec.job.parallelism", "four"),
    Fault("FlinkDeployment", "spec.taskManager.resource.cpu", "many"),
    Fault("FlinkDeployment", "spec.podTemplate.spec.containers.0.volumeMounts.0.path", "/x"),
    Fault("RayService", "spec.upgradeStrategy.type", 1),
    Fault("RayService", f"{_RAY}.authOptions.mode", "maybe"),
    Fault("RayService", f"{_RAY}.workerGroupSpecs.0.replicas", "two"),
    Fault("RayService", f"{_RAY}.workerGroupSpecs.0.groupName", None),
    Fault("RayService", f"{_RAY_HEAD}.resources.limits.memory", "lots"),
    Fault("RayService", f"{_RAY}.headGroupSpec.templates", {}),
    Fault("RayCronJob", "spec.schedule", 5),
    Fault("RayCronJob", "spec.jobTemplate.submissionMode", 1),
    Fault("Kafka", "spec.kafka.listeners.0.type", "outside"),
    Fault("Kafka", "spec.kafka.listeners.0.tls", "yes"),
    Fault("Kafka", "spec.kafka.listeners.0.port", 80),
    Fault("Kafka", "spec.kafka.listeners.0.authentication.type", "basic"),
    Fault("Kafka", "spec.kafka.authorization.type", "none"),
    Fault("KafkaNodePool", "spec.roles.0", "reader"),
    Fault("KafkaNodePool", "spec.replicas", -1),
    Fault("KafkaNodePool", "spec.storage.type", "ramdisk"),
    Fault("KafkaNodePool", "spec.storage.volumes.0.kraftMetadata", "own"),
    Fault("KafkaTopic", "spec.partitions", 0),
    Fault("KafkaTopic", "spec.replicas", "three"),
    Fault("KafkaUser", "spec.authentication.type", "password"),
    Fault("KafkaUser", "spec.authorization.acls.0.operations.0", "Reed"),
    Fault("KafkaUser", "spec.authorization.acls.0.resource.type", "queue"),
    Fault("PodMonitor", "spec.podMetricsEndpoints.0.interval", "soon"),
    Fault("PodMonitor", "spec.selector", None),
    Fault("Deployment", "spec.template.metadata.labels", {"app": "other"}),
    Fault("Deployment", f"{_POD}.containers.0.image", None),
    Fault("Deployment", f"{_POD}.containers.0.resources.requests", {"memory": "1Ti"}),
    Fault("Deployment", f"{_POD}.containers.0.volumeMounts.0.name", "nothing"),
    Fault("Deployment", f"{_POD}.securityContext.runAsUser", -1),
    Fault("CronJob", "spec.schedule", "daily"),
    Fault("CronJob", "spec.timeZone", "Mars/Base"),
    Fault("CronJob", "spec.concurrencyPolicy", "Sometimes"),
    Fault("CronJob", f"{_CRON_POD}.restartPolicy", "Always"),
    Fault("NetworkPolicy", "spec.egress.0.ports.0.port", 70000),
    Fault("NetworkPolicy", "spec.policyTypes.0", "Sideways"),
    Fault("PodDisruptionBudget", "spec.maxUnavailable", "half"),
    Fault("Ingress", "spec.rules.0.http.paths.0.pathType", "Starts"),
    Fault("Ingress", "spec.rules.0.host", "no host"),
    Fault("PersistentVolumeClaim", "spec.accessModes", ["ReadWriteSome"]),
    Fault("Role", "rules.0.verbs", []),
    Fault("RoleBinding", "roleRef.kind", "Rolle"),
    Fault("ConfigMap", "immutable", "yes"),
]


def broken(found: list[Object], fault: Fault) -> Object:
    """The first object of the fault's kind, with the fault."""
    body = deepcopy(next(each for each in found if each["kind"] == fault.kind))
    *way, last = (int(step) if step.isdigit() else step for step in fault.path.split("."))
    place: Any = body
    for step in way:
        place = place[step]
    if fault.value is None:
        del place[last]
    else:
        place[last] = fault.value
    return body
