"""The real engines on a log: written to Kafka as a live shop does, through the features job and Spark."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from kafka.consumer.fetcher import ConsumerRecord
from pyspark.sql import SparkSession

from batch.feature_history import feature_rows
from infra.contracts.codec import decode, message_key
from infra.contracts.features import FEATURE_NAMES
from infra.contracts.topics import FEATURES
from infra.kafka import HEARTBEAT_KEY, read_to_end, topic_partitions
from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, wait_until
from tests.parity.event_log import ZONE, Arrival, Message, RowKey, Values, heartbeats, in_order
from tests.parity.job_gate import TOPICS

PARTITIONS = range(4)


def send_live(broker: Broker, arrivals: Iterable[Arrival], days: Sequence[date]) -> None:
    """Writes each event when it arrives, by the record's timestamp, and the heartbeats of the days' ends."""
    beats = [(at, (topic, message)) for at, message in heartbeats(days) for topic in TOPICS]
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, acks="all", linger_ms=5, compression_type="gzip"
    )
    try:
        sent = [_send(producer, at, topic, message) for at, (topic, message) in in_order([*arrivals, *beats])]
        producer.flush(timeout=120)
        failed = [each.exception for futures in sent for each in futures if each.failed()]
    finally:
        producer.close(timeout=10)
    assert failed == []


def _send(producer: KafkaProducer, at: int, topic: str, message: Message) -> list[Any]:
    value = json.dumps(message).encode()
    if "sku" in message:
        key = message_key(message["sku"], message["location"])
        return [producer.send(topic, key=key, value=value, timestamp_ms=at)]
    return [
        producer.send(topic, key=HEARTBEAT_KEY, value=value, partition=each, timestamp_ms=at)
        for each in PARTITIONS
    ]


def run_bounded_job(run_dir: Path, broker: Broker, timeout_seconds: float, step_seconds: int = 3600) -> None:
    """Runs the job to the present ends of the topics; it must end well."""
    settings = {
        "RUN_DIR": str(run_dir),
        "BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CHECKPOINT_INTERVAL_SECONDS": "1",
        "FEATURE_STEP_SECONDS": str(step_seconds),
        "FLINK_METRICS_PORT": str(free_ports(1)[0]),
    }
    job = Component("features", run_dir)
    environment = {f"STOCKSTREAM_{name}": value for name, value in settings.items()}
    job.start([sys.executable, "-m", "streaming.demand_features_job", "--bounded"], environment)
    try:
        wait_until(lambda: not job.is_running(), timeout_seconds, "end of the bounded job")
        assert job.exit_status() == 0, job.last_log_lines()
    finally:
        job.stop()


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
