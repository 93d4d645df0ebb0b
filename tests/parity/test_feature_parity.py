"""One disordered log with duplicates through the real job, through Spark and through plain pandas."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from batch.archive import update_events
from batch.spark_session import spark_session
from infra.contracts.topics import CLICKSTREAM, FEATURES, TOPICS
from infra.local.broker import Broker
from tests.integration.features_job import FeaturesJob
from tests.parity import pandas_oracle
from tests.parity.comparison import differences, rows_of
from tests.parity.event_log import (
    HOUR_MS,
    ZONE,
    Arrival,
    RowKey,
    Values,
    changing_thresholds,
    click,
    disordered,
    in_order,
    level,
    midnight,
    pounds,
    random_log,
    renamed,
)
from tests.parity.golden_cases import GoldenCase, golden_cases
from tests.parity.job_run import batch_rows, records_of, send_live, streamed_rows

DAYS = [date(2011, 10, 29), date(2011, 10, 30), date(2011, 10, 31)]
SKUS = [f"SKU-{number}" for number in range(5)]
PERMUTED = [f"PERMUTED-{number}" for number in range(3)]
GOLDEN = golden_cases()
STEP_MS = HOUR_MS // 2
AHEAD_MS = 400 * 24 * HOUR_MS
NOON = midnight(DAYS[0]) + 12 * HOUR_MS
LATE = [
    click("late-purchase", NOON, SKUS[1], "purchase", quantity=3, unit_price=pounds("2.00")),
    level("late-sold-out", NOON + HOUR_MS, SKUS[2], 0),
    level("late-receipt", NOON + 2 * HOUR_MS, SKUS[2], 8),
]


@dataclass(frozen=True)
class Engines:
    """What the engines made of the log."""

    streamed: dict[RowKey, Values]
    batch: dict[RowKey, Values]
    corrected: dict[RowKey, Values]
    records: list[ConsumerRecord]
    dead_letters: list[ConsumerRecord]


@pytest.fixture(scope="module")
def arrivals() -> list[Arrival]:
    """Golden cases, a random shop, one log permuted under several names, and a clock 400 days ahead."""
    rng = random.Random(20111030)
    shop = disordered(random_log(rng, SKUS, DAYS, 60), rng)
    log = random_log(rng, ["UNKNOWN-AT-FIRST", PERMUTED[0]], DAYS, 40)
    log += changing_thresholds(PERMUTED[0], DAYS[0])
    permuted = [disordered(renamed(log, PERMUTED[0], name), random.Random(name)) for name in PERMUTED]
    noon = midnight(DAYS[1]) + 12 * HOUR_MS
    ahead = (noon, click("ahead", noon + AHEAD_MS, PERMUTED[0], "view"))
    golden = [arrival for case in GOLDEN for arrival in case.arrivals]
    return in_order([*golden, *shop, *(each for case in permuted for each in case), ahead])


@pytest.fixture(scope="module")
def engines(arrivals: list[Arrival], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    run_dir = tmp_path_factory.mktemp("parity")
    with Broker(run_dir) as broker:
        broker.create_topics(partitions=4)
        send_live(broker, arrivals, DAYS)
        FeaturesJob(broker, run_dir).run_bounded(240, FEATURE_STEP_SECONDS=str(STEP_MS // 1000))
        archive_late(run_dir / "archive")
        with spark_session("parity") as spark:
            update_events(spark, run_dir / "archive", run_dir / "events")
            batch, corrected = (batch_rows(spark, run_dir / "events", late) for late in (False, True))
        letters = records_of(broker, TOPICS[CLICKSTREAM].dead_letters)
        yield Engines(streamed_rows(broker), batch, corrected, records_of(broker, FEATURES), letters)


def archive_late(archive: Path) -> None:
    """Adds late events as the job archives them."""
    for offset, (topic, message) in enumerate(LATE, 10**9):
        place = {"topic": topic, "partition": "0", "offset": offset, "late": True}
        folder = archive / f"dataset={topic}" / f"day={DAYS[0]}"
        (folder / f"part-late-{offset}").write_text(
            json.dumps({**place, "value": json.dumps(message)}) + "\n"
        )


def test_stream_and_batch_agree_in_every_cell(engines: Engines) -> None:
    assert len(engines.streamed) >= len(SKUS) * len(DAYS)
    assert differences(engines.streamed, engines.batch, tolerance=0) == {}


def test_both_engines_agree_with_plain_pandas(engines: Engines, arrivals: list[Arrival]) -> None:
    log = [sent for _, sent in arrivals if sent[1]["event_id"] != "ahead"]
    oracle = rows_of(pandas_oracle.final_rows(log, ZONE))
    assert differences(oracle, engines.streamed) == differences(oracle, engines.batch) == {}


def test_late_events_correct_the_history_and_nothing_else(engines: Engines, arrivals: list[Arrival]) -> None:
    log = [sent for _, sent in arrivals if sent[1]["event_id"] != "ahead"]
    assert differences(rows_of(pandas_oracle.final_rows([*log, *LATE], ZONE)), engines.corrected) == {}
    corrected = {(sku, name) for (sku, _, _), name in differences(engines.batch, engines.corrected)}
    assert {(SKUS[1], "units"), (SKUS[1], "purchases"), (SKUS[2], "in_stock_share")} <= corrected
    assert {sku for sku, _ in corrected} == {SKUS[1], SKUS[2]}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_both_engines_give_the_rows_computed_by_hand(case: GoldenCase, engines: Engines) -> None:
    for rows in (engines.streamed, engines.batch):
        own = {key: values for key, values in rows.items() if key[0] == case.name}
        assert differences(case.rows, own) == {}


def test_the_order_of_arrival_does_not_change_a_byte(engines: Engines) -> None:
    by_name = {name: rows_written(engines.records, name) for name in PERMUTED}
    assert len(by_name[PERMUTED[0]]) >= 48 * len(DAYS)
    for name in PERMUTED[1:]:
        assert by_name[name] == by_name[PERMUTED[0]]


def rows_written(records: list[ConsumerRecord], sku: str) -> set[bytes]:
    """Every row of a SKU, final or not, without its name."""
    return {r.value.replace(sku.encode(), b"") for r in records if json.loads(r.value)["sku"] == sku}


def test_no_window_is_written_twice_not_even_where_the_clock_skips_an_hour(engines: Engines) -> None:
    rows = [json.loads(record.value) for record in engines.records]
    windows = [(row["sku"], row["window_start_ms"], row["window_end_ms"]) for row in rows]
    spring = midnight(date(2011, 3, 27))
    ends = [end - spring for sku, start, end in windows if (sku, start) == ("spring-forward", spring)]
    assert sorted(ends) == [step * STEP_MS for step in range(1, 2 * 23 + 1)]
    assert len(set(windows)) == len(windows)


def test_a_clock_400_days_ahead_is_a_dead_letter_and_closes_no_day(engines: Engines) -> None:
    assert [json.loads(letter.value)["event_id"] for letter in engines.dead_letters] == ["ahead"]
