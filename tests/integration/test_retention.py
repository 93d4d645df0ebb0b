from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from infra.contracts.topics import CLICKSTREAM, TOPICS
from infra.kafka import Producer, make_consumer, read_to_end
from infra.local.broker import Broker
from infra.local.processes import wait_until

YEAR_2011_MS = 1_320_000_000_000
COMPACTED = [topic.name for topic in TOPICS.values() if topic.cleanup == "compact"]


@pytest.fixture(scope="module")
def impatient_broker(
    tmp_path_factory: pytest.TempPathFactory, compact_at_once: Mapping[str, Mapping[str, str]]
) -> Iterator[Broker]:
    """A broker that compacts as soon as it can, and one topic more that keeps its records for a week only."""
    run_dir: Path = tmp_path_factory.mktemp("impatient")
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=1, configs=compact_at_once)
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
        admin.create_topics({"one-week": {"configs": {"retention.ms": "604800000"}}}, wait_for_metadata=True)
        admin.close()
        yield broker


def beginnings(broker: Broker, topics: Sequence[str]) -> dict[str, int]:
    consumer = make_consumer(broker.bootstrap_servers)
    offsets = consumer.beginning_offsets([TopicPartition(topic, 0) for topic in topics])
    consumer.close()
    return {partition.topic: offset for partition, offset in offsets.items()}


def values(broker: Broker, topic: str) -> list[bytes]:
    return [record.value for record in read_to_end(broker.bootstrap_servers, [TopicPartition(topic, 0)])]


def test_records_of_2011_stay_where_a_week_of_retention_deletes_them(impatient_broker: Broker) -> None:
    producer = KafkaProducer(bootstrap_servers=impatient_broker.bootstrap_servers)
    for topic in (CLICKSTREAM, "one-week"):
        producer.send(topic, key=b"lamp|gb-main", value=b"{}", timestamp_ms=YEAR_2011_MS)
    producer.flush()
    producer.close()

    wait_until(lambda: beginnings(impatient_broker, ["one-week"])["one-week"] == 1, 60, "the deletion")

    assert beginnings(impatient_broker, [CLICKSTREAM]) == {CLICKSTREAM: 0}


@pytest.mark.parametrize("topic", COMPACTED)
def test_compaction_keeps_the_newest_record_of_every_key(impatient_broker: Broker, topic: str) -> None:
    producer = Producer(impatient_broker.bootstrap_servers)
    for version in (b"old", b"new"):
        for key in (b"lamp|gb-main", b"mug|gb-main"):
            producer.send_bytes(topic, key, key + b" " + version)
        producer.flush()

    def compacted() -> bool:
        # The segment that is written to is never compacted: each new record closes the one before.
        producer.send_bytes(topic, b"filler", b"filler")
        producer.flush()
        return not any(value.endswith(b"old") for value in values(impatient_broker, topic))

    wait_until(compacted, 60, f"the compaction of {topic}")
    producer.close()

    newest = [value for value in values(impatient_broker, topic) if value != b"filler"]
    assert sorted(newest) == [b"lamp|gb-main new", b"mug|gb-main new"]
