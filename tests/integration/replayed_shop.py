"""A shop whose events go through the features job, with everything that can happen to a stream."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kafka.consumer.fetcher import ConsumerRecord

from infra.contracts.codec import decode, message_key
from infra.contracts.demand import DemandFeatures
from infra.contracts.topics import CLICKSTREAM, FEATURES, ITEMS, PURCHASE_ORDERS, STOCK_LEVELS
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.local.broker import Broker
from infra.local.processes import wait_until
from tests.integration.click_corpus import PRICE, click, corpus
from tests.integration.features_job import FeaturesJob, PortOfJob
from tests.integration.malformed_kinds import KINDS, Kind

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
PARTITIONS = range(4)
SKUS = [f"SKU-{number}" for number in range(6)]
DAYS = [date(2011, 10, 28), date(2011, 10, 29), date(2011, 10, 30)]
HOUR = 3_600_000


def midnight(day: date) -> int:
    return int(datetime.combine(day, time(), ZoneInfo("Europe/London")).timestamp() * 1000)


@dataclass
class Shop:
    """Writes events as a shop does, and reads what comes of them."""

    broker: Broker
    producer: Producer
    run_dir: Path
    started_ms: int
    sent: dict[str, list[bytes]] = field(default_factory=dict)
    ports: dict[int, PortOfJob] = field(default_factory=dict)

    def send(self, topic: str, event: dict[str, Any]) -> None:
        self.send_bytes(topic, message_key(event["sku"], event["location"]), json.dumps(event).encode())

    def send_bytes(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.sent.setdefault(topic, []).append(value)
        self.producer.send_bytes(topic, key, value)

    def read(self, topic: str) -> list[ConsumerRecord]:
        return list(read_to_end(self.broker.bootstrap_servers, topic_partitions([topic], PARTITIONS)))

    def features(self) -> list[DemandFeatures]:
        return [decode(FEATURES, record.value) for record in self.read(FEATURES)]

    def archive(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every archived row with the file it lies in."""
        for path in sorted((self.run_dir / "archive").glob("*/*/part-*")):
            for line in path.read_text().splitlines():
                yield path, json.loads(line)

    def wait_for_final_rows(self, day: date, skus: list[str]) -> None:
        def all_there() -> bool:
            rows = self.features()
            return {r.sku for r in rows if r.is_final and r.window_start_ms == midnight(day)} >= set(skus)

        wait_until(all_there, 90, f"final rows of {day}")


def level(name: str, time_ms: int, sku: str, on_hand: int, kind: str = "level") -> dict[str, Any]:
    return click(name, time_ms, sku=sku, event_type=kind, on_hand=on_hand)


def ordinary_day(sku: str, day: date) -> list[tuple[str, dict[str, Any]]]:
    """2 views, a bulk purchase of 12; sold out at 18:00; a view of nothing; a return of 1."""
    start, name = midnight(day), f"{sku}-{day}"
    bought = {"event_type": "purchase", "quantity": 12, "unit_price": PRICE, "session_id": "s2"}
    returned = {"event_type": "return", "quantity": 1}
    return [
        (CLICKSTREAM, click(f"{name}-1", start + 9 * HOUR, sku=sku, session_id="s1")),
        (CLICKSTREAM, click(f"{name}-2", start + 9 * HOUR, sku=sku, session_id="s2")),
        (CLICKSTREAM, click(f"{name}-3", start + 17 * HOUR, sku=sku, **bought)),
        (STOCK_LEVELS, level(f"{name}-sold-out", start + 18 * HOUR, sku, 0)),
        (CLICKSTREAM, click(f"{name}-4", start + 19 * HOUR, sku=sku)),
        (CLICKSTREAM, click(f"{name}-5", start + 20 * HOUR, sku=sku, **returned)),
    ]


def send_ordinary_day(shop: Shop, day: date, copies: int = 1) -> None:
    events = [event for sku in SKUS for event in ordinary_day(sku, day)]
    for topic, event in sorted(events, key=lambda sent: sent[1]["event_time_ms"]):
        for _ in range(copies):
            shop.send(topic, event)


