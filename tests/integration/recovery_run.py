"""A stream that goes on while the features job is killed, and what it must have left in the end.

The shop and its figures are simulated. The reference is a plain sum over what was sent.
"""

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode
from infra.contracts.topics import CLICKSTREAM, FEATURES, STOCK_LEVELS, TOPICS
from infra.kafka import HEARTBEAT_KEY, Producer, make_consumer, read_to_end, topic_partitions
from infra.local.broker import Broker
from infra.local.processes import wait_until
from tests.integration.features_job import FeaturesJob
from tests.integration.hourly_shop import SKUS, DayOfSku, Row, Shop

PARTITIONS = range(4)
DEAD_LETTERS = TOPICS[CLICKSTREAM].dead_letters
_HOURS_PER_SECOND = 12
_KILL_WITHIN_SECONDS = 3.0

Identity = tuple[str, int, int]


@dataclass(frozen=True)
class Outcome:
    """What a run left; all but the first three must be 0, `*_repeated` only with exactly-once.

    Attributes:
        kills: how often the job was killed.
        final_rows: final rows there must be, and dead letters there must be.
        records: records that must be archived.
        rows_lost: final rows that are missing.
        rows_wrong: final rows that say something else than the reference, or that it does not know.
        rows_repeated: feature rows of a key and window that was written before.
        rows_differing: keys and windows with rows of different bytes.
        letters_lost: malformed messages without a dead letter.
        letters_repeated: dead letters of a message that had one before.
        letters_differing: messages with dead letters of different bytes, or of other bytes than its own.
        archive_lost: records that are not in the archive.
        archive_repeated: lines of the archive that repeat a record.
    """

    kills: int
    final_rows: int
    records: int
    rows_lost: int
    rows_wrong: int
    rows_repeated: int
    rows_differing: int
    letters_lost: int
    letters_repeated: int
    letters_differing: int
    archive_lost: int
    archive_repeated: int


class RecoveryRun:
    """A broker, a shop that never waits, and the job."""

    def __init__(self, broker: Broker, producer: Producer, rng: random.Random) -> None:
        self.job = FeaturesJob(broker, broker.component.run_dir)
        self.shop = Shop(producer, rng)
        self.kills = 0
        self._broker = broker
        self._rng = rng
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._send_until_closing)
        self._sender.start()

    def _send_until_closing(self) -> None:
        while not (self._closing.is_set() and self.shop.day_is_complete):
            self.shop.send_hour()
            self._closing.wait(1 / _HOURS_PER_SECOND)
        self.shop.close_last_day()

    def kill_at_random(self, after_checkpoint: bool = True) -> None:
        """Kills the job at a random moment: at work and after a checkpoint of its own, or even before."""
        if after_checkpoint:
            written = self.ends()
            wait_until(lambda: self.ends() != written, 120, "further rows or dead letters")
            self.job.wait_for_checkpoint()
        self._closing.wait(self._rng.uniform(0, _KILL_WITHIN_SECONDS))
        self.job.kill()
        self.kills += 1

    def wait_for_news(self) -> None:
        """Returns when the job has written rows and dead letters that had not been written before."""
        identities = {FEATURES: row_identity, DEAD_LETTERS: source_place}
        old = {topic: self._identities(topic, identity) for topic, identity in identities.items()}

        def has_news() -> bool:
            return all(self._identities(topic, identities[topic]) - old[topic] for topic in old)

        wait_until(has_news, 60, "further rows and dead letters")

    def _identities(self, topic: str, identity: Callable[[ConsumerRecord], Identity]) -> set[Identity]:
        return set(map(identity, self.read(topic)))

    def close_shop(self) -> None:
        """Ends the last day."""
        self._closing.set()
        self._sender.join(timeout=60)

    def finish(self) -> None:
        """Ends the stream, waits for its last final rows and the archive, stops the job."""
        self.close_shop()
        last_day = max(start_ms for _, start_ms in self.shop.expected)
        wanted = {(sku, last_day) for sku in SKUS}
        wait_until(lambda: final_rows(self.read(FEATURES)).keys() >= wanted, 120, "the last final rows")
        self.job.stop()

    def read(self, topic: str) -> list[ConsumerRecord]:
        """Committed records of the topic."""
        return list(read_to_end(self._broker.bootstrap_servers, topic_partitions([topic], PARTITIONS)))

    def ends(self) -> Mapping[TopicPartition, int]:
        """Where the topics that the job writes end now."""
        consumer = make_consumer(self._broker.bootstrap_servers)
        try:
            ends: Mapping[TopicPartition, int] = consumer.end_offsets(
                topic_partitions([FEATURES, DEAD_LETTERS], PARTITIONS)
            )
            return ends
        finally:
            consumer.close()

    def outcome(self, since: Mapping[TopicPartition, int] = MappingProxyType({})) -> Outcome:
        """Compares what there is with what there must be.

        Args:
            since: offsets of the written topics from which on repetitions count.
        """
        rows, letters = self.read(FEATURES), self.read(DEAD_LETTERS)
        finals = final_rows(rows)
        written = [record for topic in (CLICKSTREAM, STOCK_LEVELS) for record in self.read(topic)]
        sent = {place(record): record.value for record in written if record.key != HEARTBEAT_KEY}
        broken = {where: value for where, value in sent.items() if b"broken-" in value}
        archived = Counter(archived_places(self.job.run_dir / "archive"))
        values, letter_values = values_of(rows, row_identity), values_of(letters, source_place)
        return Outcome(
            kills=self.kills,
            final_rows=len(self.shop.expected),
            records=len(sent),
            rows_lost=len(self.shop.expected.keys() - finals.keys()),
            rows_wrong=sum(row != self.shop.expected.get(key) for key, row in finals.items()),
            rows_repeated=repetitions(rows, row_identity, since),
            rows_differing=sum(len(found) > 1 for found in values.values()),
            letters_lost=len(broken.keys() - letter_values.keys()),
            letters_repeated=repetitions(letters, source_place, since),
            letters_differing=sum({broken.get(where)} != found for where, found in letter_values.items()),
            archive_lost=len(sent.keys() - archived.keys()),
            archive_repeated=sum(count - 1 for count in archived.values()),
        )


