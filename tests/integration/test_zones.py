import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode, message_key
from infra.contracts.topics import CLICKSTREAM, FEATURES, POLICIES, STOCK_MOVEMENTS, TOPICS
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.local.broker import Broker
from tests.integration.features_job import FeaturesJob

ZONES = {"Europe/London": ["gb-main"], "America/New_York": ["us-east", "us-west"]}
EVENING = datetime(2011, 9, 20, 23, 30, tzinfo=ZoneInfo("Europe/London"))
GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


def view(name: str, location: str) -> dict[str, Any]:
    return {
        "version": 1,
        "event_id": name,
        "event_time_ms": int(EVENING.timestamp() * 1000),
        "sku": "A",
        "location": location,
        "event_type": "view",
    }


def golden(topic: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in (GOLDEN / f"{topic}.jsonl").read_text().splitlines()]
    return next(dict(line) for line in lines if line.get("event_type") != "heartbeat")


SENT: list[tuple[str, bytes]] = [
    *(
        (CLICKSTREAM, json.dumps(view(f"v-{place}", place)).encode())
        for place in ("gb-main", "us-east", "us-west")
    ),
    (CLICKSTREAM, json.dumps(view("unknown", "mars-1")).encode()),
    (CLICKSTREAM, json.dumps({**view("broken", "us-east"), "sku": "no sku"}).encode()),
    (CLICKSTREAM, b"not json"),
    (STOCK_MOVEMENTS, json.dumps({**golden(STOCK_MOVEMENTS), "location": "us-west"}).encode()),
    (POLICIES, json.dumps(golden(POLICIES)).encode()),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Both zones' jobs have run to the end of the topics."""
    run_dir = tmp_path_factory.mktemp("zones")
    with Broker(run_dir) as running:
        running.create_topics(partitions=2)
        producer = Producer(running.bootstrap_servers)
        for topic, value in SENT:
            producer.send_bytes(topic, message_key("A", "any"), value)
        producer.flush()
        producer.close()
        for zone in ZONES:
            job = FeaturesJob(running, run_dir)
            job.run_bounded(120, "--zone", zone, PARTITIONS="2", ZONES=json.dumps(ZONES))
        yield running


def records(broker: Broker, topic: str) -> list[ConsumerRecord]:
    return list(read_to_end(broker.bootstrap_servers, topic_partitions([topic], range(2))))


def test_a_location_s_day_is_that_of_its_own_zone(broker: Broker) -> None:
    final = [row for row in (decode(FEATURES, r.value) for r in records(broker, FEATURES)) if row.is_final]
    starts = {row.location: row.window_start_ms for row in final}
    assert Counter(row.location for row in final) == {"gb-main": 1, "us-east": 1, "us-west": 1}
    for zone, locations in ZONES.items():
        midnight = EVENING.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0)
        assert {starts[location] for location in locations} == {int(midnight.timestamp() * 1000)}


def test_every_record_is_archived_by_exactly_one_zone_s_job(broker: Broker) -> None:
    folder = broker.component.run_dir / "archive"
    lines = [line for file in folder.glob("*/*/part-*") for line in file.read_text().splitlines()]
    archived = Counter((row["topic"], row["partition"], row["offset"]) for row in map(json.loads, lines))
    sent = [r for topic in (CLICKSTREAM, STOCK_MOVEMENTS, POLICIES) for r in records(broker, topic)]
    assert archived == {(r.topic, str(r.partition), r.offset): 1 for r in sent}
    assert len(sent) == len(SENT)


def test_what_names_no_known_location_is_a_dead_letter_once(broker: Broker) -> None:
    letters = records(broker, TOPICS[CLICKSTREAM].dead_letters)
    reasons = {letter.value: dict(letter.headers)["reason"].decode() for letter in letters}
    assert len(letters) == len(reasons) == 3
    assert "field '$' has value not json" in reasons[b"not json"]
    (unknown,) = (reason for value, reason in reasons.items() if b"mars-1" in value)
    assert "field 'location' has value mars-1: a location of the setting zones is accepted" in unknown
