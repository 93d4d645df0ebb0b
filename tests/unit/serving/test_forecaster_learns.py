"""What matured scores and promotions change in the Forecaster."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batch.forecaster.champions import FALLBACK
from infra.contracts.topics import ACCURACY, PROMOTIONS
from serving.forecast_source import FALLBACK_HISTORY_DAYS
from serving.promoted_model import PromotedModel, model_source
from tests.unit.serving.records import (
    MemoryLog,
    accuracy,
    feed,
    final_row,
    heartbeats,
    local_ms,
    partition_of,
    run,
)
from tests.unit.serving.test_forecaster_stage import (
    NO_MODEL,
    forecaster,
    forecasts,
    log_with,
    promoted,
    served,
    weights,
)

THREE_DAYS = ("2011-09-19", "2011-09-20", "2011-09-21")
FIRST_ORIGIN, SECOND_ORIGIN, THIRD_ORIGIN = (
    local_ms(day) for day in ("2011-09-20", "2011-09-21", "2011-09-22")
)


def three_days(*scores: Any) -> MemoryLog:
    """Three closed days of SKU A, and scores of its earlier forecasts."""
    log = log_with(*(final_row("A", day, 4.0) for day in THREE_DAYS))
    heartbeats(log, (PROMOTIONS,), THIRD_ORIGIN)
    for score in scores:
        log.append(ACCURACY, partition_of("A"), score)
    return log


@pytest.mark.parametrize("score_comes", [True, False])
def test_a_forecast_waits_for_every_score_of_the_days_before_but_not_for_ever(score_comes: bool) -> None:
    log, stage = three_days(), forecaster(deadline_seconds=10)
    feed(stage, log.entries)
    run(stage, log, now=0.0)
    run(stage, log, now=9.9)
    assert {origin for _, origin in forecasts(log)} == {FIRST_ORIGIN, SECOND_ORIGIN}

    if score_comes:
        feed(stage, [log.append(ACCURACY, partition_of("A"), accuracy("A", FIRST_ORIGIN, 0.5))])
    run(stage, log, now=9.9 if score_comes else 10.0)

    assert {origin for _, origin in forecasts(log)} == {FIRST_ORIGIN, SECOND_ORIGIN, THIRD_ORIGIN}


def test_a_forecast_names_what_moved_its_quantiles_and_without_scores_nothing_does() -> None:
    plain = served(three_days())
    moved = served(three_days(accuracy("A", FIRST_ORIGIN, 0.9999)))

    assert all(each.recalibration is None for each in plain.values())
    assert moved[("A", SECOND_ORIGIN)] == plain[("A", SECOND_ORIGIN)]
    third, before = moved[("A", THIRD_ORIGIN)], plain[("A", THIRD_ORIGIN)]
    assert third.recalibration is not None
    assert third.recalibration.matured_ms == SECOND_ORIGIN
    assert (np.array(third.recalibration.shifts[0]) > 0).all()
    assert (np.array(third.quantiles[0]) > np.array(before.quantiles[0])).all()
    assert third.quantiles[27] == before.quantiles[27]  # nothing has matured at 28 days


def test_a_score_that_matured_later_is_not_known_yet() -> None:
    early = accuracy("A", FIRST_ORIGIN, 0.3)
    late = accuracy("A", SECOND_ORIGIN, 0.9999)

    assert served(three_days(early, late)) == served(three_days(early))


def test_the_fallback_is_the_models_shadow_and_nobodys_without_a_model() -> None:
    (made,) = served(log_with(final_row("A", "2011-09-19", 4.0))).values()
    (fallback,) = served(log_with(final_row("A", "2011-09-19", 4.0)), NO_MODEL).values()

    assert made.shadow is not None
    assert made.shadow.forecaster == FALLBACK
    assert made.shadow.quantiles == [fallback.quantiles[day - 1] for day in made.shadow.days]
    assert fallback.shadow is None


def test_another_promoted_model_serves_at_once_and_a_broken_one_leaves_the_fallback(tmp_path: Path) -> None:
    promoted(tmp_path)
    source = PromotedModel(tmp_path, model_source(tmp_path, "a" * 64, 100), FALLBACK_HISTORY_DAYS)
    first = source()
    second = promoted(tmp_path, **{name: value + 1 for name, value in list(weights().items())[:1]})

    assert first.predictor is not None
    assert source().model_id == second.name != first.model_id
    assert source() is source()

    third = promoted(tmp_path, **{name: value + 2 for name, value in list(weights().items())[:1]})
    (third / "model.safetensors").write_bytes(b"altered")
    assert "differs" in str(source().fallback_reason)
