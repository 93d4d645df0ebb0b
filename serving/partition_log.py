"""A stage's thread: rebuilds its state from the log, then follows it. Kafka only here, rules in the stages.

A replica reads the partitions that its rank owns from their beginning, its own outputs included, so that
nothing depends on committed offsets; what it publishes is acknowledged before it goes on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from pydantic import BaseModel

from infra.contracts.codec import decode
from infra.errors import ContractError, StockstreamError, WaitExpired
from infra.kafka import Producer, make_consumer, read_to_end
from infra.metrics import Meters
from serving.dead_letters import DeadLetters
from serving.log_meters import LogMeters

_FUTURE_ALLOWANCE_MS = 5 * 60_000
_POLL_MS = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A valid record of a contract topic."""

    topic: str
    partition: int
    offset: int
    message: Any


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish."""

    topic: str
    key: bytes
    message: BaseModel


class Stage(Protocol):
    """The rules of a deployment, free of Kafka, Ray and the clock."""

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        ...

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Batches to publish at `now` (seconds); the next is asked for once the last is acknowledged."""
        ...


def owned_partitions(rank: int, replicas: int, partitions: int) -> frozenset[int]:
    """The partitions of one replica: those that leave the remainder `rank`.

    Raises:
        StockstreamError: the replicas do not divide the partitions, or the rank is not among them.
    """
    if partitions % replicas:
        raise StockstreamError(f"replicas has value {replicas}: it must divide the {partitions} partitions")
    if not 0 <= rank < replicas:
        raise StockstreamError(f"replica rank {rank} is not within 0..{replicas - 1}")
    return frozenset(range(rank, partitions, replicas))


class LogFollower:
    """Runs a stage on its partitions in one thread."""

    def __init__(
        self,
        name: str,
        bootstrap_servers: str,
        assigned: Sequence[TopicPartition],
        stage: Stage,
        meters: Meters,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self._name, self._servers, self._assigned = name, bootstrap_servers, list(assigned)
        self._stage, self._meters, self._measured = stage, meters, LogMeters(name, meters)
        self._dead_letters = dead_letters or DeadLetters(frozenset(), frozenset(), 0)
        self._positions: dict[TopicPartition, int] = {}
        self._stopping, self._caught_up = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._last_poll = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, timeout_seconds: float) -> None:
        """Starts the thread; returns when the state is rebuilt and everything due has been published.

        Raises:
            StockstreamError: the thread ended, or did not get there in time.
        """
        self._thread.start()
        if not self._caught_up.wait(timeout_seconds):
            self.stop()
            raise WaitExpired(f"{self._name}: state not rebuilt within {timeout_seconds:g} s")
        self.check(timeout_seconds)

    def check(self, silent_seconds: float) -> None:
        """Returns if the thread lives and has polled lately.

        Raises:
            StockstreamError: it ended, or has not polled for `silent_seconds`.
        """
        if self._error is not None:
            raise StockstreamError(f"{self._name}: the log thread ended: {self._error!r}")
        silent = time.monotonic() - self._last_poll
        if silent > silent_seconds:
            raise StockstreamError(f"{self._name}: no poll for {silent:.0f} s")

    def stop(self) -> None:
        """Ends the thread after the batch in hand."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=20)

    def _run(self) -> None:
        try:
            producer = Producer(self._servers)
            try:
                self._rebuild(producer)
                self._follow(producer)
            finally:
                producer.close()
        except BaseException as error:
            log.exception("%s: the log thread ended", self._name)
            self._error = error
        finally:
            self._caught_up.set()

    def _rebuild(self, producer: Producer) -> None:
        started = time.monotonic()
        if letters := self._dead_letters.partitions():
            self._dead_letters.remember(read_to_end(self._servers, letters))
        for record in read_to_end(self._servers, self._assigned):
            self._take([record], producer)
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._publish(producer)
        self._measured.note_rebuilt(time.monotonic() - started)
        self._caught_up.set()

    def _follow(self, producer: Producer) -> None:
        consumer = make_consumer(self._servers)
        try:
            self._seek(consumer)
            while not self._stopping.is_set():
                for partition, records in consumer.poll(timeout_ms=_POLL_MS).items():
                    self._take(records, producer)
                    self._measured.note_read(partition.topic, len(records))
                self._last_poll = time.monotonic()
                self._measured.note_poll(consumer, self._assigned)
                self._publish(producer)
        finally:
            consumer.close()

    def _seek(self, consumer: KafkaConsumer) -> None:
        consumer.assign(self._assigned)
        for partition in self._assigned:
            if partition in self._positions:
                consumer.seek(partition, self._positions[partition])
            else:
                consumer.seek_to_beginning(partition)

    def _take(self, records: Sequence[ConsumerRecord], producer: Producer) -> None:
        self._last_poll = time.monotonic()
        for record in records:
            try:
                entry = read(record)
                self._stage.apply(entry)
                self._measured.note_message(entry.topic, entry.message)
            except ContractError as error:
                self._reject(record, error, producer)

    def _reject(self, record: ConsumerRecord, error: ContractError, producer: Producer) -> None:
        log.warning("%s[%d]@%d: %s", record.topic, record.partition, record.offset, error)
        if self._dead_letters.takes(record):
            producer.send_dead_letter(record, error)
            self._meters.record("stockstream_dead_letters_total", topic=record.topic)
        else:
            self._meters.record("stockstream_unreadable_total", topic=record.topic)

    def _publish(self, producer: Producer) -> None:
        for batch in self._stage.due(time.monotonic()):
            for outgoing in batch:
                producer.send(outgoing.topic, outgoing.key, outgoing.message)
            producer.flush()
            self._measured.note_published(outgoing.topic for outgoing in batch)


def read(record: ConsumerRecord) -> Entry:
    """The entry in a record.

    Raises:
        ContractError: it breaks its contract, or its event time is over 5 minutes after it was written.
    """
    message = decode(record.topic, record.value)
    event_time_ms = getattr(message, "event_time_ms", 0)
    if event_time_ms > record.timestamp + _FUTURE_ALLOWANCE_MS:
        accepted = f"at most 5 minutes after the record was written ({record.timestamp}) is accepted"
        raise ContractError(record.topic, "event_time_ms", event_time_ms, accepted)
    return Entry(record.topic, record.partition, record.offset, message)
