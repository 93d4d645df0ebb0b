"""The one place where Kafka clients are made, with the guarantees the system relies on.

Producers are idempotent and wait for all replicas; consumers read committed records only, start at the
earliest offset and never commit by themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner.default import murmur2
from pydantic import BaseModel

from infra.contracts.codec import encode
from infra.contracts.message import Heartbeat
from infra.contracts.topics import TOPICS
from infra.errors import ContractError, StockstreamError, WaitExpired
from infra.kafka_security import KafkaSecurity, load_kafka_security

HEARTBEAT_KEY = b"heartbeat"
Headers = Sequence[tuple[str, bytes]]


class Producer:
    """Sends contract-checked messages; `flush` returns only when every one is acknowledged."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._security = load_kafka_security()
        with _reachable(bootstrap_servers, self._security):
            self._client = KafkaProducer(
                **self._security.client_options(),
                bootstrap_servers=bootstrap_servers.split(","),
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                compression_type="gzip",
                max_request_size=4 * 1024 * 1024,
            )
        self._failures: list[Exception] = []

    def send(self, topic: str, key: bytes, message: BaseModel) -> None:
        """Queues a message of a contract topic; co-partitioned by the murmur2 hash of its key."""
        self.send_bytes(topic, key, encode(topic, message))

    def send_bytes(
        self, topic: str, key: bytes | None, value: bytes, partition: int | None = None, headers: Headers = ()
    ) -> None:
        """Queues bytes as they are: dead letters, replays of recorded input, heartbeats."""
        sent = self._client.send(topic, key=key, value=value, partition=partition, headers=list(headers))
        sent.add_errback(self._failures.append)

    def send_heartbeat(self, topic: str, event_time_ms: int) -> None:
        """Tells every partition of the topic that event time has reached `event_time_ms`."""
        value = encode(topic, Heartbeat(event_time_ms=event_time_ms))
        for partition in sorted(self._client.partitions_for(topic)):
            self.send_bytes(topic, HEARTBEAT_KEY, value, partition=partition)

    def send_dead_letter(self, record: ConsumerRecord, error: ContractError) -> None:
        """Queues the original bytes for the topic's dead letters, with the reason in the headers."""
        headers = {
            "reason": str(error),
            "source_topic": record.topic,
            "source_partition": str(record.partition),
            "source_offset": str(record.offset),
        }
        encoded = [(name, text.encode()) for name, text in headers.items()]
        self.send_bytes(TOPICS[record.topic].dead_letters, record.key, record.value or b"", headers=encoded)

    def flush(self, timeout_seconds: float = 60.0) -> None:
        """Waits for every acknowledgement.

        Raises:
            StockstreamError: the user may not write to a topic.
            Exception: the first failed send since the last flush.
        """
        self._client.flush(timeout=timeout_seconds)
        if self._failures:
            failures, self._failures = self._failures, []
            with _permitted(self._security):
                raise failures[0]

    def close(self) -> None:
        self._client.close(timeout=10)


def make_consumer(bootstrap_servers: str) -> KafkaConsumer:
    """A consumer without a group: the caller assigns partitions and keeps its own positions.

    Raises:
        StockstreamError: no broker answers.
    """
    security = load_kafka_security()
    with _reachable(bootstrap_servers, security):
        return KafkaConsumer(
            **security.client_options(),
            bootstrap_servers=bootstrap_servers.split(","),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_poll_records=5000,
            fetch_max_bytes=64 * 1024 * 1024,
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )


@contextmanager
def _reachable(bootstrap_servers: str, security: KafkaSecurity) -> Iterator[None]:
    try:
        yield
    except KafkaTimeoutError:
        raise StockstreamError(security.why_unreachable(bootstrap_servers)) from None


@contextmanager
def _permitted(security: KafkaSecurity) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        if "AuthorizationFailed" not in str(error):  # the type is not kept where a producer asks for its id
            raise
        user = security.username or "who names no user"
        raise StockstreamError(f"Kafka user {user} lacks a permission: {error}") from None


def topic_partitions(topics: Sequence[str], partitions: Sequence[int]) -> list[TopicPartition]:
    """Every given partition of every given topic."""
    return [TopicPartition(topic, partition) for topic in topics for partition in partitions]


def partition_of(key: bytes, partitions: int) -> int:
    """The partition in which every producer of the system puts a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def read_to_end(bootstrap_servers: str, assigned: Sequence[TopicPartition]) -> Iterator[ConsumerRecord]:
    """Every committed record from the beginning to the end offsets seen at the start.

    Records of one partition keep their order; records of different partitions mix.

    Raises:
        WaitExpired: a partition stopped delivering before its end.
        StockstreamError: the user may not read one of the topics.
    """
    consumer = make_consumer(bootstrap_servers)
    with closing(consumer), _permitted(load_kafka_security()):
        consumer.assign(list(assigned))
        consumer.seek_to_beginning(*assigned)
        ends: Mapping[TopicPartition, int] = consumer.end_offsets(list(assigned))
        idle_polls = 0
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            batches = consumer.poll(timeout_ms=500)
            idle_polls = 0 if batches else idle_polls + 1
            if idle_polls > 60:
                raise WaitExpired(
                    f"no records for 30 s before the end of {sorted({tp.topic for tp in assigned})}"
                )
            for tp, records in batches.items():
                yield from (record for record in records if record.offset < ends[tp])