@contextmanager
def recovery_run(run_dir: Path, seed: int) -> Iterator[RecoveryRun]:
    """A run with its own broker; all of it ends with the block."""
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=len(PARTITIONS))
        producer = Producer(broker.bootstrap_servers)
        run = RecoveryRun(broker, producer, random.Random(seed))
        try:
            yield run
        finally:
            run.close_shop()
            run.job.component.stop()
            producer.close()


def run_with_kills(run_dir: Path, seed: int, kills: int, *options: str) -> Outcome:
    """Kills the job so often at random moments, some before its first checkpoint; it comes to the end."""
    moments = random.Random(seed)
    with recovery_run(run_dir, seed) as run:
        run.job.start(*options)
        for _ in range(kills):
            run.kill_at_random(after_checkpoint=moments.random() < 0.8)
            run.job.start(*options)
        run.finish()
        return run.outcome()


def final_rows(records: list[ConsumerRecord]) -> dict[Row, DayOfSku]:
    """What the final rows say, by SKU and start of the day."""
    rows = (decode(FEATURES, record.value) for record in records)
    return {
        (row.sku, row.window_start_ms): DayOfSku(
            int(row.values["views"]),
            int(row.values["units"]),
            round(row.values["in_stock_share"] * (row.window_end_ms - row.window_start_ms)),
        )
        for row in rows
        if row.is_final
    }


def place(record: ConsumerRecord) -> Identity:
    return record.topic, record.partition, record.offset


def source_place(letter: ConsumerRecord) -> Identity:
    """Where the original of a dead letter lies."""
    headers = {name: value.decode() for name, value in letter.headers}
    return headers["source_topic"], int(headers["source_partition"]), int(headers["source_offset"])


def row_identity(record: ConsumerRecord) -> Identity:
    row = decode(FEATURES, record.value)
    return row.sku, row.window_start_ms, row.window_end_ms


def values_of(
    records: list[ConsumerRecord], identity: Callable[[ConsumerRecord], Identity]
) -> dict[Identity, set[bytes]]:
    """The different bytes written for each identity."""
    found: dict[Identity, set[bytes]] = defaultdict(set)
    for record in records:
        found[identity(record)].add(record.value)
    return found


def repetitions(
    records: list[ConsumerRecord],
    identity: Callable[[ConsumerRecord], Identity],
    since: Mapping[TopicPartition, int],
) -> int:
    """Records from the given offsets on whose identity was written before; equal keys share a partition."""
    seen: set[Identity] = set()
    repeated = 0
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        old = record.offset < since.get(TopicPartition(record.topic, record.partition), 0)
        repeated += not old and identity(record) in seen
        seen.add(identity(record))
    return repeated


def archived_places(archive: Path) -> Iterator[Identity]:
    """The place of the record of every line in the archive's visible files."""
    for path in archive.glob("dataset=*/day=*/part-*"):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            yield row["topic"], int(row["partition"]), row["offset"]
