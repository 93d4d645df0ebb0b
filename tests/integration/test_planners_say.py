"""What planners say, through a real broker; Planner and Allocator follow it, stop and begin anew."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from kafka import TopicPartition

from infra.contracts.codec import decode, message_key
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import (
    ARCHIVED,
    CALENDARS,
    DECISION_ACTIONS,
    DECISIONS,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.local.broker import Broker
from infra.local.processes import wait_until
from serving.allocator_stage import AllocatorStage, allocator_partitions
from serving.inventory.allocation import solver_options
from serving.partition_log import LogFollower, Stage, owned_partitions
from serving.planner_stage import PlannerStage, planner_partitions
from tests.unit.serving.between_reviews import HOUR_MS, TUESDAY, count, daily_forecast, set_quantity
from tests.unit.serving.planners import action
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    EPOCH,
    LOCATION,
    Tally,
    calendar,
    item,
    level,
    policy,
)

pytestmark = pytest.mark.timeout(300)

PARTITIONS = 4
SKUS = ["A", "B", "C", "D"]


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("planners")) as started:
        started.create_topics(partitions=PARTITIONS)
        yield started


@pytest.fixture(scope="module")
def producer(own_broker: Broker) -> Iterator[Producer]:
    made = Producer(own_broker.bootstrap_servers)
    yield made
    made.close()


def following(broker: Broker) -> ExitStack:
    """Two Planners and an Allocator that have caught up; left, they stop."""
    running = ExitStack()
    bound: tuple[int, int, float] = (PARTITIONS, BOUND_MS, 60.0)
    for rank in range(2):
        owned = owned_partitions(rank, 2, PARTITIONS)
        planner = PlannerStage(owned, *bound, Tally())
        _follow(running, broker, planner, planner_partitions(owned, PARTITIONS))
    allocator = AllocatorStage(*bound, solver_options(10.0), Tally())
    _follow(running, broker, allocator, allocator_partitions(PARTITIONS))
    return running


def _follow(running: ExitStack, broker: Broker, stage: Stage, assigned: Sequence[TopicPartition]) -> None:
    follower = LogFollower(type(stage).__name__, broker.bootstrap_servers, assigned, stage, Tally())
    follower.start(60)
    running.callback(follower.stop)


def open_shop(producer: Producer) -> None:
    producer.send(CALENDARS, LOCATION.encode(), calendar())
    producer.send(POLICIES, b"policy-1", policy("10000.00"))
    for sku in SKUS:
        key = message_key(sku, LOCATION)
        producer.send(ITEMS, key, item(sku))
        producer.send(STOCK_LEVELS, key, level(sku, 100))
        for day in range(2):
            producer.send(FORECASTS, key, daily_forecast(sku, EPOCH + day * DAY_MS))
    advance(producer, EPOCH)


def advance(producer: Producer, until_ms: int) -> None:
    for topic in ARCHIVED:
        producer.send_heartbeat(topic, until_ms + BOUND_MS + 1)
    producer.flush()


def decisions(broker: Broker) -> dict[str, list[ReorderDecision]]:
    """Every decision in the topic, repetitions included, by SKU."""
    found: dict[str, list[ReorderDecision]] = {sku: [] for sku in SKUS}
    assigned = topic_partitions([DECISIONS], range(PARTITIONS))
    for record in read_to_end(broker.bootstrap_servers, assigned):
        decision = decode(record.topic, record.value)
        found[decision.sku].append(decision)
    return found


def await_decisions(broker: Broker, *counts: int) -> dict[str, list[ReorderDecision]]:
    def come() -> bool:
        return [len(of_sku) for of_sku in decisions(broker).values()] == list(counts)

    wait_until(come, 60, f"decisions {counts}")
    return decisions(broker)


def verb(broker: Broker, module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "STOCKSTREAM_BOOTSTRAP_SERVERS": broker.bootstrap_servers},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_planners_say_supersedes_decisions_once_and_is_explained_and_replayed(
    own_broker: Broker, producer: Producer
) -> None:
    open_shop(producer)
    with following(own_broker):
        (first, held, *_) = (of_sku[0] for of_sku in await_decisions(own_broker, 1, 1, 1, 1).values())
        producer.send(DECISION_ACTIONS, held.decision_id.encode(), action("hold", held))
        say(producer, [set_quantity(50)], lambda record: f"{record.scope}|{record.override_id}")
        say(producer, count("C", TUESDAY, 10), lambda record: f"{record.sku}|{record.location}")
        advance(producer, TUESDAY + HOUR_MS)
        made = await_decisions(own_broker, 2, 2, 2, 1)
    with following(own_broker):
        advance(producer, TUESDAY + 2 * HOUR_MS)
        assert await_decisions(own_broker, 2, 2, 2, 1) == made

    assert (made["A"][1].supersedes, made["A"][1].quantity) == (first.decision_id, 50)
    assert (made["B"][1].supersedes, made["B"][1].quantity) == (held.decision_id, 0)
    assert made["C"][1].cause == "stock_count:count-C"
    assert "7 decisions reproduced exactly" in verb(own_broker, "serving.replay")
    assert "held (ada: supplier strike) → 0" in verb(own_broker, "serving.show_decision", "--sku", "B")


def say(producer: Producer, records: list[tuple[str, Any]], key: Callable[[Any], str]) -> None:
    for topic, record in records:
        assert topic in (OVERRIDES, STOCK_LEVELS, STOCK_MOVEMENTS)
        producer.send(topic, key(record).encode(), record)
