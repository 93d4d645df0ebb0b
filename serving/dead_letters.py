"""Which invalid records this replica sends to the dead letters, each once, restarts included."""

from collections.abc import Iterable

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.topics import TOPICS
from infra.kafka import topic_partitions

Source = tuple[str, int, int]
"""Topic, partition and offset of a record."""


class DeadLetters:
    """Decides which invalid records become dead letters here; remembers those that did."""

    def __init__(self, topics: frozenset[str], owned: frozenset[int], partition_count: int) -> None:
        self._topics, self._owned, self._partition_count = topics, owned, partition_count
        self._known: set[Source] = set()

    def partitions(self) -> list[TopicPartition]:
        """Where the dead letters of these topics are; a letter may be on any partition."""
        topics = sorted(TOPICS[topic].dead_letters for topic in self._topics)
        return topic_partitions(topics, range(self._partition_count))

    def remember(self, letters: Iterable[ConsumerRecord]) -> None:
        """Takes the letters sent so far."""
        for letter in letters:
            headers = {name: value.decode() for name, value in letter.headers}
            if {"source_topic", "source_partition", "source_offset"} <= headers.keys():
                partition, offset = int(headers["source_partition"]), int(headers["source_offset"])
                self._known.add((headers["source_topic"], partition, offset))

    def takes(self, record: ConsumerRecord) -> bool:
        """Whether an invalid record is to be sent now; at most once true for a record."""
        source = (record.topic, record.partition, record.offset)
        if record.topic not in self._topics or record.partition not in self._owned or source in self._known:
            return False
        self._known.add(source)
        return True
