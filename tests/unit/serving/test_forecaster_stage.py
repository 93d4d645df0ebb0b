import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batch.forecaster.artifact import point_to, save_artifact
from batch.forecaster.champions import FALLBACK
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.network import DemandNetwork
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from infra.contracts.demand import QUANTILE_LEVELS, DemandForecast
from infra.contracts.topics import CALENDARS, FEATURES, FORECASTS
from serving.demand_context import DemandContext
from serving.forecast_source import ForecastSource
from serving.forecaster_stage import ForecasterStage
from serving.promoted_model import load_source
from tests.unit.serving.records import (
    BOUND_MS,
    LOCATION,
    MemoryLog,
    Tally,
    calendar,
    feed,
    final_row,
    local_ms,
    partition_of,
    run,
)

SKUS = ("A", "B", "C")
LAST_PANEL_DAY = date(2011, 9, 18)
PANEL_DAYS = 300


def panel() -> DemandPanel:
    first = LAST_PANEL_DAY - timedelta(days=PANEL_DAYS - 1)
    weekdays = np.array([(first + timedelta(days=n)).weekday() for n in range(PANEL_DAYS)])
    open_days = np.tile(weekdays != 5, (len(SKUS), 1))
    units = np.where(open_days, np.random.default_rng(1).poisson(5, open_days.shape), 0).astype(float)
    return DemandPanel(
        series=tuple((sku, LOCATION) for sku in SKUS),
        first_day=first,
        units=units,
        observed=np.ones_like(open_days),
        open=open_days,
        location_open=open_days,
        panel_hash="a" * 64,
    )


def config() -> ForecasterConfig:
    return ForecasterConfig(
        series=tuple((sku, LOCATION) for sku in SKUS),
        locations=(LOCATION,),
        pooled_quantiles=tuple(float(-np.log1p(-level)) for level in QUANTILE_LEVELS),
    )


def weights() -> dict[str, Any]:
    network = DemandNetwork(config())
    rng = np.random.default_rng(2)
    return {
        name: rng.normal(0, 0.05, tuple(value.shape)).astype(np.float32)
        for name, value in network.state_dict().items()
    }


MODEL = ForecastSource(Predictor(config(), weights()), "lstm-1", None, "a" * 64, 100)
NO_MODEL = ForecastSource(None, FALLBACK, "no model is promoted", "a" * 64, 100)


def forecaster(source: ForecastSource = MODEL, deadline_seconds: float = 0) -> ForecasterStage:
    context = DemandContext(source.history_days, panel())
    return ForecasterStage(context, lambda: source, Tally(), deadline_seconds, BOUND_MS)


def log_with(*rows: Any) -> MemoryLog:
    log = MemoryLog()
    log.append(CALENDARS, 0, calendar(event_time_ms=local_ms("2011-01-01")))
    for row in rows:
        log.append(FEATURES, partition_of(row.sku), row)
    return log


def forecasts(log: MemoryLog) -> dict[tuple[str, int], DemandForecast]:
    found = log.messages(FORECASTS)
    assert len({(each.sku, each.origin_ms) for each in found}) == len(found)
    return {(each.sku, each.origin_ms): each for each in found}


def served(log: MemoryLog, source: ForecastSource = MODEL) -> dict[tuple[str, int], DemandForecast]:
    stage = forecaster(source)
    feed(stage, log.entries)
    run(stage, log, now=0.0)
    return forecasts(log)


def test_every_closed_day_of_a_sku_gets_one_forecast_from_its_end() -> None:
    made = served(
        log_with(*(final_row(sku, day, 4.0) for day in ("2011-09-19", "2011-09-20") for sku in SKUS))
    )

    origins = {local_ms("2011-09-20"), local_ms("2011-09-21")}
    assert set(made) == {(sku, origin) for sku in SKUS for origin in origins}
    assert {each.forecaster for each in made.values()} == {"lstm"}
    assert all(each.fallback_reason is None for each in made.values())


def test_a_forecast_is_the_same_alone_and_among_others() -> None:
    rows = [final_row(sku, "2011-09-19", 4.0) for sku in SKUS]
    together = served(log_with(*rows))

    for row in rows:
        alone = served(log_with(row))
        assert together | alone == together


def test_rows_repeated_or_already_in_the_panel_change_nothing() -> None:
    day = final_row("A", "2011-09-19", 4.0)
    covered = final_row("A", "2011-09-18", 999.0)
    repeated = final_row("A", "2011-09-19", 999.0)

    assert served(log_with(covered, day, repeated)) == served(log_with(day))


def test_a_restarted_forecaster_forecasts_no_origin_again_and_goes_on_alike() -> None:
    days = ("2011-09-19", "2011-09-20", "2011-09-21")
    undisturbed = served(log_with(*(final_row("A", day, 4.0) for day in days)))
    log = log_with(*(final_row("A", day, 4.0) for day in days[:2]))
    served(log)
    log.append(FEATURES, partition_of("A"), final_row("A", days[2], 4.0))

    assert served(log) == undisturbed


