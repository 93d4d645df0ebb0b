"""What the stages tell of their work: gauges go on after a restart, and waits and missing inputs are seen."""

from datetime import UTC, datetime
from typing import Any

import pytest

from batch.forecaster.champions import FALLBACK
from infra.contracts.demand import DemandForecast
from infra.contracts.message import Money
from infra.contracts.topics import ITEMS, PROPOSALS, STOCK_LEVELS
from serving.allocator_stage import AllocatorStage
from serving.fill_rate import DAYS, FillRate
from serving.forecast_meters import ForecastMeters
from serving.forecast_source import ForecastSource
from serving.inventory.allocation import solver_options
from serving.log_meters import instant_ms
from serving.model_record import ModelRecord
from serving.planner_stage import PlannerStage
from serving.stock_summary import INTERVAL_SECONDS
from tests.unit.serving.readings import Readings
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    EPOCH,
    OPENING,
    PARTITIONS,
    MemoryLog,
    accuracy,
    close_epoch,
    feed,
    final_row,
    forecast,
    item,
    level,
    opened_shop,
    partition_of,
    run,
)
from tests.unit.serving.test_allocator_stage import without_marker
from tests.unit.serving.test_planner_stage import SKUS, decided_log, proposals

DEADLINE = 60.0


def planner(log: MemoryLog, readings: Readings) -> PlannerStage:
    stage = PlannerStage(frozenset(range(PARTITIONS)), PARTITIONS, BOUND_MS, DEADLINE, readings)
    feed(stage, log.entries)
    return stage


def allocator(log: MemoryLog, readings: Readings) -> AllocatorStage:
    stage = AllocatorStage(PARTITIONS, BOUND_MS, DEADLINE, solver_options(10.0), readings)
    feed(stage, log.entries)
    return stage


def test_items_count_by_stock_and_their_value_by_currency() -> None:
    log = opened_shop(["A", "B"], on_hand=40)
    log.append(STOCK_LEVELS, partition_of("B"), level("B", 0, OPENING + 1))
    euros = Money(amount="2.50", currency="EUR")
    log.append(ITEMS, partition_of("C"), item("C", unit_cost=euros))
    log.append(ITEMS, partition_of("D"), item("D", unit_cost=euros))
    log.append(STOCK_LEVELS, partition_of("D"), level("D", 4))
    readings = Readings()

    run(planner(log, readings), log, now=0.0)

    assert [readings.values[f"items {stock}"] for stock in ("in", "out", "unknown")] == [2, 1, 1]
    assert readings.values["stock_value GBP"] == pytest.approx(40 * 1.30)
    assert readings.values["stock_value EUR"] == pytest.approx(4 * 2.50)


def test_a_stock_out_is_seen_within_the_interval() -> None:
    log = opened_shop(["A"], on_hand=1)
    readings = Readings()
    stage = planner(log, readings)
    run(stage, log, now=0.0)
    feed(stage, [log.append(STOCK_LEVELS, partition_of("A"), level("A", 0, OPENING + 1))])

    run(stage, log, now=INTERVAL_SECONDS)

    assert readings.values["items out"] == 1
    assert readings.values["stock_value GBP"] == 0


def test_an_epoch_without_its_forecasts_waits_and_is_decided_at_the_deadline() -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS, without=["A"]))
    readings = Readings()
    stage = planner(log, readings)
    run(stage, log, now=100.0)
    run(stage, log, now=130.0)
    assert readings.values["waiting_seconds planner"] == 30
    assert "deadlines_total planner" not in readings.values

    run(stage, log, now=160.0)

    assert readings.values["waiting_seconds planner"] == 0
    assert readings.values["deadlines_total planner"] == 1
    assert set(proposals(log)) == set(SKUS)


def test_a_group_with_a_missing_partition_waits_and_is_allocated_at_the_deadline() -> None:
    log = decided_log()
    log.entries = without_marker(log, 1)
    readings = Readings()
    stage = allocator(log, readings)
    run(stage, log, now=100.0)
    run(stage, log, now=140.0)
    assert readings.values["waiting_seconds allocator"] == 40

    run(stage, log, now=160.0)

    assert readings.values["waiting_seconds allocator"] == 0
    assert readings.values["deadlines_total allocator"] == 1
    assert "revisions_total" not in readings.values


