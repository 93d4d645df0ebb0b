from dataclasses import dataclass, field

import pytest

from infra.contracts.codec import encode
from infra.contracts.topics import (
    CALENDARS,
    CHECKED_BY_SERVING,
    CLICKSTREAM,
    ITEMS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from infra.errors import ContractError, StockstreamError
from serving.dead_letters import DeadLetters
from serving.partition_log import owned_partitions, read
from tests.unit.serving.records import OPENING, calendar, level


@dataclass
class Record:
    """What a Kafka record looks like to its readers."""

    topic: str = STOCK_LEVELS
    partition: int = 0
    offset: int = 7
    value: bytes | None = None
    timestamp: int = OPENING
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def test_every_partition_is_owned_by_exactly_one_replica() -> None:
    owned = [owned_partitions(rank, 3, 12) for rank in range(3)]

    assert sorted(partition for each in owned for partition in each) == list(range(12))


@pytest.mark.parametrize(("rank", "replicas"), [(0, 3), (2, 2), (-1, 2)])
def test_replicas_that_do_not_divide_the_partitions_are_refused(rank: int, replicas: int) -> None:
    with pytest.raises(StockstreamError, match=r"divide|rank"):
        owned_partitions(rank, replicas, 4)


def test_an_event_time_after_the_record_was_written_is_refused() -> None:
    on_time = Record(value=encode(STOCK_LEVELS, level("A", 1, OPENING + 300_000)))
    too_far = Record(value=encode(STOCK_LEVELS, level("A", 1, OPENING + 300_001)))

    assert read(on_time).message.on_hand == 1
    with pytest.raises(ContractError, match="event_time_ms"):
        read(too_far)


@pytest.mark.parametrize("value", [b"\xff", b"{}", None, b'{"version":2,"event_type":"level"}'])
def test_what_breaks_the_contract_is_refused(value: bytes | None) -> None:
    with pytest.raises(ContractError):
        read(Record(value=value))


def test_a_calendar_in_an_unknown_zone_is_refused() -> None:
    known = encode(CALENDARS, calendar())

    assert read(Record(topic=CALENDARS, value=known)).message == calendar()
    with pytest.raises(ContractError, match="time_zone"):
        read(Record(topic=CALENDARS, value=known.replace(b"Europe/London", b"Europe/Nowhere")))


def letters(owned: int = 0) -> DeadLetters:
    return DeadLetters(frozenset(CHECKED_BY_SERVING), frozenset({owned}), 2)


@pytest.mark.parametrize("topic", sorted(CHECKED_BY_SERVING))
def test_an_invalid_record_becomes_a_dead_letter_once_and_of_its_owner_only(topic: str) -> None:
    record = Record(topic=topic)
    ours, theirs = letters(0), letters(1)

    assert [ours.takes(record), ours.takes(record), theirs.takes(record)] == [True, False, False]


def test_a_letter_sent_before_a_restart_is_not_sent_again() -> None:
    restarted = letters()
    headers = [("source_topic", CALENDARS), ("source_partition", "0"), ("source_offset", "7")]
    restarted.remember([Record(headers=[(name, text.encode()) for name, text in headers])])

    assert not restarted.takes(Record(topic=CALENDARS))
    assert restarted.takes(Record(topic=PURCHASE_ORDERS))


@pytest.mark.parametrize("topic", [STOCK_LEVELS, CLICKSTREAM, ITEMS])
def test_what_the_features_job_checks_is_left_to_it(topic: str) -> None:
    assert not letters().takes(Record(topic=topic))
