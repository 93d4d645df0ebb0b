from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.testing import assert_allclose

from infra.contracts.codec import encode
from infra.contracts.demand import EVALUATED_DAYS, QUANTILE_LEVELS, DemandAccuracy, DemandForecast, Shadow
from infra.contracts.topics import ACCURACY, CALENDARS, FEATURES, FORECASTS
from serving.evaluator_stage import EvaluatorStage
from serving.partition_log import Entry
from tests.unit.serving.records import (
    MemoryLog,
    Tally,
    calendar,
    feed,
    final_row,
    forecast,
    local_ms,
    partition_of,
    run,
)

FIRST = date(2011, 8, 1)  # a Monday; Saturdays are closed
DAYS = [(FIRST + timedelta(days=n)).isoformat() for n in range(40)]
DEMAND = [0.0 if n % 7 == 5 else float(7 + n % 5) for n in range(40)]

Scored = dict[tuple[int, int, bool], DemandAccuracy]


def origin(day: int) -> int:
    return local_ms(DAYS[day])


def shadow(daily_mean: float) -> Shadow:
    table = forecast("A", daily_mean=daily_mean).quantiles
    return Shadow(
        forecaster="empirical_56_open_days",
        days=list(EVALUATED_DAYS),
        quantiles=[table[day - 1] for day in EVALUATED_DAYS],
    )


def log_of(forecasts: Iterable[DemandForecast], short: dict[int, float] | None = None) -> MemoryLog:
    """All rows, then all forecasts; on days of `short` the SKU was in stock for that share only."""
    log = MemoryLog()
    log.append(CALENDARS, 0, calendar(event_time_ms=local_ms("2011-01-01")))
    for number, day in enumerate(DAYS):
        row = final_row("A", day, DEMAND[number], (short or {}).get(number, 1.0))
        log.append(FEATURES, partition_of("A"), row)
    for each in forecasts:
        log.append(FORECASTS, partition_of("A"), each)
    return log


def evaluated(log: MemoryLog, batches: int | None = None) -> MemoryLog:
    stage = EvaluatorStage(Tally())
    feed(stage, list(log.entries))
    run(stage, log, now=0.0, batches=batches)
    return log


