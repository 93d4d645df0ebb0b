import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from batch.forecaster.champions import FALLBACK
from infra.contracts.topics import FORECASTS
from infra.errors import StockstreamError
from serving.explain import app, as_json, as_table
from serving.explained_forecast import Explained, SeriesRecords, explain_panel, explain_published
from serving.forecast_source import ForecastSource
from tests.unit.serving.records import LOCATION, MemoryLog, final_row
from tests.unit.serving.test_forecaster_stage import (
    LAST_PANEL_DAY,
    MODEL,
    NO_MODEL,
    SKUS,
    panel,
    promoted,
    served,
)
from tests.unit.serving.test_known_ahead_covariates import AUTUMN, plan, with_plans

KEY = ("A", LOCATION)
DAYS = ("2011-09-19", "2011-09-20", "2011-09-21")


def total(found: Explained) -> float:
    return found.explanation.reference + sum(found.explanation.contributions.values())


def records_of(log: MemoryLog) -> SeriesRecords:
    records = SeriesRecords()
    for entry in log.entries:
        if getattr(entry.message, "sku", "A") == "A":
            records.take(entry.message, entry.offset)
    return records


def published(source: ForecastSource = MODEL, *plans: Any) -> tuple[MemoryLog, SeriesRecords]:
    log = with_plans(*plans, first_row=final_row("A", DAYS[0], 4.0))
    for day in DAYS[1:]:
        for sku in SKUS:
            log.append("demand.features.v1", 0, final_row(sku, day, 5.0, 0.5))
    served(log, source)
    return log, records_of(log)


@pytest.mark.parametrize("origin", [None, date(2011, 9, 20), date(2011, 9, 22)])
def test_a_published_forecast_is_explained_from_the_days_it_read(origin: date | None) -> None:
    log, records = published(MODEL, plan("2011-09-10", *AUTUMN))
    found = explain_published(records, panel(), MODEL, KEY, origin, 28)

    assert found.origin == (origin or date(2011, 9, 22))
    assert (found.forecaster, found.same_context, found.fallback_reason) == ("lstm", True, None)
    assert total(found) == pytest.approx(found.explanation.forecast)
    # The message is rounded, and its quantiles come from the kept state.
    assert found.published_mean == pytest.approx(found.explanation.forecast, rel=1e-3)
    assert found.explanation.contributions["promotion"] != 0
    assert len(log.messages(FORECASTS)) == 7


def test_a_fallback_forecast_is_explained_by_its_own_drivers_and_says_why_it_served() -> None:
    _, records = published(NO_MODEL)
    found = explain_published(records, panel(), NO_MODEL, KEY, None, 14)

    assert (found.forecaster, found.fallback_reason) == (FALLBACK, "no model is promoted")
    assert found.published_mean == pytest.approx(found.explanation.forecast, rel=1e-3)
    assert set(found.explanation.contributions) == {"recent level", "stock-outs", "open days ahead"}
    assert "no model is promoted" in as_table(found)


def test_a_new_item_s_forecast_is_not_explained_as_if_the_network_had_made_it() -> None:
    _, records = published()
    records.forecasts = {
        origin: each.model_copy(update={"forecaster": "cold_start"})
        for origin, each in records.forecasts.items()
    }
    with pytest.raises(StockstreamError, match="the forecast of A is a new item's"):
        explain_published(records, panel(), MODEL, KEY, None, 28)


def test_days_that_changed_since_are_admitted() -> None:
    _, records = published()
    changed = panel()
    changed = replace(changed, units=changed.units + 1)

    assert "have changed" in as_table(explain_published(records, changed, MODEL, KEY, None, 28))


def test_what_cannot_be_explained_is_refused_with_what_there_is() -> None:
    _, records = published()
    other = replace(MODEL, model_id="lstm-2")

    with pytest.raises(StockstreamError, match="no forecast of SKU 'A' at location 'gb-main' is published"):
        explain_published(SeriesRecords(), panel(), MODEL, KEY, None, 28)
    with pytest.raises(StockstreamError, match="2011-09-20 to 2011-09-22"):
        explain_published(records, panel(), MODEL, KEY, date(2011, 1, 1), 28)
    with pytest.raises(StockstreamError, match="model lstm-1, in service is lstm-2"):
        explain_published(records, panel(), other, KEY, None, 28)
    with pytest.raises(StockstreamError, match="no SKU 'Z'"):
        explain_panel(panel(), MODEL, ("Z", LOCATION), LAST_PANEL_DAY, 28)


def test_the_table_goes_from_usual_to_forecast_and_the_json_adds_up() -> None:
    found = explain_panel(panel(), MODEL, KEY, LAST_PANEL_DAY - timedelta(days=40), 28)
    lines = as_table(found).splitlines()
    whole = json.loads(json.dumps(as_json(found)))["explanation"]

    assert lines[0] == "A at gb-main, 28 days from 2011-08-09, lstm-1; units"
    assert lines[1].startswith("  usual level")
    assert lines[-1].endswith(f"{found.explanation.forecast:,.2f}")
    shown = [float(line.rsplit(maxsplit=1)[1].replace(",", "")) for line in lines[1:]]
    assert sum(shown[:-1]) == pytest.approx(shown[-1], abs=0.06)
    assert whole["reference"] + sum(whole["contributions"].values()) == pytest.approx(whole["forecast"])
    assert np.all(np.abs(np.diff(np.abs(shown[1:-1]))) >= 0)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A stack's folder with the panel of the tests and a promoted model."""
    history = panel()
    days = [history.first_day + timedelta(days=n) for n in range(history.units.shape[1])]
    rows = pd.concat(
        pd.DataFrame(
            {
                "sku": sku,
                "location": LOCATION,
                "date": days,
                "units": history.units[n],
                "open": history.open[n],
            }
        )
        for n, sku in enumerate(SKUS)
    )
    (tmp_path / "panel").mkdir()
    rows.to_parquet(tmp_path / "panel" / "part-0.parquet")
    (tmp_path / "panel" / "_manifest.json").write_text(json.dumps({"panel_hash": "b" * 64}))
    promoted(tmp_path / "models")
    return tmp_path


def verb(run_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"STOCKSTREAM_RUN_DIR": str(run_dir)})


def test_the_verb_needs_no_broker_where_the_panel_covers_the_horizon(run_dir: Path) -> None:
    asked = ("--sku", "A", "--location", LOCATION, "--origin", "2011-08-01", "--days", "14")
    shown, whole = verb(run_dir, *asked), json.loads(verb(run_dir, *asked, "--json").output)

    assert shown.output.startswith("A at gb-main, 14 days from 2011-08-01, lstm-")
    assert (whole["origin"], whole["published_mean"], whole["explanation"]["days"]) == (
        "2011-08-01",
        None,
        14,
    )
    assert f"{whole['explanation']['forecast']:,.2f}" in shown.output


def test_more_days_than_a_forecast_has_are_refused(run_dir: Path) -> None:
    assert "--days has value 29: a forecast has 28 days" in str(
        verb(run_dir, "--sku", "A", "--days", "29").exception
    )
