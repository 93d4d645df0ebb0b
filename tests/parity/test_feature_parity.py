import itertools
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from batch.archive import update_events
from batch.feature_history import feature_rows
from batch.spark_session import spark_session
from infra.contracts.codec import decode, message_key
from infra.contracts.features import FEATURE_NAMES
from infra.contracts.topics import CLICKSTREAM, FEATURES, ITEMS, STOCK_LEVELS
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, wait_until

ZONE = "Europe/London"
DAYS = [date(2011, 10, 29), date(2011, 10, 30), date(2011, 10, 31)]
SKUS = [f"SKU-{number}" for number in range(5)]
DISORDER_MS = 50_000
BULK_THRESHOLD = 5.0

Rows = dict[tuple[str, int, int], dict[str, float | None]]
Sent = tuple[str, dict[str, Any]]


def midnight(day: date) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(ZONE)).timestamp() * 1000)


def event(identity: str, time_ms: int, sku: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "event_id": identity,
        "event_time_ms": time_ms,
        "sku": sku,
        "location": "gb-main",
        "event_type": kind,
        **fields,
    }


def random_log(rng: random.Random) -> list[Sent]:
    """Three days of events in order of time, the middle one of 25 hours.

    Snapshots at each midnight but for one SKU, which stays unknown until noon; changes of stock, two of them
    in one millisecond; every kind of customer event, fractional quantities, a threshold that changes.
    """
    log: list[Sent] = []
    for sku in SKUS:
        log += [
            (ITEMS, item(sku, midnight(DAYS[0]), BULK_THRESHOLD)),
            (ITEMS, item(sku, midnight(DAYS[2]), None)),
        ]
        for day in DAYS:
            log += random_day(rng, sku, day)
    return sorted(log, key=lambda sent: sent[1]["event_time_ms"])


def random_day(rng: random.Random, sku: str, day: date) -> list[Sent]:
    start, end = midnight(day), midnight(day + timedelta(days=1))
    moments = [start + 12 * 3_600_000, *sorted(rng.randrange(start, end) for _ in range(8))]
    moments += moments[-1:]
    if sku != SKUS[0]:
        moments.insert(0, start)
    stock = [
        event(f"{sku}-{day}-level-{n}", moment, sku, "level", on_hand=rng.choice([0, 0, 3, 8]))
        for n, moment in enumerate(moments)
    ]
    clicks = [random_click(rng, f"{sku}-{day}-{n}", rng.randrange(start, end), sku) for n in range(60)]
    return [(STOCK_LEVELS, change) for change in stock] + [(CLICKSTREAM, click) for click in clicks]


def random_click(rng: random.Random, identity: str, time_ms: int, sku: str) -> dict[str, Any]:
    kind = rng.choice(["view", "view", "search", "add_to_cart", "remove_from_cart", "purchase", "return"])
    return event(
        identity,
        time_ms,
        sku,
        kind,
        session_id=rng.choice([None, "s1", "s2", "s3"]),
        quantity=rng.choice([1, 2.5, 0.333333, 7, 12]),
        unit_price={"amount": f"{rng.randrange(1, 999)}.{rng.randrange(100):02}", "currency": "GBP"},
    )


def item(sku: str, time_ms: int, bulk_threshold: float | None) -> dict[str, Any]:
    golden = (Path(__file__).parents[1] / "golden" / "v1" / f"{ITEMS}.jsonl").read_text().splitlines()[0]
    own = {"event_id": f"item-{sku}-{time_ms}", "event_time_ms": time_ms, "sku": sku}
    return {**json.loads(golden), **own, "bulk_threshold": bulk_threshold}


def disordered(log: list[Sent], rng: random.Random) -> list[Sent]:
    """Every moment's events arrive up to the bound later, in their order; every tenth event twice."""
    delay: dict[tuple[str, int], int] = defaultdict(lambda: rng.randrange(DISORDER_MS))
    arrivals = []
    for number, (topic, message) in enumerate(log):
        due = message["event_time_ms"] + delay[topic, message["event_time_ms"]]
        arrivals += [(due, number)] * (2 if rng.random() < 0.1 else 1)
    return [log[number] for _, number in sorted(arrivals)]


def send(broker: Broker, log: list[Sent]) -> None:
    producer = Producer(broker.bootstrap_servers)
    for topic, message in log:
        key = message_key(message["sku"], message["location"])
        producer.send_bytes(topic, key, json.dumps(message).encode())
    for topic in (CLICKSTREAM, STOCK_LEVELS, ITEMS):
        producer.send_heartbeat(topic, midnight(DAYS[-1] + timedelta(days=1)) + 60_001)
    producer.flush()
    producer.close()