def test_an_origin_that_another_model_has_forecast_stays() -> None:
    log = log_with(final_row("A", "2011-09-19", 4.0))
    before = served(log, NO_MODEL)

    assert served(log, MODEL) == before


def test_a_day_with_a_stock_out_is_censored_and_an_unknown_one_is_not() -> None:
    def digest(share: float | None) -> str:
        made = served(log_with(final_row("A", "2011-09-19", 4.0, share)))
        return made[("A", local_ms("2011-09-20"))].context_digest

    assert digest(None) == digest(1.0) != digest(0.5)


def test_a_missing_day_counts_as_not_observed() -> None:
    context = DemandContext(10, panel())
    context.append(final_row("A", "2011-09-22", 4.0), calendar())

    window = context.window([("A", LOCATION)], date(2011, 9, 22), calendar(), 7)

    assert window.observed[0].tolist() == [True] * 6 + [False] * 3 + [True]
    assert window.open[0, -5:].tolist() == [True] * 5  # Sunday 18th to Thursday 22nd
    assert window.future_open[0].tolist() == [True, False, True, True, True, True, True]


@pytest.mark.parametrize("source", [MODEL, NO_MODEL])
def test_a_sku_the_panel_does_not_know_gets_a_finite_forecast(source: ForecastSource) -> None:
    made = served(log_with(final_row("NEW", "2011-09-19", 4.0)), source)[("NEW", local_ms("2011-09-20"))]

    assert np.isfinite(made.quantiles).all()
    assert np.isfinite(made.cumulative).all()


def test_closed_days_have_no_demand() -> None:
    made = served(log_with(final_row("A", "2011-09-19", 4.0)))[("A", local_ms("2011-09-20"))]
    totals = np.array(made.quantiles).sum(axis=1)

    # the horizon starts on Tuesday the 20th; Saturdays are closed
    assert [day for day in range(28) if totals[day] == 0] == [4, 11, 18, 25]


def test_rows_wait_for_their_calendar() -> None:
    log = MemoryLog()
    stage = forecaster()
    feed(stage, [log.append(FEATURES, 0, final_row("A", "2011-09-19", 4.0))])
    run(stage, log, now=0.0)
    assert forecasts(log) == {}

    feed(stage, [log.append(CALENDARS, 0, calendar())])
    run(stage, log, now=1.0)

    assert len(forecasts(log)) == 1


def promoted(models_dir: Path, **damaged: Any) -> Path:
    model_id = save_artifact(models_dir, config(), weights() | damaged, {}, {"panel_hash": "a" * 64})
    point_to(models_dir, model_id)
    return models_dir / model_id


def write_panel(panel_dir: Path) -> None:
    first = LAST_PANEL_DAY - timedelta(days=9)
    rows = pd.DataFrame(
        {
            "sku": "A",
            "location": LOCATION,
            "date": [first + timedelta(days=n) for n in range(10)],
            "units": 3.0,
            "open": True,
            "available": None,
        }
    ).astype({"available": float})
    panel_dir.mkdir()
    rows.to_parquet(panel_dir / "part-0.parquet")
    (panel_dir / "_manifest.json").write_text(json.dumps({"panel_hash": "b" * 64}))


@pytest.mark.parametrize("damage", ["none", "no model", "altered weights", "no panel"])
def test_what_is_missing_or_damaged_leaves_the_fallback_with_the_reason(tmp_path: Path, damage: str) -> None:
    if damage != "no panel":
        write_panel(tmp_path / "panel")
    if damage != "no model":
        model = promoted(tmp_path / "models")
        if damage == "altered weights":
            (model / "model.safetensors").write_bytes(b"altered")

    source, _ = load_source(tmp_path / "models", tmp_path / "panel", 100)

    if damage == "none":
        assert (source.fallback_reason, source.predictor is not None) == (None, True)
        return
    made = served(log_with(final_row("A", "2011-09-19", 4.0)), source)[("A", local_ms("2011-09-20"))]
    assert made.forecaster == FALLBACK
    expected = {"no model": "no model", "altered weights": "differs", "no panel": "no panel"}[damage]
    assert expected in str(made.fallback_reason)


def test_a_model_that_returns_nonsense_for_a_sku_leaves_it_the_fallback_with_the_reason() -> None:
    broken = {name: np.full_like(value, np.nan) for name, value in weights().items()}
    source = ForecastSource(Predictor(config(), broken), "lstm-2", None, "a" * 64, 100)
    (made,) = served(log_with(final_row("A", "2011-09-19", 4.0)), source).values()
    (usual,) = served(log_with(final_row("A", "2011-09-19", 4.0)), NO_MODEL).values()

    assert (made.forecaster, made.quantiles) == (FALLBACK, usual.quantiles)
    assert "not finite" in str(made.fallback_reason)
