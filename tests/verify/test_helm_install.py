"""The chart on a real Kubernetes: installed, upgraded, rolled back and removed; what is broken is refused."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.processes import wait_until
from tests.e2e.open_ports import ports_open_to_others
from tests.helm.breakages import FAULTS, Fault, broken
from tests.helm.chart import ALL_VALUES, CHART, PRODUCTION, SMALL, helm, objects, pods
from tests.helm.cluster import CRDS, Cluster
from tests.helm.kubernetes import Object, Refused

INSTALLER = Path(__file__).parents[1] / "helm" / "tools" / "install.sh"
# A trial that grows keeps what was fixed with its first records.
GROWN = ("--set", "partitions=4,storage.accessMode=ReadWriteOnce,storage.size=10Gi,storage.storageClassName=")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    subprocess.run([str(INSTALLER), "cluster"], check=True)
    with Cluster(tmp_path_factory.mktemp("kubernetes")) as running:
        for file in sorted(CRDS.glob("*.yaml")):
            running.define(file)
        yield running
    assert running.members() == []


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:50].strip("-")
    cluster.make_namespace(name)
    return str(name)


def run_helm(cluster: Cluster, namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return helm(*arguments, "--kubeconfig", str(cluster.kubeconfig), "--namespace", namespace)


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def with_values(verb: str, values: Path) -> tuple[str, ...]:
    waiting = ("--wait", "--timeout", "120s")
    return (verb, "shop", str(CHART), "--values", str(values), *waiting)


def kept(cluster: Cluster, namespace: str) -> set[str]:
    """Names of a namespace's objects."""
    return {name for name in cluster.api.names() if f" {namespace}/" in name}


def test_a_trial_is_installed_and_grows_into_production_and_back_and_leaves_nothing(
    cluster: Cluster, namespace: str
) -> None:
    before = cluster.api.names()
    done(run_helm(cluster, namespace, *with_values("install", SMALL)))
    small = kept(cluster, namespace)
    assert {f"{each['kind']} {namespace}/{each['metadata']['name']}" for each in objects()} <= small
    assert [name for name in small if name.startswith(f"Pod {namespace}/shop-stockstream-heartbeat")]

    done(run_helm(cluster, namespace, *with_values("upgrade", PRODUCTION), *GROWN))
    assert f"RayCronJob {namespace}/shop-stockstream-train" in kept(cluster, namespace)
    assert f"CronJob {namespace}/shop-stockstream-train" not in kept(cluster, namespace)

    done(run_helm(cluster, namespace, "rollback", "shop", "1", "--wait", "--timeout", "120s"))
    assert f"CronJob {namespace}/shop-stockstream-train" in kept(cluster, namespace)
    assert f"RayCronJob {namespace}/shop-stockstream-train" not in kept(cluster, namespace)

    done(run_helm(cluster, namespace, "uninstall", "shop", "--wait"))
    wait_until(lambda: cluster.api.names() <= before, 60, "nothing left")
    assert cluster.api.names() == before


def test_a_kept_claim_outlives_its_release_and_is_found_by_the_next(cluster: Cluster, namespace: str) -> None:
    claim = f"PersistentVolumeClaim {namespace}/shop-stockstream-data"
    before = kept(cluster, namespace)
    install = (*with_values("install", SMALL), "--set", "storage.keep=true")
    done(run_helm(cluster, namespace, *install))
    done(run_helm(cluster, namespace, "uninstall", "shop", "--wait"))
    wait_until(lambda: kept(cluster, namespace) == before | {claim}, 60, "only the claim left")
    done(run_helm(cluster, namespace, *install))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("partitions=8", "partitions has value 8: this release has written with 4"),
        ("storage.accessMode=ReadWriteMany", "storage.accessMode has value ReadWriteMany"),
        ("storage.storageClassName=fast", "storage.storageClassName has value fast"),
    ],
)
def test_what_is_fixed_at_the_start_is_refused_before_anything_changes(
    cluster: Cluster, change: str, named: str
) -> None:
    namespace = "fixed-" + change.split("=")[0].lower().replace(".", "-")
    cluster.make_namespace(namespace)
    done(run_helm(cluster, namespace, *with_values("install", SMALL)))
    before = kept(cluster, namespace)
    refused = run_helm(cluster, namespace, *with_values("upgrade", SMALL), "--set", change)
    assert refused.returncode != 0
    assert named in refused.stderr
    assert kept(cluster, namespace) == before


@pytest.mark.parametrize(
    ("plural", "kind"),
    [
        ("flinkdeployments", "flink.apache.org/v1beta1/FlinkDeployment"),
        ("kafkas", "kafka.strimzi.io/v1/Kafka"),
        ("podmonitors", "monitoring.coreos.com/v1/PodMonitor"),
        ("raycronjobs", "ray.io/v1/RayCronJob"),
        ("rayservices", "ray.io/v1/RayService"),
    ],
)
def test_a_cluster_that_lacks_an_operator_is_refused_before_anything_is_made(
    cluster: Cluster, plural: str, kind: str
) -> None:
    (file,) = CRDS.glob(f"*{plural}.yaml")
    cluster.undefine(file)
    try:
        before = cluster.api.names()
        refused = run_helm(cluster, "default", *with_values("install", PRODUCTION))
        assert refused.returncode != 0
        assert f"this cluster has no {kind}: install " in refused.stderr
        assert cluster.api.names() == before
    finally:
        cluster.define(file)


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_the_server_accepts_every_object_strictly(cluster: Cluster, values: Path) -> None:
    for each in objects(values=values):
        cluster.api.check(each, "default")


def test_nothing_listens_beyond_this_machine(cluster: Cluster) -> None:
    assert len(cluster.members()) == len(cluster.components)
    assert ports_open_to_others(cluster.members()) == set()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_refused_by_the_server_in_the_fields_name(cluster: Cluster, fault: Fault) -> None:
    with pytest.raises(Refused) as refused:
        cluster.api.check(broken(objects(values=PRODUCTION), fault), "default")
    assert fault.field in str(refused.value)


@pytest.mark.parametrize("values", ALL_VALUES, ids=lambda path: path.stem)
def test_a_namespace_of_restricted_pods_takes_every_pod(cluster: Cluster, values: Path) -> None:
    namespace = f"pods-of-{values.stem.removesuffix('-values')}"
    cluster.make_namespace(namespace)
    found = objects(values=values)
    for account in (each for each in found if each["kind"] == "ServiceAccount"):
        cluster.api.create(account, namespace)
    specs = pods(found)
    assert len(specs) >= 7
    for spec in specs:
        cluster.api.check(as_pod(spec), namespace)


def as_pod(spec: Object) -> Object:
    """A pod that an operator would make of a template; Flink's gives image and account itself."""
    containers = [{"image": "given-by-the-operator", **container} for container in spec["containers"]]
    pod = {"restartPolicy": "Never", **spec, "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "trial"}, "spec": pod}