def send_snapshots(shop: Shop, day: date) -> None:
    for sku in SKUS:
        snapshot = level(f"{sku}-{day}-snapshot", midnight(day), sku, 12, "snapshot")
        shop.send(STOCK_LEVELS, snapshot | {"backordered": 3, "reserved": 12})


def close_day(shop: Shop, day: date) -> None:
    """Ends a day as a shop does: the next day's snapshot, then the heartbeats; waits for the final rows."""
    send_snapshots(shop, day + timedelta(days=1))
    shop.producer.flush()
    for topic in (CLICKSTREAM, STOCK_LEVELS, ITEMS):
        shop.producer.send_heartbeat(topic, midnight(day + timedelta(days=1)) + 60_001)
    shop.producer.flush()
    shop.wait_for_final_rows(day, SKUS)


def golden_lines(topic: str) -> list[str]:
    return (GOLDEN / f"{topic}.jsonl").read_text().splitlines()


def send_items(shop: Shop) -> None:
    for sku in SKUS:
        item = json.loads(golden_lines(ITEMS)[0])
        item |= {
            "sku": sku,
            "event_id": f"item-{sku}",
            "bulk_threshold": 10,
            "event_time_ms": midnight(DAYS[0]),
        }
        shop.send(ITEMS, item)


ORDINARY_DAY = {
    "views": 3.0,
    "searches": 0.0,
    "add_to_carts": 0.0,
    "removals": 0.0,
    "purchases": 1.0,
    "units": 12.0,
    "bulk_units": 12.0,
    "returned_units": 1.0,
    "sessions": 2.0,
    "revenue": 30.0,
    "mean_paid_price": 2.5,
    "views_out_of_stock": 1.0,
}


def send_corpus(shop: Shop) -> None:
    for value in corpus(midnight(DAYS[0]) + 10 * HOUR).values():
        shop.send_bytes(CLICKSTREAM, b"CORPUS|gb-main", value)
    for value in malformed_levels():
        shop.send_bytes(STOCK_LEVELS, b"CORPUS|gb-main", value)


def malformed_levels() -> dict[bytes, Kind]:
    """A stock level of each malformed kind."""
    good = level("malformed", midnight(DAYS[0]) + 10 * HOUR, "CORPUS", 5)
    return {kind.broken(good): kind for kind in KINDS if kind.topic == STOCK_LEVELS}


def send_to_be_archived_only(shop: Shop) -> None:
    for line in golden_lines(PURCHASE_ORDERS):
        shop.send_bytes(PURCHASE_ORDERS, b"85123A|gb-main", line.encode())
    shop.send_bytes(PURCHASE_ORDERS, b"85123A|gb-main", b"\xff\xfe not text")


def send_late_events(shop: Shop) -> None:
    """Of the day before the last, after it has closed: a purchase, a stock level, and one counted already."""
    noon = midnight(DAYS[1]) + 12 * HOUR
    bought = {"event_type": "purchase", "quantity": 3, "unit_price": PRICE}
    shop.send(CLICKSTREAM, click("late-purchase", noon, sku=SKUS[0], **bought))
    shop.send(STOCK_LEVELS, level("late-level", noon, SKUS[0], 0))
    shop.send(CLICKSTREAM, click(f"{SKUS[0]}-{DAYS[1]}-1", midnight(DAYS[1]) + 9 * HOUR, sku=SKUS[0]))


def run_three_days(shop: Shop, job: FeaturesJob) -> None:
    """Events twice on the first day, kill -9 and all again on the second, late events on the third."""
    job.start()
    send_items(shop)
    send_corpus(shop)
    send_to_be_archived_only(shop)
    send_snapshots(shop, DAYS[0])
    send_ordinary_day(shop, DAYS[0], copies=2)
    close_day(shop, DAYS[0])
    send_ordinary_day(shop, DAYS[1])
    shop.producer.flush()
    wait_until(lambda: bool(job.checkpoints()), 60, "a checkpoint")
    job.kill()
    job.start()
    send_ordinary_day(shop, DAYS[1])
    close_day(shop, DAYS[1])
    send_ordinary_day(shop, DAYS[2])
    send_late_events(shop)
    close_day(shop, DAYS[2])
    shop.ports = job.ports()
    job.stop()
