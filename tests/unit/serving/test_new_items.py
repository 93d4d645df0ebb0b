"""From launch to end of life: what the Forecaster says of items that are new, and of those that go."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batch.forecaster.champions import FALLBACK
from batch.forecaster.cold_start import HANDOVER_DAYS
from batch.forecaster.cold_start_file import FILE, write_cold_start
from batch.forecaster.cold_start_fit import fit_cold_start
from batch.forecaster.items import NUMBERS, Items, no_factors
from batch.forecaster.windows import DemandWindow
from infra.contracts.demand import QUANTILE_LEVELS, DemandForecast
from infra.contracts.topics import ITEMS
from serving.forecast_source import ForecastSource
from serving.item_life import within_life
from serving.made_quantiles import COLD_START
from serving.promoted_model import load_source
from tests.unit.serving.records import ZONE, MemoryLog, final_row, item, local_ms, partition_of
from tests.unit.serving.test_forecaster_stage import (
    MODEL,
    NO_MODEL,
    log_with,
    panel,
    served,
    write_panel,
)

MEDIAN = QUANTILE_LEVELS.index(0.5)
LAUNCH = "2011-09-19"
AFTER_LAUNCH = local_ms("2011-09-20")


@cache
def with_cold_start(model: bool = True) -> ForecastSource:
    known = ("A", "B", "C")
    unknown = np.full((len(known), len(NUMBERS)), np.nan)
    cold = fit_cold_start(panel(), Items(known, ("gifts",) * 3, ("s",) * 3, unknown), no_factors())
    source = MODEL if model else NO_MODEL
    return ForecastSource(
        source.predictor, source.model_id, source.fallback_reason, source.panel_hash, 100, cold
    )


def shop(*rows: Any, **attributes: Any) -> MemoryLog:
    """A log in which the catalogue has the item NEW."""
    log = log_with()
    new = item("NEW", **{"event_time_ms": local_ms("2011-09-01"), "category": "gifts", **attributes})
    log.append(ITEMS, partition_of("NEW"), new)
    for row in rows:
        log.append("demand.features.v1", partition_of(row.sku), row)
    return log


def days_sold(sku: str, units: float, days: int) -> list[Any]:
    first = date.fromisoformat(LAUNCH)
    return [final_row(sku, (first + timedelta(days=number)).isoformat(), units) for number in range(days)]


def made_of(log: MemoryLog, origin_ms: int, source: ForecastSource | None = None) -> DemandForecast:
    return served(log, source or with_cold_start())[("NEW", origin_ms)]


@pytest.mark.parametrize("model", [True, False])
def test_a_sku_launched_yesterday_is_forecast_from_comparable_items_at_once(model: bool) -> None:
    made = made_of(shop(final_row("NEW", LAUNCH, 0.0, 0.0)), AFTER_LAUNCH, with_cold_start(model))

    assert made.forecaster == COLD_START
    assert made.fallback_reason == "new item, 0 days in stock so far: forecast from comparable items"
    # the panel's items sell 5 a day
    assert 3 <= made.quantiles[0][MEDIAN] <= 7
    assert made.quantiles[0][-1] > made.quantiles[0][MEDIAN]
    assert made.copula.level > 0
    assert made.shadow is None


def test_each_final_day_moves_the_forecast_of_a_new_item() -> None:
    medians = []
    for days in (1, 5, 20):
        origin = local_ms((date.fromisoformat(LAUNCH) + timedelta(days=days)).isoformat())
        medians.append(made_of(shop(*days_sold("NEW", 9.0, days)), origin).quantiles[1][MEDIAN])

    assert medians == sorted(medians)
    assert medians[-1] >= 7


def test_the_network_takes_over_once_an_item_is_known() -> None:
    days = HANDOVER_DAYS + HANDOVER_DAYS // 6 + 1  # Saturdays are closed
    log = shop(*days_sold("NEW", 4.0, days))

    made = served(log, with_cold_start())

    of_new = [each.forecaster for (sku, _), each in sorted(made.items()) if sku == "NEW"]
    assert of_new[0] == COLD_START
    assert of_new[-1] == "lstm"
    assert of_new == sorted(of_new)


def test_items_that_the_model_learned_from_or_the_catalogue_lacks_are_forecast_as_before() -> None:
    rows = [final_row("A", LAUNCH, 4.0), final_row("B", LAUNCH, 4.0)]
    log = shop(*rows, final_row("STRANGE", LAUNCH, 4.0))
    log.append(ITEMS, partition_of("A"), item("A", event_time_ms=local_ms("2011-09-01")))

    made = served(log, with_cold_start())

    assert {sku: each.forecaster for (sku, _), each in made.items()} == dict.fromkeys(
        ("A", "B", "STRANGE"), "lstm"
    )


def test_an_item_is_forecast_before_its_launch_but_not_for_the_days_before_it() -> None:
    log = shop(final_row("A", LAUNCH, 4.0), launch_ms=local_ms("2011-09-23"))

    made = made_of(log, AFTER_LAUNCH)

    totals = np.array(made.quantiles).sum(axis=1)
    # Tuesday the 20th is day 1; the launch is on Friday the 23rd, Saturdays are closed
    assert (totals > 0)[:7].tolist() == [False, False, False, True, False, True, True]
    assert made.cumulative[2][-1] == 0
    assert made.cumulative[3][MEDIAN] > 0


def test_an_item_far_from_its_launch_or_without_a_launch_date_has_no_forecast_until_it_has_rows() -> None:
    for attributes in ({"launch_ms": local_ms("2011-12-01")}, {}):
        log = shop(final_row("A", LAUNCH, 4.0), **attributes)
        assert {sku for sku, _ in served(log, with_cold_start())} == {"A"}


def test_a_restart_forecasts_no_new_item_again() -> None:
    log = shop(*days_sold("NEW", 3.0, 2), *days_sold("A", 4.0, 2), launch_ms=local_ms("2011-09-20"))
    before = served(log, with_cold_start())

    assert served(log, with_cold_start()) == before
    assert ("NEW", AFTER_LAUNCH) in before


def test_days_before_the_launch_are_no_evidence_that_nothing_sells() -> None:
    rows = [final_row("NEW", day, 0.0) for day in ("2011-09-15", "2011-09-16", "2011-09-18")]
    log = shop(*rows, *days_sold("NEW", 5.0, 1), launch_ms=local_ms(LAUNCH))
    alone = shop(*days_sold("NEW", 5.0, 1), launch_ms=local_ms(LAUNCH))

    assert made_of(log, AFTER_LAUNCH).quantiles == made_of(alone, AFTER_LAUNCH).quantiles


@pytest.mark.parametrize("sku", ["NEW", "A"])
def test_no_demand_is_forecast_once_the_end_date_has_come(sku: str) -> None:
    log = shop(final_row(sku, LAUNCH, 4.0))
    ending = item(
        sku,
        event_id="ends",
        event_time_ms=local_ms("2011-09-02"),
        category="gifts",
        end_ms=local_ms("2011-09-23"),
    )
    log.append(ITEMS, partition_of(sku), ending)

    made = served(log, with_cold_start())[(sku, AFTER_LAUNCH)]

    daily, cumulative = np.array(made.quantiles), np.array(made.cumulative)
    assert (daily.sum(axis=1) > 0).tolist() == [True] * 3 + [False] * 25
    assert (cumulative[2:] == cumulative[2]).all()


def test_the_days_of_a_life_are_those_from_launch_to_end_in_local_time() -> None:
    open_days = np.ones((2, 5), dtype=np.bool_)
    window = DemandWindow(date(2011, 3, 27), np.ones((2, 5)), open_days, open_days, open_days)
    living = item("A", launch_ms=local_ms("2011-03-26T15:00"), end_ms=local_ms("2011-03-30T00:01"))

    alive = within_life(window, [living, None], ZONE)

    assert alive.open.tolist() == [[False, False, False, True, True], [True] * 5]
    assert alive.observed[0].tolist() == alive.open[0].tolist()
    assert alive.units[0].tolist() == [0, 0, 0, 1, 1]
    assert alive.future_open.tolist() == [[True, True, True, False, False], [True] * 5]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_damaged_cold_start_leaves_new_items_to_the_fallback(tmp_path: Path, damaged: bool) -> None:
    write_panel(tmp_path / "panel")
    cold = with_cold_start().cold_start
    assert cold is not None
    write_cold_start(tmp_path / "panel", cold)
    if damaged:
        (tmp_path / "panel" / FILE).write_bytes(b"altered")

    source, _ = load_source(tmp_path / "models", tmp_path / "panel", 100)

    made = made_of(shop(final_row("NEW", LAUNCH, 4.0)), AFTER_LAUNCH, source)
    assert made.forecaster == (FALLBACK if damaged else COLD_START)
