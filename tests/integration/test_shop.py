import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from kafka import TopicPartition

from infra.contracts.codec import decode, message_key
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, DemandForecast
from infra.contracts.identity import decision_id
from infra.contracts.inventory import ReorderDecision
from infra.contracts.message import Heartbeat
from infra.contracts.shop import PurchaseOrderEvent
from infra.contracts.topics import (
    ARCHIVED,
    CLICKSTREAM,
    DECISIONS,
    FORECASTS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from infra.errors import WaitExpired
from infra.kafka import Producer, make_consumer, read_to_end, topic_partitions
from infra.local.broker import Broker
from serving.inventory.local_days import is_review, local_date
from serving.simulation.lockstep import Replies, ReplyReader
from serving.simulation.outcome import EvaluationFiles, read_rows
from serving.simulation.sales_log import read_sales_log
from serving.simulation.scenario import Scenario, build_scenario
from serving.simulation.shop import SAMPLE, Shop, replay_days, run

PARTITIONS = 4
BOUND_MS = 60_000
GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


@pytest.fixture(scope="module")
def fresh_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("shop-broker")) as started:
        started.create_topics(PARTITIONS)
        yield started


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return build_scenario(read_sales_log(SAMPLE, "Europe/London"), "gb-main", date(2011, 9, 24), seed=1)


def forecast(sku: str, origin_ms: int) -> DemandForecast:
    golden = decode(FORECASTS, (GOLDEN / f"{FORECASTS}.jsonl").read_bytes().splitlines()[0])
    zeros = [[0.0] * len(QUANTILE_LEVELS)] * HORIZON_DAYS
    changed = {"sku": sku, "origin_ms": origin_ms, "quantile_levels": list(QUANTILE_LEVELS)}
    return DemandForecast.model_validate(
        {**golden.model_dump(), **changed, "quantiles": zeros, "cumulative": zeros}
    )


def decision(sku: str, epoch_ms: int, quantity: int) -> ReorderDecision:
    golden = decode(DECISIONS, (GOLDEN / f"{DECISIONS}.jsonl").read_bytes().splitlines()[0])
    return ReorderDecision.model_validate(
        {
            **golden.model_dump(),
            "decision_id": decision_id(sku, "gb-main", epoch_ms, "review"),
            "sku": sku,
            "epoch_ms": epoch_ms,
            "quantity": quantity,
            "status": "order" if quantity else "no_order",
        }
    )


@dataclass
class Responder:
    """Answers each heartbeat seen on every partition of the stock levels, each decision twice."""

    bootstrap_servers: str
    scenario: Scenario
    stop: threading.Event

    def run(self) -> None:
        consumer, producer = make_consumer(self.bootstrap_servers), Producer(self.bootstrap_servers)
        consumer.assign(topic_partitions([STOCK_LEVELS], range(PARTITIONS)))
        seen: dict[int, int] = {}
        while not self.stop.is_set():
            for records in consumer.poll(timeout_ms=50).values():
                for message in (decode(STOCK_LEVELS, record.value) for record in records):
                    if isinstance(message, Heartbeat):
                        seen[message.event_time_ms] = seen.get(message.event_time_ms, 0) + 1
                        if seen[message.event_time_ms] == PARTITIONS:
                            self.answer(producer, message.event_time_ms - BOUND_MS - 1)
        consumer.close()
        producer.close()

    def answer(self, producer: Producer, instant_ms: int) -> None:
        for number, sku in enumerate(sorted(self.scenario.items)):
            key = message_key(sku, "gb-main")
            producer.send(FORECASTS, key, forecast(sku, instant_ms))
            for _ in range(2 if is_review(instant_ms, self.scenario.calendar) else 0):
                producer.send(DECISIONS, key, decision(sku, instant_ms, 12 * (number % 2)))
        producer.flush()


