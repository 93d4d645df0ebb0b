"""Malformed messages of every kind, mixed one to one with good ones, through the live features job."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode, message_key
from infra.contracts.topics import CLICKSTREAM, FEATURES, ITEMS, STOCK_LEVELS, TOPICS
from infra.kafka import HEARTBEAT_KEY, Producer, read_to_end, topic_partitions
from infra.local.broker import Broker
from infra.local.processes import wait_until
from tests.integration.click_corpus import click
from tests.integration.features_job import FeaturesJob
from tests.integration.malformed_kinds import KINDS, Kind
from tests.integration.recovery_run import Identity, archived_places, place, source_place
from tests.integration.replayed_shop import midnight

PARTITIONS = range(4)
DAY = date(2011, 11, 1)
SKUS = [f"GOOD-{number}" for number in range(20)]
TOPICS_READ = (CLICKSTREAM, STOCK_LEVELS)
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class MalformedOutcome:
    """What became of the messages; all but the first three must be 0.

    Attributes:
        malformed: malformed messages sent, with as many good ones.
        kinds: in how many ways they break a contract.
        dead_letters: dead letters there are.
        not_refused: kinds of malformed messages without a dead letter, with how many of them have none.
        repeated: dead letters of a message that has one already.
        wrong_place: dead letters whose headers lead to no record of the same key and bytes.
        wrong_reason: kinds whose reason names another field than the broken one, with such a reason.
        good_refused: good messages among the dead letters.
        good_lost: views and stock levels that no final row or archived record holds.
        restarts: restarts of the job by Flink.
    """

    malformed: int
    kinds: int
    dead_letters: int
    not_refused: Mapping[str, int]
    repeated: int
    wrong_place: int
    wrong_reason: Mapping[str, str]
    good_refused: int
    good_lost: int
    restarts: int


class MixedStream:
    """Sends the messages, and knows what each was."""

    def __init__(self, producer: Producer, count: int) -> None:
        self._producer = producer
        self._count = count
        self._malformed: dict[tuple[str, bytes], Kind] = {}
        self.good: Counter[str] = Counter()

    def send(self) -> None:
        """Sends all pairs of a malformed and a good message, spread over one day, and closes the day."""
        for number in range(self._count):
            kind = KINDS[number % len(KINDS)]
            time_ms = midnight(DAY) + number * _DAY_MS // self._count
            value = kind.broken(self._event(f"bad-{number}", time_ms, kind.topic, number))
            self._malformed[kind.topic, value] = kind
            self._producer.send_bytes(kind.topic, message_key("BAD", "gb-main"), value)
            self._send_good(number, time_ms)
        self._producer.flush()
        for topic in (*TOPICS_READ, ITEMS):
            self._producer.send_heartbeat(topic, midnight(DAY + timedelta(days=1)) + 60_001)
        self._producer.flush()

    def kind_of(self, record: ConsumerRecord) -> Kind | None:
        """In which way a record of an input topic is malformed; None if it is a good one."""
        return self._malformed.get((record.topic, record.value))

    def _send_good(self, number: int, time_ms: int) -> None:
        topic = STOCK_LEVELS if number % 5 == 0 else CLICKSTREAM
        event = self._event(f"good-{number}", time_ms, topic, number)
        self._producer.send_bytes(topic, message_key(event["sku"], "gb-main"), json.dumps(event).encode())
        self.good[topic] += 1

    def _event(self, name: str, time_ms: int, topic: str, number: int) -> dict[str, Any]:
        own = {"event_type": "level", "on_hand": 5} if topic == STOCK_LEVELS else {}
        return click(name, time_ms, sku=SKUS[number % len(SKUS)], **own)


def run_malformed(run_dir: Path, count: int) -> MalformedOutcome:
    """Sends so many malformed messages and as many good ones to the running job, and checks all of them."""
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=len(PARTITIONS))
        producer = Producer(broker.bootstrap_servers)
        stream, job = MixedStream(producer, count), FeaturesJob(broker, run_dir)
        try:
            job.start()
            stream.send()
            wait_until(lambda: _final_views(broker) is not None, 300, "the final rows")
            restarts = job.restarts()
            job.stop()
        finally:
            job.component.stop()
            producer.close()
        return _outcome(broker, stream, run_dir, restarts)


def _read(broker: Broker, *topics: str) -> list[ConsumerRecord]:
    return list(read_to_end(broker.bootstrap_servers, topic_partitions(topics, PARTITIONS)))


def _final_views(broker: Broker) -> int | None:
    """Views of the day's final rows; None while one of them is missing."""
    rows = [decode(FEATURES, record.value) for record in _read(broker, FEATURES)]
    views = {row.sku: int(row.values["views"]) for row in rows if row.is_final}
    return sum(views.values()) if views.keys() >= set(SKUS) else None


def _outcome(broker: Broker, stream: MixedStream, run_dir: Path, restarts: int) -> MalformedOutcome:
    written = {place(r): r for r in _read(broker, *TOPICS_READ) if r.key != HEARTBEAT_KEY}
    malformed = {where: kind for where, record in written.items() if (kind := stream.kind_of(record))}
    letters = _read(broker, *(TOPICS[topic].dead_letters for topic in TOPICS_READ))
    letter_of = {source_place(letter): letter for letter in letters}
    archived = set(archived_places(run_dir / "archive"))
    good_archived = Counter(topic for topic, _, _ in archived - malformed.keys())
    views_lost = abs(stream.good[CLICKSTREAM] - (_final_views(broker) or 0))
    return MalformedOutcome(
        malformed=len(malformed),
        kinds=len(set(malformed.values())),
        dead_letters=len(letters),
        not_refused=Counter(kind.name for where, kind in malformed.items() if where not in letter_of),
        repeated=len(letters) - len(letter_of),
        wrong_place=sum(not _is_copy(letter, written) for letter in letters),
        wrong_reason=_wrong_reasons(letter_of, malformed),
        good_refused=len(letter_of.keys() - malformed.keys()),
        good_lost=views_lost + (stream.good - good_archived).total(),
        restarts=restarts,
    )


def _is_copy(letter: ConsumerRecord, written: Mapping[Identity, ConsumerRecord]) -> bool:
    original = written.get(source_place(letter))
    return original is not None and (original.key, original.value) == (letter.key, letter.value)


def _wrong_reasons(
    letter_of: Mapping[Identity, ConsumerRecord], malformed: Mapping[Identity, Kind]
) -> dict[str, str]:
    """Kinds with a reason that does not say which field of which topic is wrong."""
    wrong = {}
    for where in letter_of.keys() & malformed.keys():
        kind, reason = malformed[where], dict(letter_of[where].headers)["reason"].decode()
        if not reason.startswith(f"{kind.topic}: field '{kind.field}' has value "):
            wrong[kind.name] = reason
    return wrong
