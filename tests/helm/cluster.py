"""A real Kubernetes control plane on the loopback interface; kwok plays its node, so that pods "run"."""

import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.broker import free_ports
from infra.local.processes import Component, wait_until
from tests.helm.chart import TOOLS
from tests.helm.kubernetes import Api, Object, Refused

CRDS = TOOLS / "crds" / "crds"
BINARIES = TOOLS / "cluster" / "bin"
STAGES = TOOLS / "cluster" / "stages"
_ROOM = {"cpu": "64", "memory": "1Ti", "ephemeral-storage": "1Ti", "pods": "1000"}
NODE: Object = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "played-by-kwok", "annotations": {"kwok.x-k8s.io/node": "fake"}},
    "status": {"capacity": _ROOM, "allocatable": _ROOM},
}
# What `storageClassName: ""` in the values gets; nothing provisions, so volumes are there beforehand.
STORAGE_CLASS: Object = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "shared-files",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/no-provisioner",
    "allowVolumeExpansion": True,
}
_START_TIMEOUT_SECONDS = 120.0


class Cluster:
    """etcd, API server, controllers, scheduler and one node; files and logs lie in the run directory."""

    def __init__(self, run_dir: Path) -> None:
        self._dir = run_dir
        self.kubeconfig = run_dir / "kubeconfig"
        self._etcd_port, self._peer_port, self._port, *self._other_ports = free_ports(5)
        certificates = run_dir / "certificates"
        self.api = Api(
            f"https://127.0.0.1:{self._port}", secrets.token_hex(16), certificates / "apiserver.crt"
        )
        self.components = [
            Component(name, run_dir)
            for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
        ]

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def members(self) -> list[int]:
        return [pid for component in self.components for pid in component.members()]

    def stop(self) -> None:
        """Ends what reads before what is read."""
        for component in reversed(self.components):
            component.stop()

    def _start(self) -> None:
        self._write_credentials()
        commands = (self._etcd(), self._server(), self._controllers(), self._scheduler(), self._kwok())
        etcd, server, *others = zip(self.components, commands, strict=True)
        for component, arguments in (etcd, server):
            self._launch(component, arguments)
        server[0].wait_until_ready(self._is_ready, _START_TIMEOUT_SECONDS)
        for component, arguments in others:
            self._launch(component, arguments)
        self.api.create(NODE)
        self.api.create(STORAGE_CLASS)

    def _launch(self, component: Component, arguments: list[str]) -> None:
        component.start([str(BINARIES / component.name), *arguments], {"HOME": str(self._dir)})

    def _is_ready(self) -> bool:
        if self.api.ca_file.exists():
            with suppress(URLError, Refused, ConnectionError, ValueError):
                self.api.request("GET", "/api/v1/namespaces/default")
                return True
        return False

    def _write_credentials(self) -> None:
        self._dir.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (self._dir / "accounts.key").write_bytes(key)
        (self._dir / "tokens.csv").write_text(f"{self.api.token},admin,admin,system:masters\n")
        cluster = {"server": self.api.address, "certificate-authority": str(self.api.ca_file)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.api.token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
            "current-context": "here",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def _etcd(self) -> list[str]:
        clients, peers = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return [
            *("--data-dir", str(self._dir / "etcd"), "--unsafe-no-fsync"),
            *("--listen-client-urls", clients, "--advertise-client-urls", clients),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--name", "etcd", "--initial-cluster", f"etcd={peers}"),
        ]

    def _server(self) -> list[str]:
        key = self._dir / "accounts.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self._port}"),
            *(f"--cert-dir={self.api.ca_file.parent}", "--service-cluster-ip-range=10.0.0.0/24"),
            *(f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"),
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self._dir / 'tokens.csv'}",
            *("--authorization-mode=RBAC", "--endpoint-reconciler-type=none"),
        ]

    def _controllers(self) -> list[str]:
        return [
            *(f"--kubeconfig={self.kubeconfig}", "--leader-elect=false"),
            *("--bind-address=127.0.0.1", f"--secure-port={self._other_ports[0]}"),
            f"--service-account-private-key-file={self._dir / 'accounts.key'}",
            f"--root-ca-file={self.api.ca_file}",
        ]

    def _scheduler(self) -> list[str]:
        return [
            *(f"--kubeconfig={self.kubeconfig}", "--leader-elect=false"),
            *("--bind-address=127.0.0.1", f"--secure-port={self._other_ports[1]}"),
        ]

    def _kwok(self) -> list[str]:
        stages = [f"--config={file}" for file in sorted(STAGES.glob("*.yaml"))]
        return [
            f"--kubeconfig={self.kubeconfig}",
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",
            *stages,
        ]

    def define(self, file: Path) -> None:
        """Installs a custom resource definition; returns when the server serves it."""
        spec = self.api.create(definition(file))["spec"]
        served = served_versions(spec)
        kind = spec["names"]["kind"]
        wait_until(lambda: all(self.api.serves(version, kind) for version in served), 60, f"{kind} served")

    def undefine(self, file: Path) -> None:
        """Removes a custom resource definition; returns when the server does not serve it any more."""
        kept = definition(file)
        self.api.delete(kept)
        spec = kept["spec"]
        kind = spec["names"]["kind"]
        served = served_versions(spec)
        gone = f"CustomResourceDefinition /{kept['metadata']['name']}"
        wait_until(lambda: gone not in self.api.names(), 60, f"end of {gone}")
        wait_until(lambda: not any(self.api.lists(version, kind) for version in served), 60, f"end of {kind}")

    def make_namespace(self, name: str) -> None:
        """A namespace that takes restricted pods alone, with a volume; returns when it takes them."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.api.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        )
        self.api.create(volume(f"disk-of-{name}"))
        own = {f"ServiceAccount {name}/default", f"ConfigMap {name}/kube-root-ca.crt"}
        wait_until(lambda: own <= self.api.names(), 60, f"namespace {name} ready")


def served_versions(spec: Object) -> list[str]:
    """Group and version of each version that a definition serves."""
    return [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]


def definition(file: Path) -> Object:
    found: Object = yaml.load(file.read_text(), yaml.CSafeLoader)
    return found


def volume(name: str) -> Object:
    """A volume that a claim of the default class gets; what is on it stays."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Ti"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "storageClassName": STORAGE_CLASS["metadata"]["name"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/{name}"},
        },
    }
