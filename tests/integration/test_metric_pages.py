"""What Kafka and the heartbeat verb expose, read as `stockstream status` reads it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.contracts.topics import PROMOTIONS, TOPICS
from infra.kafka import Producer
from infra.local.broker import Broker, free_ports
from infra.local.metric_page import read_page
from infra.local.processes import Component, wait_until
from tests.e2e.open_ports import ports_open_to_others


def test_kafka_counts_what_every_topic_takes_in_on_loopback_only(broker: Broker) -> None:
    topic = TOPICS[PROMOTIONS].dead_letters
    before = read_page(broker.metrics_port)
    producer = Producer(broker.bootstrap_servers)
    for _ in range(3):
        producer.send_bytes(topic, b"lamp|gb-main", b"\xff")
    producer.flush()
    producer.close()

    after = read_page(broker.metrics_port)

    assert before is not None
    assert after is not None
    assert (after.total("kafka_topic_messages_in_total", topic=topic) or 0) == 3 + (
        before.total("kafka_topic_messages_in_total", topic=topic) or 0
    )
    assert (after.total("kafka_log_end_offset", topic=topic) or 0) >= 3
    assert after.values("kafka_offline_partitions") == [0]
    assert after.values("kafka_active_controllers") == [1]
    assert ports_open_to_others(broker.component.members()) == set()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for heartbeats of the present: they would end the past days of tests on a shared one."""
    with Broker(tmp_path) as started:
        started.create_topics(partitions=1)
        yield started


def test_the_heartbeat_verb_exposes_how_often_it_beat(own_broker: Broker, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    heartbeat = Component("heartbeat", tmp_path)
    command = [sys.executable, "-m", "infra.heartbeat", "--every", "0.1", "--metrics-port", str(port)]
    heartbeat.start(command, {"STOCKSTREAM_BOOTSTRAP_SERVERS": own_broker.bootstrap_servers})

    def beats() -> float:
        page = read_page(port)
        return (page.total("stockstream_heartbeats_total") or 0) if page else 0

    try:
        wait_until(lambda: beats() >= 2, 60, "two heartbeats")
        assert ports_open_to_others(heartbeat.members()) == set()
    finally:
        heartbeat.stop()
    assert read_page(port) is None
