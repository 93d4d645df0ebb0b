"""What the topics of a stack hold, read from the beginning."""

from typing import Any

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISIONS, FEATURES, FORECASTS
from infra.kafka import make_consumer, read_to_end, topic_partitions
from infra.settings import Settings


def records_of(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic, in the order of each partition."""
    return list(
        read_to_end(settings.bootstrap_servers, topic_partitions([topic], range(settings.partitions)))
    )


def messages_of(settings: Settings, topic: str) -> list[Any]:
    """Every message of a topic."""
    return [decode(topic, record.value) for record in records_of(settings, topic)]


def decisions_of(settings: Settings) -> dict[str, tuple[str, int, str]]:
    """Digest, quantity and status by decision id; a decision that was written twice must be the same."""
    found: dict[str, ReorderDecision] = {}
    for decision in messages_of(settings, DECISIONS):
        assert found.setdefault(decision.decision_id, decision) == decision
    return {id_: (d.input_digest, d.quantity, d.status) for id_, d in found.items()}


def forecasts_of(settings: Settings) -> dict[tuple[str, str, int], bytes]:
    """Bytes of each forecast; one that was written twice must have the same bytes."""
    found: dict[tuple[str, str, int], bytes] = {}
    for record in records_of(settings, FORECASTS):
        forecast = decode(FORECASTS, record.value)
        key = (forecast.sku, forecast.location, forecast.origin_ms)
        assert found.setdefault(key, record.value) == record.value
    return found


def final_features_of(settings: Settings) -> dict[tuple[str, str, int], bytes]:
    """Bytes of each final feature row; one that was written twice must have the same bytes."""
    found: dict[tuple[str, str, int], bytes] = {}
    for record in records_of(settings, FEATURES):
        row = decode(FEATURES, record.value)
        if row.is_final:
            key = (row.sku, row.location, row.window_end_ms)
            assert found.setdefault(key, record.value) == record.value
    return found


def beginning_offsets(settings: Settings, topics: list[str]) -> dict[TopicPartition, int]:
    """First offset of every partition."""
    consumer = make_consumer(settings.bootstrap_servers)
    try:
        return dict(consumer.beginning_offsets(topic_partitions(topics, range(settings.partitions))))
    finally:
        consumer.close()
