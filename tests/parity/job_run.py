"""The real engines on a log: written to Kafka as a live shop does, through the features job and Spark."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from kafka import KafkaProducer
from kafka.consumer.fetcher import ConsumerRecord
from pyspark.sql import SparkSession

from batch.feature_history import feature_rows
from infra.contracts.codec import decode, message_key
from infra.contracts.features import FEATURE_NAMES
from infra.contracts.topics import FEATURES
from infra.kafka import HEARTBEAT_KEY, read_to_end, topic_partitions
from infra.local.broker import Broker
from tests.parity.event_log import ZONE, Arrival, Message, RowKey, Values, heartbeats, in_order
from tests.parity.job_gate import TOPICS

PARTITIONS = range(4)


def send_live(broker: Broker, arrivals: Iterable[Arrival], days: Sequence[date]) -> None:
    """Writes each event when it arrives, by the record's timestamp, and the heartbeats of the days' ends."""
    beats = [(at, (topic, message)) for at, message in heartbeats(days) for topic in TOPICS]
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, acks="all", linger_ms=5, compression_type="gzip"
    )
    failures: list[Exception] = []
    try:
        for at, (topic, message) in in_order([*arrivals, *beats]):
            for partition in [None] if "sku" in message else PARTITIONS:
                record = {"key": _key(message), "value": json.dumps(message).encode(), "partition": partition}
                producer.send(topic, **record, timestamp_ms=at).add_errback(failures.append)
        producer.flush(timeout=120)
    finally:
        producer.close(timeout=10)
    assert failures == []


def _key(message: Message) -> bytes:
    return message_key(message["sku"], message["location"]) if "sku" in message else HEARTBEAT_KEY


def records_of(broker: Broker, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic."""
    return list(read_to_end(broker.bootstrap_servers, topic_partitions([topic], PARTITIONS)))


def streamed_rows(broker: Broker) -> dict[RowKey, Values]:
    """The final rows of the job; each must have been written once."""
    rows = [decode(FEATURES, record.value) for record in records_of(broker, FEATURES)]
    final = [row for row in rows if row.is_final]
    by_key = {(row.sku, row.window_start_ms, row.window_end_ms): row.values for row in final}
    assert len(by_key) == len(final)
    return by_key


def batch_rows(spark: SparkSession, events: Path, late_count: bool = False) -> dict[RowKey, Values]:
    """The rows of Spark."""
    rows = feature_rows(spark, events, ZONE, late_count).collect()
    return {
        (row["sku"], row["window_start_ms"], row["window_end_ms"]): {
            name: row[name] for name in FEATURE_NAMES
        }
        for row in rows
    }
