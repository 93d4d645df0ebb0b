"""What every log follower measures: its lag, what it reads and writes, how far event time has come."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from infra.metrics import Meters

_INTERVAL_SECONDS = 1.0
_INSTANTS = ("event_time_ms", "matured_ms", "origin_ms", "window_end_ms", "epoch_ms", "as_of_ms")


def instant_ms(message: Any) -> int:
    """The event time that a message is about, whatever its contract calls it; 0 where it has none."""
    return next((getattr(message, name) for name in _INSTANTS if hasattr(message, name)), 0)


class LogMeters:
    """Measures one stage's follower; gauges are set at most once a second."""

    def __init__(self, stage: str, meters: Meters) -> None:
        self._stage, self._meters = stage, meters
        self._newest: dict[str, int] = {}
        self._recorded = 0.0

    def note_rebuilt(self, seconds: float) -> None:
        """The state has been rebuilt from the log."""
        self._meters.record("stockstream_rebuild_seconds", seconds, stage=self._stage)

    def note_message(self, topic: str, message: Any) -> None:
        """A valid message has been taken."""
        self._newest[topic] = max(self._newest.get(topic, 0), instant_ms(message))

    def note_read(self, topic: str, count: int) -> None:
        """Records of a topic have been read."""
        self._meters.record("stockstream_records_total", count, stage=self._stage, topic=topic)

    def note_published(self, topics: Iterable[str]) -> None:
        """A message to each of the topics has been acknowledged."""
        for topic, count in Counter(topics).items():
            self._meters.record("stockstream_published_total", count, stage=self._stage, topic=topic)

    def note_poll(self, consumer: KafkaConsumer, assigned: Sequence[TopicPartition]) -> None:
        """The log has been asked for more."""
        if time.monotonic() - self._recorded < _INTERVAL_SECONDS:
            return
        self._recorded = time.monotonic()
        self._meters.record("stockstream_last_poll_seconds", time.time(), stage=self._stage)
        for topic, newest in self._newest.items():
            self._meters.record("stockstream_event_time_seconds", newest / 1000, topic=topic)
        for topic in {partition.topic for partition in assigned}:
            lag = sum(_lag(consumer, partition) for partition in assigned if partition.topic == topic)
            self._meters.record("stockstream_consumer_lag_records", lag, stage=self._stage, topic=topic)


def _lag(consumer: KafkaConsumer, partition: TopicPartition) -> int:
    """Records behind the end that the broker told with the last fetch."""
    end = consumer.highwater(partition)
    return 0 if end is None else max(0, int(end) - int(consumer.position(partition)))