def records(log: MemoryLog) -> Scored:
    found: list[DemandAccuracy] = log.messages(ACCURACY)
    made = {
        ((each.origin_ms - origin(0)) // 86_400_000, each.horizon_days, each.served): each for each in found
    }
    assert len(made) == len(found)
    return made


def test_a_forecast_is_scored_at_every_horizon_as_its_definition_says() -> None:
    made = records(evaluated(log_of([forecast("A", origin(0))])))
    (row,) = {tuple(table) for table in forecast("A").quantiles if any(table)}
    quantiles, levels = np.array(row), np.array(QUANTILE_LEVELS)

    assert sorted(made) == [(0, 1, True), (0, 7, True), (0, 14, True), (0, 28, True)]
    for (_, days, _), record in made.items():
        assert record.matured_ms == origin(days)
        assert record.day is not None
        actual = DEMAND[days - 1]
        error = actual - quantiles
        assert record.day.actual == actual
        assert record.day.pinball == pytest.approx(
            np.where(error >= 0, levels * error, (levels - 1) * error).mean(), abs=1e-6
        )
        assert record.day.covered_80 == (quantiles[3] <= actual <= quantiles[12])
        below, at_most = np.interp([actual - 0.5, actual + 0.5], quantiles, levels)
        assert below <= record.day.pit <= at_most
        assert (record.total.actual if record.total else actual) == sum(DEMAND[:days])


def test_nothing_is_scored_before_its_last_day_has_closed() -> None:
    log = MemoryLog()
    log.append(CALENDARS, 0, calendar(event_time_ms=local_ms("2011-01-01")))
    log.append(FORECASTS, partition_of("A"), forecast("A", origin(0)))
    stage = EvaluatorStage(Tally())
    feed(stage, log.entries)

    matured: dict[int, int] = {}
    for number, day in enumerate(DAYS[:30]):
        stage.apply(log.append(FEATURES, partition_of("A"), final_row("A", day, DEMAND[number])))
        before = len(log.messages(ACCURACY))
        run(stage, log, now=float(number))
        matured |= {record.horizon_days: number for record in log.messages(ACCURACY)[before:]}

    assert matured == {1: 0, 7: 6, 14: 13, 28: 27}


def test_a_closed_day_is_no_score_but_belongs_to_the_sum() -> None:
    saturday = records(evaluated(log_of([forecast("A", origin(5))])))[(5, 1, True)]
    friday = records(evaluated(log_of([forecast("A", origin(6))])))[(6, 7, True)]

    assert (saturday.day, saturday.total) == (None, None)
    assert friday.day is None
    assert friday.total is not None
    assert (friday.total.actual, friday.total.censored) == (sum(DEMAND[6:13]), False)


@pytest.mark.parametrize("absent", ["short of stock", "without a row"])
def test_what_was_sold_in_a_stock_out_is_never_scored_as_demand(absent: str) -> None:
    log = log_of([forecast("A", origin(0))], short={2: 0.4})
    if absent == "without a row":
        log.entries = [each for each in log.entries if not _is_row_of(each, DAYS[2])]
    made = records(evaluated(log))
    known = records(evaluated(log_of([forecast("A", origin(0))])))

    assert made[(0, 1, True)] == known[(0, 1, True)]
    total = made[(0, 7, True)].total
    assert total is not None
    assert total.censored
    assert total.actual == sum(DEMAND[:7]) - (DEMAND[2] if absent == "without a row" else 0)
    assert (total.pinball, total.bias, total.covered_80, total.scored, total.cfe) == (
        None,
        None,
        False,
        0,
        0.0,
    )
    # the published sum is the single day's table here, so the bound alone lies above every quantile
    assert total.pit > 0.9


def _is_row_of(entry: Entry, day: str) -> bool:
    return entry.topic == FEATURES and entry.message.window_start_ms == local_ms(day)


def test_a_bound_within_the_interval_leaves_coverage_open() -> None:
    generous = forecast("A", origin(0), daily_mean=100.0)
    made = records(evaluated(log_of([generous], short={0: 0.5})))[(0, 1, True)]

    assert made.day is not None
    assert made.day.censored
    assert (made.day.covered_80, made.day.covered_95, made.day.pinball) == (None, None, None)
    assert made.day.pit >= 1 - np.exp(-(DEMAND[0] - 0.5) / 100) - 1e-3


def test_a_stock_out_over_a_closed_day_hides_nothing() -> None:
    made = records(evaluated(log_of([forecast("A", origin(0))], short={5: 0.0})))

    assert made == records(evaluated(log_of([forecast("A", origin(0))])))


def test_running_errors_and_the_tracking_signal_run_over_uncensored_scores() -> None:
    forecasts = [forecast("A", origin(day), daily_mean=3.0) for day in range(12)]
    made = records(evaluated(log_of(forecasts, short={4: 0.2})))
    scored = [made[(day, 1, True)].day for day in range(12)]
    open_and_known = [each for each in scored if each is not None and not each.censored]
    errors = [-each.bias for each in open_and_known if each.bias is not None]

    assert len(errors) == 10  # one day was closed, one short of stock
    assert_allclose([each.cfe for each in open_and_known], np.cumsum(errors), atol=1e-5)
    last = open_and_known[-1]
    assert last.mean_absolute_error == pytest.approx(np.mean(np.abs(errors)), abs=1e-5)
    assert last.tracking_signal == pytest.approx(np.sum(errors) / np.mean(np.abs(errors)), abs=1e-4)
    assert last.scored == 10


def test_the_forecaster_that_did_not_serve_is_scored_beside_the_one_that_did() -> None:
    made = records(evaluated(log_of([forecast("A", origin(0), shadow=shadow(5.0))])))
    alone = records(evaluated(log_of([forecast("A", origin(0), daily_mean=5.0)])))

    served, beside = made[(0, 1, True)], made[(0, 1, False)]
    assert (served.forecaster, beside.forecaster) == ("lstm", "empirical_56_open_days")
    expected = alone[(0, 1, True)].day
    assert beside.day is not None
    assert expected is not None
    assert beside.day == expected.model_copy(update={"pit": beside.day.pit})
    assert beside.total is None


def test_a_restart_at_any_point_writes_the_same_bytes_and_nothing_twice() -> None:
    forecasts = [forecast("A", origin(day), shadow=shadow(5.0 + day)) for day in range(8)]
    undisturbed = [encode(ACCURACY, each) for each in evaluated(log_of(forecasts)).messages(ACCURACY)]
    whole = log_of(forecasts)
    for end in (10, 25, len(whole.entries)):
        part = MemoryLog()
        for each in whole.entries[:1] + whole.entries[41:] + whole.entries[1:end]:
            part.append(each.topic, each.partition, each.message)
        interrupted = evaluated(part)
        for each in whole.entries[1:41][end - 1 :]:
            interrupted.append(each.topic, each.partition, each.message)
        again = evaluated(interrupted)

        assert sorted(encode(ACCURACY, each) for each in again.messages(ACCURACY)) == sorted(undisturbed)


def test_repeated_records_change_nothing() -> None:
    log = log_of([forecast("A", origin(0)), forecast("A", origin(0), daily_mean=99.0)])
    once = records(evaluated(log))
    twice = evaluated(log)

    assert records(twice) == once == records(evaluated(log_of([forecast("A", origin(0))])))