def run_job(run_dir: Path, broker: Broker) -> None:
    settings = {
        "RUN_DIR": str(run_dir),
        "BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CHECKPOINT_INTERVAL_SECONDS": "1",
        "FLINK_METRICS_PORT": str(free_ports(1)[0]),
    }
    job = Component("features", run_dir)
    environment = {f"STOCKSTREAM_{name}": value for name, value in settings.items()}
    job.start([sys.executable, "-m", "streaming.demand_features_job", "--bounded"], environment)
    try:
        wait_until(lambda: not job.is_running(), 240, "end of the bounded job")
    finally:
        job.stop()


def streamed_rows(broker: Broker) -> Rows:
    records = read_to_end(broker.bootstrap_servers, topic_partitions([FEATURES], range(4)))
    rows = [decode(FEATURES, record.value) for record in records]
    return {(r.sku, r.window_start_ms, r.window_end_ms): r.values for r in rows if r.is_final}


def batch_rows(run_dir: Path) -> Rows:
    with spark_session("parity") as spark:
        update_events(spark, run_dir / "archive", run_dir / "events")
        rows = feature_rows(spark, run_dir / "events", ZONE).collect()
    return {
        (row["sku"], row["window_start_ms"], row["window_end_ms"]): {
            name: row[name] for name in FEATURE_NAMES
        }
        for row in rows
    }


@pytest.fixture(scope="module")
def log() -> list[Sent]:
    return random_log(random.Random(20111030))


@pytest.fixture(scope="module")
def both(log: list[Sent], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rows, Rows]]:
    """Final rows of the real streaming job and of Spark, from one disordered log with duplicates."""
    run_dir = tmp_path_factory.mktemp("parity")
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=4)
        send(broker, disordered(log, random.Random(7)))
        run_job(run_dir, broker)
        yield streamed_rows(broker), batch_rows(run_dir)


def test_stream_and_batch_agree_in_every_cell(both: tuple[Rows, Rows]) -> None:
    streamed, batch = both
    assert streamed.keys() == batch.keys()
    assert len(streamed) == len(SKUS) * len(DAYS)
    different = {
        (key, name): (streamed[key][name], batch[key][name])
        for key in streamed
        for name in FEATURE_NAMES
        if streamed[key][name] != batch[key][name]
    }
    assert different == {}


def test_units_and_views_are_those_of_the_log(both: tuple[Rows, Rows], log: list[Sent]) -> None:
    for (sku, start_ms, end_ms), values in both[0].items():
        own = [e for topic, e in log if topic == CLICKSTREAM and e["sku"] == sku]
        within = [e for e in own if start_ms <= e["event_time_ms"] < end_ms]
        units = [e["quantity"] for e in within if e["event_type"] == "purchase"]
        assert values["units"] == pytest.approx(sum(units), rel=1e-12)
        assert values["views"] == sum(e["event_type"] == "view" for e in within)
        threshold = None if start_ms == midnight(DAYS[2]) else BULK_THRESHOLD
        bulk = [quantity for quantity in units if threshold is not None and quantity > threshold]
        assert values["bulk_units"] == pytest.approx(sum(bulk), rel=1e-12)


def test_the_share_in_stock_is_that_of_a_walk_over_the_levels(
    both: tuple[Rows, Rows], log: list[Sent]
) -> None:
    walked = {(sku, start, end): walked_share(levels(log, sku), start, end) for sku, start, end in both[0]}
    streamed = {key: values["in_stock_share"] for key, values in both[0].items()}
    unknown = {key for key, share in walked.items() if share is None}
    assert unknown == {key for key, share in streamed.items() if share is None} != set()
    for key in walked.keys() - unknown:
        assert streamed[key] == pytest.approx(walked[key], rel=1e-12)


def levels(log: list[Sent], sku: str) -> list[tuple[int, int]]:
    """Times and levels of a SKU's stock, in order."""
    own = (e for topic, e in log if topic == STOCK_LEVELS and e["sku"] == sku)
    return [(e["event_time_ms"], e["on_hand"]) for e in own]


def walked_share(changes: list[tuple[int, int]], start_ms: int, end_ms: int) -> float | None:
    """Share of the window with stock; None if the first level comes after its start."""
    before = [level for moment, level in changes if moment <= start_ms]
    if not before:
        return None
    inside = [change for change in changes if start_ms < change[0] < end_ms]
    steps = [(start_ms, before[-1]), *inside, (end_ms, 0)]
    in_stock = sum(b[0] - a[0] for a, b in itertools.pairwise(steps) if a[1] > 0)
    return in_stock / (end_ms - start_ms)
