"""A day that outruns its forecast: what is forecast of its rest, once, and what is ordered because of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.demand import QUANTILE_LEVELS, Copula, DemandFeatures, DemandForecast, IntradayForecast
from infra.contracts.topics import FEATURES, INTRADAY_FORECASTS
from serving.demand_context import DemandContext
from serving.forecaster_stage import ForecasterStage
from serving.intraday import IntradayWatch, rest_of_day
from tests.unit.serving.between_reviews import HOUR_MS, reviewed
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    EPOCH,
    LOCATION,
    ZONE,
    Tally,
    feed,
    final_row,
    forecast,
    local_ms,
    partition_of,
    run,
)
from tests.unit.serving.test_forecaster_stage import MODEL, log_with, panel
from tests.unit.serving.test_position_watch import snapshot, watched
from tests.unit.serving.test_reproduction import Recorded, replayed

NOON = EPOCH + 12 * HOUR_MS
UNIFORM = [[100 * level for level in QUANTILE_LEVELS] for _ in range(28)]
MEDIAN = QUANTILE_LEVELS.index(0.5)


def uniform(level: float = 0.0) -> DemandForecast:
    """Every day is uniform on 0 to 100."""
    return forecast("A", quantiles=UNIFORM, cumulative=UNIFORM, copula=Copula(level=level, decay=0.0))


def row(hour: int, units: float, day: int = 0, sku: str = "A") -> DemandFeatures:
    start = EPOCH + day * DAY_MS
    return DemandFeatures(
        sku=sku,
        location=LOCATION,
        window_start_ms=start,
        window_end_ms=start + hour * HOUR_MS,
        is_final=False,
        values={"units": units},
    )


def test_the_rest_of_a_uniform_day_is_uniform_on_what_is_left() -> None:
    made = rest_of_day(uniform(), 60.0, EPOCH + DAY_MS - 1, EPOCH + DAY_MS).forecast

    assert made.quantiles[0] == pytest.approx([40 * level for level in QUANTILE_LEVELS], abs=1e-3)
    assert made.origin_ms == EPOCH + DAY_MS - 1


def test_what_the_clock_has_left_of_the_usual_is_sold_whatever_was_sold_before() -> None:
    made = rest_of_day(uniform(), 1000.0, NOON, EPOCH + DAY_MS).forecast

    assert made.quantiles[0] == pytest.approx([50 * level for level in QUANTILE_LEVELS], abs=1e-3)


def test_the_days_after_change_only_as_far_as_days_move_together() -> None:
    alone, together = (rest_of_day(uniform(level), 97.0, NOON, EPOCH + DAY_MS).forecast for level in (0, 0.5))

    assert alone.quantiles[5][MEDIAN] == pytest.approx(50, abs=3)
    # Median of a day whose normal score correlates 0.5 with one given above Φ⁻¹(0.97): about Φ(0.5 · 2.27).
    assert together.quantiles[5][MEDIAN] == pytest.approx(87, abs=3)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0, 500),
    st.integers(1, 23),
    st.lists(st.floats(0, 300), min_size=len(QUANTILE_LEVELS), max_size=len(QUANTILE_LEVELS)),
)
def test_a_forecast_within_a_day_is_finite_ascending_and_the_same_again(
    sold: float, hour: int, units: list[float]
) -> None:
    table = [sorted(round(each, 4) for each in units)] * 28
    morning = forecast("A", quantiles=table, cumulative=table)

    made, again = (rest_of_day(morning, sold, EPOCH + hour * HOUR_MS, EPOCH + DAY_MS) for _ in range(2))

    assert made == again
    assert np.isfinite(made.forecast.quantiles).all()  # and ascending, or the contract would refuse it


def made_by(*records: DemandFeatures | DemandForecast | IntradayForecast) -> list[IntradayForecast]:
    watch, made = IntradayWatch(), []
    for record in records:
        match record:
            case DemandFeatures():
                watch.note_row(record)
            case DemandForecast():
                watch.note_forecast(record)
            case IntradayForecast():
                watch.note_made(record)
        made += list(watch.due(lambda *_: ZONE))
    return made


def test_the_first_row_beyond_the_whole_days_95_percent_leads_to_one_forecast_a_day() -> None:
    rows = [row(9, 90.0), row(10, 96.0), row(11, 99.0)]
    (made,) = made_by(uniform(), *rows)

    assert (made.sold_so_far, made.forecast.origin_ms) == (96.0, EPOCH + 10 * HOUR_MS)
    assert made_by(*rows, uniform()) == [made]  # rows may come before their day's forecast
    assert made_by(made, uniform(), *rows) == []  # a restart finds it in the log
    assert made_by(uniform(), row(9, 95.0)) == []


def intraday(sku: str = "A") -> IntradayForecast:
    return rest_of_day(forecast(sku, EPOCH + DAY_MS), 80.0, EPOCH + DAY_MS + 12 * HOUR_MS, EPOCH + 2 * DAY_MS)


def test_a_day_that_outruns_its_forecast_calls_for_a_decision_on_that_forecast() -> None:
    made = intraday()
    log = reviewed()
    log.append(INTRADAY_FORECASTS, partition_of("A"), made)
    first, second = watched(log, snapshot(2, 100))

    assert second.cause == f"intraday:{made.forecast.origin_ms}"
    assert second.inputs.forecast is not None
    assert second.inputs.forecast.origin_ms == made.forecast.origin_ms
    assert second.supersedes == first.decision_id
    recorded = Recorded(log)
    assert replayed(recorded).differences == []
    recorded.records[INTRADAY_FORECASTS][0]["forecast"]["quantiles"][0][5] += 0.5
    assert replayed(recorded).differences


def test_forecasts_within_days_lead_to_nothing_where_positions_are_not_watched() -> None:
    log = reviewed()
    log.append(INTRADAY_FORECASTS, partition_of("A"), intraday())

    assert len(watched(log, snapshot(2, 100), watch=False)) == 1


@pytest.mark.parametrize("asked", [True, False])
def test_the_forecaster_publishes_one_where_it_is_asked_to_and_a_restart_no_other(asked: bool) -> None:
    day = local_ms("2011-09-20")
    log = log_with(final_row("A", "2011-09-19", 4.0))
    within = row(12, 1e4).model_copy(update={"window_start_ms": day, "window_end_ms": day + 12 * HOUR_MS})
    log.append(FEATURES, partition_of("A"), within)
    for _ in range(2):
        watch = IntradayWatch() if asked else None
        context = DemandContext(MODEL.history_days, panel())
        stage = ForecasterStage(context, lambda: MODEL, Tally(), 0, BOUND_MS, watch)
        feed(stage, log.entries)
        run(stage, log, now=0.0)

    found = log.messages(INTRADAY_FORECASTS)
    assert [(each.day_origin_ms, each.sold_so_far) for each in found] == [(day, 1e4)] * asked