@pytest.fixture(scope="module")
def replayed(fresh_broker: Broker, scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days, the second of which ends with a review, answered by a responder."""
    folder = tmp_path_factory.mktemp("evaluation")
    stop = threading.Event()
    responder = Responder(fresh_broker.bootstrap_servers, scenario, stop)
    thread = threading.Thread(target=responder.run)
    thread.start()
    try:
        replay(fresh_broker, scenario, folder, days=3, timeout_seconds=30)
    finally:
        stop.set()
        thread.join()
    return folder


def replay(broker: Broker, scenario: Scenario, folder: Path, days: int, timeout_seconds: float) -> None:
    files = EvaluationFiles(folder)
    files.begin({"first_day": str(scenario.first_day)})
    producer = Producer(broker.bootstrap_servers)
    reader = ReplyReader(broker.bootstrap_servers, PARTITIONS)
    replies = Replies("gb-main", scenario.items)
    warehouse = scenario.warehouse()
    shop = Shop(scenario, warehouse, producer, reader, replies, files, BOUND_MS, timeout_seconds)
    try:
        run(shop, replay_days(scenario, days))
    finally:
        reader.close()
        producer.close()


def test_each_close_sends_a_heartbeat_to_every_partition_of_every_archived_topic(
    fresh_broker: Broker, scenario: Scenario, replayed: Path
) -> None:
    closes = {scenario.midnight_ms(date(2011, 9, day)) + BOUND_MS + 1 for day in (25, 26, 27)}
    beats: dict[tuple[str, int], set[int]] = {}
    for record in read_to_end(fresh_broker.bootstrap_servers, topic_partitions(ARCHIVED, range(PARTITIONS))):
        message = decode(record.topic, record.value)
        if isinstance(message, Heartbeat):
            beats.setdefault((record.topic, record.partition), set()).add(message.event_time_ms)

    assert [(t, n) for t in ARCHIVED for n in range(PARTITIONS) if not closes <= beats[t, n]] == []


def test_the_heartbeat_verb_reaches_every_partition_of_every_archived_topic(fresh_broker: Broker) -> None:
    assigned = topic_partitions(ARCHIVED, range(PARTITIONS))
    before = end_offsets(fresh_broker, assigned)
    environment = {**os.environ, "STOCKSTREAM_BOOTSTRAP_SERVERS": fresh_broker.bootstrap_servers}

    subprocess.run(
        [sys.executable, "-m", "infra.heartbeat", "--once"], env=environment, check=True, timeout=60
    )

    after = end_offsets(fresh_broker, assigned)
    assert {tp: after[tp] - before[tp] for tp in assigned} == dict.fromkeys(assigned, 1)


def end_offsets(broker: Broker, assigned: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = make_consumer(broker.bootstrap_servers)
    try:
        return dict(consumer.end_offsets(assigned))
    finally:
        consumer.close()


def test_a_decision_seen_twice_becomes_one_order_placed_after_its_review(
    fresh_broker: Broker, scenario: Scenario, replayed: Path
) -> None:
    orders = [
        message
        for record in read_to_end(
            fresh_broker.bootstrap_servers, topic_partitions([PURCHASE_ORDERS], range(PARTITIONS))
        )
        if isinstance(message := decode(record.topic, record.value), PurchaseOrderEvent)
        and message.decision_id is not None
    ]
    epoch_ms = scenario.midnight_ms(date(2011, 9, 26))

    assert sorted(order.sku for order in orders) == sorted(scenario.items)[1::2]
    assert {(order.event_type, order.event_time_ms) for order in orders} == {("placed", epoch_ms + 600_000)}
    assert len(read_rows(replayed, "orders")) == len(orders)


def test_purchases_in_the_topic_are_the_served_units_and_never_more(
    fresh_broker: Broker, scenario: Scenario, replayed: Path
) -> None:
    bought: Counter[tuple[str, str]] = Counter()
    for record in read_to_end(
        fresh_broker.bootstrap_servers, topic_partitions([CLICKSTREAM], range(PARTITIONS))
    ):
        message = decode(record.topic, record.value)
        if message.event_type == "purchase":
            day = local_date(message.event_time_ms, "Europe/London").isoformat()
            bought[message.sku, day] += message.quantity
    rows = read_rows(replayed, "sku_days").to_dict("records")
    served = {(row["sku"], row["day"]): row["served"] for row in rows}

    assert {key: bought[key] for key in served} == served
    assert sum(row["demand"] for row in rows) == sum(
        line.quantity
        for day in replay_days(scenario, 3)
        for line in scenario.log.lines_of(day)
        if not line.is_return
    )


def test_a_system_that_does_not_answer_ends_the_replay_with_what_is_missing(
    fresh_broker: Broker, scenario: Scenario, replayed: Path, tmp_path: Path
) -> None:
    later = build_scenario(scenario.log, "gb-main", date(2011, 10, 2), seed=1)

    with pytest.raises(WaitExpired, match=r"close of 2011-10-02: .* forecasts for 100 SKUs .* decisions for"):
        replay(fresh_broker, later, tmp_path, days=1, timeout_seconds=1)
    assert json.loads((tmp_path / "scenario.json").read_text()) == {"first_day": "2011-10-02"}
