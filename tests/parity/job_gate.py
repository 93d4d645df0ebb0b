"""A pure model of how the features job's sources judge records, in order of arrival.

Watermarks by partition, clocks that run ahead, late events, duplicates: the rules of `streaming/sources.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS
from tests.parity.event_log import BOUND_MS, Arrival, Message, Sent, heartbeats, in_order
from tests.parity.job_rows import local_day

FUTURE_ALLOWANCE_MS = 300_000
PARTITIONS = 3
TOPICS = (CLICKSTREAM, STOCK_LEVELS, ITEMS)

Verdict = Literal["accepted", "heartbeat", "duplicate", "late", "dead letter"]


@dataclass(frozen=True)
class Record:
    """A message in a partition, and when it was written there."""

    topic: str
    partition: int
    written_ms: int
    message: Message


def records(arrivals: Sequence[Arrival], days: Sequence[date], place: Callable[[str], int]) -> list[Record]:
    """What a live shop writes: its events, each in the partition of its SKU, and every day's heartbeats."""
    beats = [(at, (topic, message)) for at, message in heartbeats(days) for topic in TOPICS]
    return [
        Record(topic, partition, at, message)
        for at, (topic, message) in in_order([*arrivals, *beats])
        for partition in ([place(message["sku"])] if "sku" in message else range(PARTITIONS))
    ]


@dataclass
class Gate:
    """What the job has accepted so far, and up to when event time is complete."""

    accepted: list[Sent] = field(default_factory=list)
    _reached: dict[tuple[str, int], int] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def watermark(self, topic: str) -> int:
        """Event time that every partition of the topic has passed."""
        return min(self._reached.get((topic, each), 0) for each in range(PARTITIONS)) - BOUND_MS - 1

    def closed_until(self) -> int:
        """Windows that end up to here are final."""
        return min(self.watermark(topic) for topic in TOPICS) + 1

    def take(self, record: Record) -> Verdict:
        """Reads the next record."""
        verdict = self._verdict(record)
        place, time_ms = (record.topic, record.partition), record.message["event_time_ms"]
        if verdict != "dead letter":
            self._reached[place] = max(self._reached.get(place, 0), time_ms)
        if verdict == "accepted":
            self._seen.add((record.topic, record.message["event_id"]))
            self.accepted.append((record.topic, record.message))
        return verdict

    def _verdict(self, record: Record) -> Verdict:
        message = record.message
        if message["event_time_ms"] > record.written_ms + FUTURE_ALLOWANCE_MS:
            return "dead letter"
        if message["event_type"] == "heartbeat":
            return "heartbeat"
        if _closes(record.topic, message["event_time_ms"]) <= self.watermark(record.topic):
            return "late"
        return "duplicate" if (record.topic, message["event_id"]) in self._seen else "accepted"


def _closes(topic: str, time_ms: int) -> float:
    """Event time from which on an event of the topic comes too late."""
    if topic == ITEMS:
        return float("inf")
    return local_day(time_ms)[1] if topic == CLICKSTREAM else time_ms
