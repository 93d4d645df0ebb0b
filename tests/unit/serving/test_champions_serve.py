"""Series whose champion is not the model: who forecasts them, and who does when that one is found worse."""

from batch.forecaster.champions import FALLBACK, MODEL, Champions, SegmentChampion, baselines
from batch.forecaster.intermittent import USUAL_SMOOTHING
from infra.contracts.demand import Copula, DemandAccuracy, Forecaster
from infra.contracts.topics import ACCURACY, PROMOTIONS, RETRAIN_REQUESTS
from serving.forecast_source import ForecastSource
from tests.unit.serving.records import (
    DAY_MS,
    LOCATION,
    MemoryLog,
    accuracy,
    final_row,
    heartbeats,
    local_ms,
    partition_of,
)
from tests.unit.serving.test_forecaster_stage import MODEL as MODEL_ALONE
from tests.unit.serving.test_forecaster_stage import SKUS, log_with, served

SLOW = Copula(level=0.02, decay=0.1)
TABLE = Champions(
    segments={
        "C/Z/lumpy": SegmentChampion(champion="seasonal_naive", fallback=FALLBACK),
        "A/X/smooth": SegmentChampion(champion=MODEL, fallback="seasonal_naive"),
    },
    series={LOCATION: {"A": "C/Z/lumpy", "B": "A/X/smooth"}},
    copulas=dict.fromkeys(baselines(USUAL_SMOOTHING), SLOW),
    smoothing=USUAL_SMOOTHING,
)
SOURCE = ForecastSource(MODEL_ALONE.predictor, "lstm-1", None, "a" * 64, 100, champions=TABLE)
ORIGIN = local_ms("2011-09-20")


def one_day(*scores: DemandAccuracy) -> MemoryLog:
    log = log_with(*(final_row(sku, "2011-09-19", 4.0) for sku in SKUS))
    heartbeats(log, (PROMOTIONS,), ORIGIN)
    for score in scores:
        log.append(ACCURACY, partition_of(score.sku), score)
    return log


def scores(champion: Forecaster, loss: float) -> list[DemandAccuracy]:
    """Four weeks in which a champion of SKU A lost `loss` a day and its fallback 1."""
    origins = [ORIGIN - days * DAY_MS for days in range(30, 2, -1)]
    return [
        accuracy("A", origin, 0.5, pinball=lost, forecaster=name, served=name == champion)
        for origin in origins
        for name, lost in ((champion, loss), (FALLBACK, 1.0))
    ]


def test_each_series_is_forecast_by_the_champion_of_its_segment_and_the_message_says_so() -> None:
    made = served(one_day(), SOURCE)
    alone = served(one_day(), MODEL_ALONE)
    champions = {sku: (made[sku, ORIGIN].forecaster, made[sku, ORIGIN].segment) for sku in SKUS}

    assert champions == {
        "A": ("seasonal_naive", "C/Z/lumpy"),
        "B": (MODEL, "A/X/smooth"),
        "C": (MODEL, None),
    }
    assert all(each.fallback_reason is None for each in made.values())
    shadows = {sku: made[sku, ORIGIN].shadow for sku in SKUS}
    assert [each.forecaster for each in shadows.values() if each] == [FALLBACK, "seasonal_naive", FALLBACK]
    assert made["C", ORIGIN] == alone["C", ORIGIN]
    assert made["B", ORIGIN].quantiles == alone["B", ORIGIN].quantiles


def test_a_champions_paths_move_together_as_its_own_past_forecasts_did() -> None:
    made = served(one_day(), SOURCE)

    assert made["A", ORIGIN].copula == SLOW
    assert made["B", ORIGIN].copula == MODEL_ALONE.predictor.config.copula  # type: ignore[union-attr]


def test_a_champion_is_the_same_alone_among_others_and_after_a_restart() -> None:
    assert served(one_day(), SOURCE) == served(one_day(), SOURCE)
    assert served(log_with(final_row("A", "2011-09-19", 4.0)), SOURCE) == {
        ("A", ORIGIN): served(one_day(), SOURCE)["A", ORIGIN]
    }


def test_a_champion_that_turns_out_worse_stands_back_and_no_other_model_is_asked_for() -> None:
    log = one_day(*scores("seasonal_naive", 1.5))
    made = served(log, SOURCE)["A", ORIGIN]

    assert made.forecaster == FALLBACK
    assert made.shadow is not None
    assert made.shadow.forecaster == "seasonal_naive"
    assert "1.500 times its pinball loss" in str(made.fallback_reason)
    assert log.messages(RETRAIN_REQUESTS) == []


def test_a_champion_that_holds_keeps_its_segment_and_the_model_is_not_judged_by_it() -> None:
    made = served(one_day(*scores("seasonal_naive", 0.9)), SOURCE)

    assert made["A", ORIGIN].forecaster == "seasonal_naive"
    assert made["C", ORIGIN].fallback_reason is None


def test_a_model_that_turns_out_worse_leaves_its_segments_and_asks_for_a_successor() -> None:
    log = one_day(*scores(MODEL, 1.5))
    made = served(log, SOURCE)

    # The losses are against the 56-day quantiles, which are the fallback where no segment has another one.
    assert made["C", ORIGIN].forecaster == FALLBACK
    assert made["A", ORIGIN].forecaster == "seasonal_naive"
    assert len(log.messages(RETRAIN_REQUESTS)) == 1
