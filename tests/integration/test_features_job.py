import base64
import json
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode
from infra.contracts.topics import CLICKSTREAM, FEATURES, ITEMS, PURCHASE_ORDERS, STOCK_LEVELS, TOPICS
from infra.errors import ContractError
from infra.kafka import Producer
from infra.local.broker import Broker
from tests.integration.click_corpus import FAR_FUTURE_MS, corpus, is_accepted, is_declared_difference
from tests.integration.features_job import FeaturesJob
from tests.integration.replayed_shop import (
    DAYS,
    HOUR,
    ORDINARY_DAY,
    SKUS,
    Shop,
    malformed_levels,
    midnight,
    ordinary_day,
    run_three_days,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose events have gone through the job."""
    run_dir = tmp_path_factory.mktemp("features")
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=4)
        started_ms = int(time.time() * 1000)
        shop = Shop(broker, Producer(broker.bootstrap_servers), run_dir, started_ms)
        job = FeaturesJob(broker, run_dir)
        try:
            run_three_days(shop, job)
            yield shop
        finally:
            job.component.stop()
            shop.producer.close()


def headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def positions(records: list[ConsumerRecord]) -> set[tuple[str, str, str]]:
    """Where the originals of dead letters or late events lie."""
    found = [headers(record) for record in records]
    return {(h["source_topic"], h["source_partition"], h["source_offset"]) for h in found}


@pytest.mark.parametrize("day", DAYS)
def test_a_day_of_24_or_25_hours_ends_with_one_exact_row_per_sku(shop: Shop, day: date) -> None:
    start_ms, end_ms = midnight(day), midnight(day + timedelta(days=1))
    expected = ORDINARY_DAY | {"in_stock_share": (18 * HOUR) / (end_ms - start_ms)}
    rows = {r.sku: r for r in shop.features() if r.is_final and r.window_start_ms == start_ms}
    assert {row.window_end_ms for row in rows.values()} == {end_ms}
    for sku in SKUS:
        assert {name: rows[sku].values[name] for name in expected} == expected


def test_rows_that_are_not_final_cover_part_of_the_day(shop: Shop) -> None:
    ends = {midnight(day + timedelta(days=1)) for day in DAYS}
    assert all(row.is_final == (row.window_end_ms in ends) for row in shop.features())
    hours = {row.window_end_ms - row.window_start_ms for row in shop.features() if row.sku == SKUS[0]}
    assert hours == {hour * HOUR for hour in range(1, 26)}


def test_a_restart_after_kill_9_repeats_rows_only_byte_for_byte(shop: Shop) -> None:
    versions: dict[tuple[str, int, int], set[bytes]] = {}
    for record in shop.read(FEATURES):
        row = decode(FEATURES, record.value)
        versions.setdefault((row.sku, row.window_start_ms, row.window_end_ms), set()).add(record.value)
    assert {len(values) for values in versions.values()} == {1}


def test_feature_rows_lie_in_the_partition_of_their_key_and_carry_the_wall_clock(shop: Shop) -> None:
    partition_of = {
        record.key: record.partition for record in shop.read(CLICKSTREAM) if record.key != b"heartbeat"
    }
    rows = shop.read(FEATURES)
    assert {(row.key, row.partition) for row in rows} == set(partition_of.items())
    assert min(row.timestamp for row in rows) > shop.started_ms


def test_every_message_that_breaks_the_contract_is_a_dead_letter_and_no_other(shop: Shop) -> None:
    refused = {value for value in shop.sent[CLICKSTREAM] if not is_accepted(value)}
    letters = shop.read(TOPICS[CLICKSTREAM].dead_letters)
    assert {letter.value for letter in letters} == refused
    originals = {("shop.clickstream.v1", str(r.partition), str(r.offset)): r for r in shop.read(CLICKSTREAM)}
    for letter in letters:
        (position,) = positions([letter])
        assert (letter.key, letter.value) == (originals[position].key, originals[position].value)


def test_a_dead_letter_says_which_field_is_wrong(shop: Shop) -> None:
    for letter in shop.read(TOPICS[CLICKSTREAM].dead_letters):
        reason = headers(letter)["reason"]
        assert reason.startswith(CLICKSTREAM)
        assert wrong_field(letter.value) in reason, (letter.value, reason)


def test_each_malformed_kind_of_stock_level_is_a_dead_letter_that_names_the_field(shop: Shop) -> None:
    reasons = {r.value: headers(r)["reason"] for r in shop.read(TOPICS[STOCK_LEVELS].dead_letters)}
    kinds = malformed_levels()
    assert reasons.keys() == kinds.keys()
    for value, kind in kinds.items():
        assert reasons[value].startswith(f"{STOCK_LEVELS}: field '{kind.field}' has value "), kind.name


def wrong_field(value: bytes) -> str:
    """How a reason names the field that the codec refuses, if it refuses one; else a clock is years ahead."""
    if b"NaN" in value:
        return "one JSON object with nothing after it is accepted"
    if is_declared_difference(value):
        return CLICKSTREAM
    try:
        decode(CLICKSTREAM, value)
    except ContractError as error:
        return "" if error.field == "$" else f"field '{error.field.partition('.')[0]}' has value "
    return f"field 'event_time_ms' has value {FAR_FUTURE_MS}"


def test_everything_else_flows_on(shop: Shop) -> None:
    accepted = [value for value in corpus(midnight(DAYS[0])).values() if is_accepted(value)]
    views = [value for value in accepted if b'"event_type": "view"' in value]
    (row,) = {r.values["views"] for r in shop.features() if r.sku == "CORPUS" and r.is_final}
    assert row == len(views) > 10


def test_what_comes_after_its_day_has_closed_goes_to_the_late_topic(shop: Shop) -> None:
    late = shop.read(TOPICS[CLICKSTREAM].late)
    assert {json.loads(r.value)["event_id"] for r in late} == {"late-purchase", f"{SKUS[0]}-{DAYS[1]}-1"}
    assert {headers(r)["lateness_ms"] for r in late} == {"1"}


def test_a_stock_level_that_a_later_one_overtook_goes_to_the_late_topic(shop: Shop) -> None:
    late = {json.loads(r.value)["event_id"]: r for r in shop.read(TOPICS[STOCK_LEVELS].late)}
    assert headers(late.pop("late-level"))["lateness_ms"] == str(12 * HOUR + 1)
    repeated = {event["event_id"] for sku in SKUS for _, event in ordinary_day(sku, DAYS[1])}
    assert set(late) <= repeated


def test_every_record_but_heartbeats_is_archived_under_its_local_day(shop: Shop) -> None:
    written = {
        (record.topic, str(record.partition), record.offset): record.value
        for topic in (CLICKSTREAM, STOCK_LEVELS, ITEMS, PURCHASE_ORDERS)
        for record in shop.read(topic)
        if not (record.key == b"heartbeat" or (b'"heartbeat"' in record.value and is_accepted(record.value)))
    }
    archived = list(shop.archive())
    assert {(row["topic"], row["partition"], row["offset"]): original(row) for _, row in archived} == written
    for path, row in archived:
        assert f"dataset={row['topic']}/day={expected_day(row)}/" in str(path)


def original(row: dict[str, Any]) -> bytes:
    return row["value"].encode() if "value" in row else base64.b64decode(row["value_base64"])


def expected_day(row: dict[str, Any]) -> str:
    if "value" not in row:
        return "unreadable"
    event, _ = json.JSONDecoder().raw_decode(row["value"].lstrip())
    return datetime.fromtimestamp(event["event_time_ms"] / 1000, ZoneInfo("Europe/London")).date().isoformat()


def test_the_archive_marks_late_events_and_hides_refused_ones_from_readers_of_value(shop: Shop) -> None:
    rows = [row for _, row in shop.archive()]
    late = {(row["topic"], row["partition"], str(row["offset"])) for row in rows if row["late"]}
    assert late == positions(shop.read(TOPICS[CLICKSTREAM].late) + shop.read(TOPICS[STOCK_LEVELS].late))
    assert all(
        is_accepted(row["value"].encode()) for row in rows if row["topic"] == CLICKSTREAM and "value" in row
    )


def test_the_job_listens_on_loopback_only_and_nobody_without_its_key_can_stop_it(shop: Shop) -> None:
    assert len(shop.ports) >= 3  # REST, BLOB server, PyFlink's two ends of its gateway
    assert not any(port.is_open for port in shop.ports.values())
    assert not any(port.answers_anyone for port in shop.ports.values())
