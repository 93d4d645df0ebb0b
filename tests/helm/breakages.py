"""Faults for a server to find, each with the words by which its answer names the field."""

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
    named: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.path}={self.value}"


_POD = "spec.template.spec"
_CRON_POD = "spec.jobTemplate.spec.template.spec"
_RAY = "spec.rayClusterConfig"
_RAY_HEAD = f"{_RAY}.headGroupSpec.template.spec.containers.0"
FAULTS = [
    Fault("FlinkDeployment", "spec.flinkVersion", "v9_9", "spec.flinkVersion"),
    Fault("FlinkDeployment", "spec.mode", "cluster", "spec.mode"),
    Fault("FlinkDeployment", "spec.jobManger", {}, "spec.jobManger"),
    Fault("FlinkDeployment", "spec.job.upgradeMode", "never", "spec.job.upgradeMode"),
    Fault("FlinkDeployment", "spec.job.parallelism", "four", "spec.job.parallelism"),
    Fault("FlinkDeployment", "spec.taskManager.resource.cpu", "many", "spec.taskManager.resource.cpu"),
    Fault("FlinkDeployment", "spec.podTemplate.spec.containers.0.volumeMounts.0.path", "/x", "path"),
    Fault("RayService", "spec.upgradeStrategy.type", 1, "spec.upgradeStrategy.type"),
    Fault("RayService", f"{_RAY}.authOptions.mode", "maybe", "authOptions.mode"),
    Fault("RayService", f"{_RAY}.workerGroupSpecs.0.replicas", "two", "replicas"),
    Fault("RayService", f"{_RAY}.workerGroupSpecs.0.groupName", None, "groupName"),
    Fault(
        "RayService",
        f"{_RAY_HEAD}.resources.limits.memory",
        "lots",
        "memory",
    ),
    Fault("RayService", f"{_RAY}.headGroupSpec.templates", {}, "templates"),
    Fault("RayCronJob", "spec.schedule", 5, "spec.schedule"),
    Fault("RayCronJob", "spec.jobTemplate.submissionMode", 1, "submissionMode"),
    Fault("Kafka", "spec.kafka.listeners.0.type", "outside", "type"),
    Fault("Kafka", "spec.kafka.listeners.0.tls", "yes", "tls"),
    Fault("Kafka", "spec.kafka.listeners.0.port", 80, "port"),
    Fault("Kafka", "spec.kafka.listeners.0.authentication.type", "basic", "authentication.type"),
    Fault("Kafka", "spec.kafka.authorization.type", "none", "authorization.type"),
    Fault("KafkaNodePool", "spec.roles.0", "reader", "spec.roles"),
    Fault("KafkaNodePool", "spec.replicas", -1, "spec.replicas"),
    Fault("KafkaNodePool", "spec.storage.type", "ramdisk", "spec.storage.type"),
    Fault("KafkaNodePool", "spec.storage.volumes.0.kraftMetadata", "own", "kraftMetadata"),
    Fault("KafkaTopic", "spec.partitions", 0, "spec.partitions"),
    Fault("KafkaTopic", "spec.replicas", "three", "spec.replicas"),
    Fault("KafkaUser", "spec.authentication.type", "password", "spec.authentication.type"),
    Fault("KafkaUser", "spec.authorization.acls.0.operations.0", "Reed", "operations"),
    Fault("KafkaUser", "spec.authorization.acls.0.resource.type", "queue", "resource.type"),
    Fault("PodMonitor", "spec.podMetricsEndpoints.0.interval", "soon", "interval"),
    Fault("PodMonitor", "spec.selector", None, "spec.selector"),
    Fault("Deployment", "spec.selector.matchLabels", {"app.kubernetes.io/name": "other"}, "labels"),
    Fault("Deployment", f"{_POD}.containers.0.image", None, "containers[0].image"),
    Fault("Deployment", f"{_POD}.containers.0.resources.requests.memory", "1Ti", "resources.requests"),
    Fault("Deployment", f"{_POD}.containers.0.volumeMounts.0.name", "nothing", "volumeMounts[0].name"),
    Fault("Deployment", f"{_POD}.securityContext.runAsUser", -1, "securityContext.runAsUser"),
    Fault("CronJob", "spec.schedule", "daily", "spec.schedule"),
    Fault("CronJob", "spec.timeZone", "Mars/Base", "spec.timeZone"),
    Fault("CronJob", "spec.concurrencyPolicy", "Sometimes", "spec.concurrencyPolicy"),
    Fault("CronJob", f"{_CRON_POD}.restartPolicy", "Always", "restartPolicy"),
    Fault("CronJob", f"{_CRON_POD}.volumes.1.emptyDir.sizeLimit", "big", "quantities"),
    Fault("NetworkPolicy", "spec.egress.0.ports.0.port", 70000, "ports[0].port"),
    Fault("NetworkPolicy", "spec.policyTypes.0", "Sideways", "policyTypes[0]"),
    Fault("PodDisruptionBudget", "spec.maxUnavailable", "half", "spec.maxUnavailable"),
    Fault("Ingress", "spec.rules.0.http.paths.0.pathType", "Starts", "pathType"),
    Fault("Ingress", "spec.rules.0.host", "no host", "spec.rules[0].host"),
    Fault("PersistentVolumeClaim", "spec.accessModes.0", "ReadWriteSome", "spec.accessModes"),
    Fault("Role", "rules.0.verbs", [], "rules[0].verbs"),
    Fault("RoleBinding", "roleRef.kind", "Rolle", "roleRef.kind"),
    Fault("ConfigMap", "data.not allowed", "x", "data[not allowed]"),
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
