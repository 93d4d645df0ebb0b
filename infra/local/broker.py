"""A real Kafka broker on the loopback interface: one node, KRaft, free ports, nothing ever expires."""

import base64
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.contracts.topics import TOPICS, turned_away
from infra.errors import StockstreamError
from infra.local.processes import Component
from infra.local.secured_broker import BrokerSecurity

JARS = Path(__file__).parents[2] / ".run" / "jars" / "broker"
METRICS = Path(__file__).with_name("kafka_jmx.yaml")
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_START_TIMEOUT_SECONDS = 60.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
{listeners}
log.dirs={data}
log.retention.ms=-1
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=500
message.max.bytes={max_message_bytes}
replica.fetch.max.bytes={max_message_bytes}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.index.size.max.bytes=1048576
log.cleaner.backoff.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.threads=1
"""

_PLAIN_LISTENERS = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
"""


class Broker:
    """A broker whose files, log and pid file live in a run directory.

    Started again in the same directory it keeps its data and its ports. It is a secured one if the directory
    has been prepared for that (`BrokerSecurity.prepare`).
    """

    def __init__(self, run_dir: Path) -> None:
        self._data = run_dir / "broker"
        self._properties = self._data / "server.properties"
        self._metrics_port = self._data / "metrics_port"
        self._security = BrokerSecurity(run_dir)
        self.component = Component("broker", run_dir)

    @property
    def bootstrap_servers(self) -> str:
        """The broker's address, host:port, for clients, once it has been started."""
        return self._advertised()[-1]

    def _advertised(self) -> list[str]:
        for line in self._properties.read_text().splitlines():
            if line.startswith("advertised.listeners="):
                return [listener.rpartition("/")[2] for listener in line.split(",")]
        raise StockstreamError(f"{self._properties} names no advertised.listeners")

    @property
    def metrics_port(self) -> int:
        """Loopback port of Kafka's own metrics, once the broker has been started."""
        return int(self._metrics_port.read_text())

    def start(self) -> None:
        """Starts the broker, formatting its data directory the first time; returns when it answers.

        Raises:
            StockstreamError: the jars are missing, or it did not come up; shows the last log lines.
        """
        if not JARS.is_dir():
            raise StockstreamError(f"no broker jars in {JARS}; run 'make setup'")
        if not self._properties.exists():
            self._format()
        if not self._metrics_port.exists():
            self._metrics_port.write_text(str(free_ports(1)[0]))
        self.component.start(_java("kafka.Kafka", str(self._properties), options=[self._exporter()]))
        self.component.wait_until_ready(self._answers, _START_TIMEOUT_SECONDS)
        if self._security.is_on:
            with closing(self._admin()) as admin:
                self._security.grant(admin)

    def stop(self) -> None:
        """Shuts the broker down; its data stays."""
        self.component.stop()

    def create_topics(self, partitions: int, configs: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Creates every contract topic that is not there yet, with its dead-letter and late topics.

        Args:
            partitions: partitions of each topic.
            configs: further topic settings by topic name, e.g. small segments to force a compaction.
        """
        with closing(self._admin()) as admin:
            missing = {
                name: own for name, own in _topic_configs().items() if name not in set(admin.list_topics())
            }
            options = {
                name: {
                    "num_partitions": partitions,
                    "replication_factor": 1,
                    "configs": {**own, **(configs or {}).get(name, {})},
                }
                for name, own in missing.items()
            }
            if options:
                admin.create_topics(options, wait_for_metadata=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _exporter(self) -> str:
        """JVM option that exposes Kafka's metrics for Prometheus."""
        agents = sorted(JARS.glob("jmx_prometheus_javaagent-*.jar"))
        if not agents:
            raise StockstreamError(f"no exporter of Kafka's metrics in {JARS}; run 'make setup'")
        return f"-javaagent:{agents[-1]}=127.0.0.1:{self.metrics_port}:{METRICS}"

    def _admin(self, **options: Any) -> KafkaAdminClient:
        """A client that may do everything: of a secured broker, through its own listener."""
        security = self._security.admin_options() if self._security.is_on else {}
        return KafkaAdminClient(bootstrap_servers=self._advertised()[0], **security, **options)

    def _answers(self) -> bool:
        # A port that refuses is asked first: kafka-python leaves its socket open when it is refused.
        host, _, port = self._advertised()[0].partition(":")
        try:
            socket.create_connection((host, int(port)), timeout=1.0).close()
            self._admin(bootstrap_timeout_ms=5000).close()
        except (OSError, KafkaError):
            return False
        return True

    def _format(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        ports = dict(zip(("port", "controller_port", "internal_port"), free_ports(3), strict=True))
        listeners = (
            self._security.listeners(ports) if self._security.is_on else _PLAIN_LISTENERS.format(**ports)
        )
        draft = self._properties.with_suffix(".draft")
        draft.write_text(
            _PROPERTIES.format(
                controller_port=ports["controller_port"],
                listeners=listeners,
                data=(self._data / "log").resolve(),
                max_message_bytes=MAX_MESSAGE_BYTES,
            )
        )
        # As one argument: an id that begins with a dash would be taken for an option.
        cluster_id = f"--cluster-id={base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('=')}"
        tool = _java("kafka.tools.StorageTool", "format", "--standalone", cluster_id, "-c", str(draft))
        done = subprocess.run(
            tool, capture_output=True, text=True, check=False, timeout=_START_TIMEOUT_SECONDS
        )
        if done.returncode != 0:
            raise StockstreamError(
                f"broker storage in {self._data} cannot be formatted: {done.stderr.strip()}"
            )
        draft.rename(self._properties)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _java(main_class: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    return ["java", "-Xmx512m", "-XX:+UseSerialGC", *options, "-cp", f"{JARS}/*", main_class, *arguments]


def _topic_configs() -> dict[str, dict[str, str]]:
    """Settings of every topic to create. Locally nothing expires: record timestamps may be years old."""
    forever = {"retention.ms": "-1"}
    own = {topic.name: {"cleanup.policy": topic.cleanup, **forever} for topic in TOPICS.values()}
    return own | {name: forever for topic in TOPICS for name in turned_away(topic)}