def test_a_whole_epoch_misses_no_deadline() -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS))
    readings = Readings()
    for stage in (planner(log, readings), allocator(log, readings)):
        feed(stage, log.entries)
        run(stage, log, now=1e9)

    assert not any(name.startswith("deadlines_total") for name in readings.values)


def gauges_of(forecasts: list[DemandForecast], source: ForecastSource) -> dict[str, float]:
    readings = Readings()
    meters = ForecastMeters(readings)
    for each in forecasts:
        meters.note_in_log(each)
    meters.record(source, replace=False, waiting_seconds=0.0)
    return readings.values


def test_the_share_of_the_fallback_is_that_of_the_newest_origin_in_the_log() -> None:
    source = ForecastSource(None, FALLBACK, "no model is promoted", "a" * 64, 100)
    by_fallback: dict[str, Any] = {"forecaster": FALLBACK, "fallback_reason": "no model"}
    older = [forecast(sku, EPOCH, **by_fallback) for sku in SKUS]
    newer = [forecast(sku, EPOCH + 1) for sku in SKUS[1:]]

    values = gauges_of([*older, *newer, forecast("A", EPOCH + 1, **by_fallback)], source)

    assert values["fallback_share"] == 1 / len(SKUS)
    assert values["last_epoch_seconds forecaster"] == (EPOCH + 1) / 1000


def test_a_models_record_is_shown_as_far_as_its_artifact_has_one() -> None:
    scores = {"wql": 0.4, "cumulative_pinball_14": 0.2, "coverage_80_of_14_days": 0.81}
    gate = {"series": 100, "ratio_to_better_baseline": {"wql": 0.9}, "pooled": {"lstm": scores}}
    manifest = {"learned_until": "2011-06-12", "seconds_per_step": 0.05}
    whole, empty = Readings(), Readings()

    ModelRecord(manifest, gate).record(whole)
    ModelRecord({}, {"passes": True}).record(empty)

    assert whole.values == {
        "model_learned_until_seconds": datetime(2011, 6, 13, tzinfo=UTC).timestamp(),
        "model_step_seconds": 0.05,
        "model_series": 100,
        "model_gate_ratio wql": 0.9,
        "model_gate_wql lstm": 0.4,
        "model_gate_coverage lstm": 0.81,
    }
    assert empty.values == {}


def served(rows: list[Any]) -> dict[str, float]:
    readings, rate = Readings(), FillRate()
    for row in rows:
        rate.add(row)
    rate.record(readings)
    return readings.values


def test_the_fill_rate_counts_what_a_sku_had_sold_had_it_been_in_stock() -> None:
    rows = [
        final_row("A", "2011-09-19", units=10, share=1.0),
        final_row("A", "2011-09-20", units=5, share=0.5),
        final_row("B", "2011-09-19", units=15, share=1.0),
        final_row("C", "2011-09-19", units=0, share=0.0),
        final_row("D", "2011-09-19", units=99, share=None),
    ]

    assert served([*rows, *rows]) == {
        "in_stock_ratio": pytest.approx((1.0 + 0.5 + 1.0 + 0.0) / 4),
        "fill_rate_ratio": pytest.approx(30 / (20 + 15)),
    }


def test_the_fill_rate_forgets_what_is_long_past() -> None:
    days = [f"2011-{month:02}-{day:02}" for month in (8, 9) for day in range(1, 29)]
    rows = [final_row("A", day, units=1, share=float(day >= days[-DAYS])) for day in days]

    assert served(rows)["in_stock_ratio"] == 1.0


def test_every_message_is_about_an_instant() -> None:
    log = decided_log()

    assert instant_ms(proposals(log)["A"]) == EPOCH
    assert {instant_ms(message) for message in log.messages(PROPOSALS)} == {EPOCH}
    assert instant_ms(forecast("A", EPOCH)) == EPOCH
    assert instant_ms(level("A", 1, OPENING)) == OPENING
    assert instant_ms(final_row("A", "2011-09-25", 1.0)) == EPOCH
    assert instant_ms(accuracy("A", EPOCH - DAY_MS, 0.5)) == EPOCH
