import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from batch.backtest import app, backtest
from batch.backtesting.empirical import EmpiricalQuantiles, SeasonalNaive
from batch.backtesting.forecaster import Forecast, History
from batch.backtesting.models import NewForecaster
from batch.backtesting.rolling import history_at, outcome_at, rolling_origins, segments_at
from batch.forecaster.sales_panel import SalesPanel, read_sales_panel
from infra.errors import StockstreamError

FIRST = date(2023, 1, 2)


def write(folder: Path, days: int = 140, series: int = 12, **columns: object) -> Path:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "sku": np.repeat([f"sku{number:02}" for number in range(series)], days),
            "location": "shop",
            "date": [FIRST + timedelta(days=day) for day in range(days)] * series,
            "units": rng.poisson(np.repeat(rng.gamma(0.5, 4, series), days)),
        }
    ).assign(**columns)
    table.to_parquet(folder / "panel.parquet")
    return folder / "panel.parquet"


@pytest.fixture
def panel(tmp_path: Path) -> SalesPanel:
    return read_sales_panel(write(tmp_path))


class Counted:
    """The seasonal naive, which counts its forecasts and may refuse from one on."""

    sums = SeasonalNaive.sums

    def __init__(self, calls: list[int], refuse_from: int = 1000) -> None:
        self._naive, self._calls, self._refuse_from = SeasonalNaive(), calls, refuse_from

    def fit(self, history: History) -> None:
        self._calls.append(-history.panel.units.shape[1])

    def forecast(self, history: History) -> Forecast:
        if history.panel.units.shape[1] >= self._refuse_from:
            raise KeyboardInterrupt
        self._calls.append(history.panel.units.shape[1])
        return self._naive.forecast(history)


def models(**others: NewForecaster) -> dict[str, NewForecaster]:
    return {"seasonal-naive": SeasonalNaive, "empirical-56": EmpiricalQuantiles, **others}


def test_the_verb_writes_report_table_and_pictures(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app,
        ["--panel", str(write(tmp_path)), "--origins", "3", "--horizon", "14", "--models", "seasonal-naive",
         "--out", str(out)],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    names = ["coverage.png", "fan.png", "horizon.png", "pit.png", "report.json", "report.md"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert report["origins"] == ["2023-04-09", "2023-04-23", "2023-05-07"]
    assert list(report["models"]["empirical-56"]["pooled"]["cumulative"]) == ["7", "14"]
    assert report["models"]["seasonal-naive"]["ratio_to"]["seasonal-naive"]["wql"]["value"] == 1
    assert "| empirical-56 " in (out / "report.md").read_text()
    assert "[2/2] empirical-56: origin 3/3, 2023-05-07" in result.stderr
    assert not (tmp_path / ".out.unfinished").exists()


def test_help_says_which_columns_a_panel_has() -> None:
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output

    for columns in ("sku, location, date, units", "available", "price, list_price, promotion", "category"):
        assert f"{columns}: " in said, said


def test_an_interrupted_backtest_leaves_no_report_and_goes_on_where_it_was(
    tmp_path: Path, panel: SalesPanel
) -> None:
    first: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        backtest(panel, models(counted=lambda: Counted(first, 126)), tmp_path / "out", 14, 3)
    assert not (tmp_path / "out").exists()
    second: list[int] = []
    report = backtest(panel, models(counted=lambda: Counted(second)), tmp_path / "out", 14, 3)
    assert [day for day in first + second if day > 0] == [98, 112, 126]
    assert report["models"]["counted"]["pooled"] == report["models"]["seasonal-naive"]["pooled"]


def test_other_options_start_afresh(tmp_path: Path, panel: SalesPanel) -> None:
    with pytest.raises(KeyboardInterrupt):
        backtest(panel, models(counted=lambda: Counted([], 126)), tmp_path / "out", 14, 3)
    calls: list[int] = []
    backtest(panel, models(counted=lambda: Counted(calls)), tmp_path / "out", 14, 3, spacing=7)
    assert [day for day in calls if day > 0] == [112, 119, 126]


def test_between_fits_a_model_only_forecasts(tmp_path: Path, panel: SalesPanel) -> None:
    calls: list[int] = []
    backtest(panel, models(counted=lambda: Counted(calls)), tmp_path / "out", 14, 4, refit_every=3)
    assert calls == [-84, 84, 98, 112, -126, 126]


def test_a_model_that_cannot_be_used_is_left_out_with_its_reason(tmp_path: Path, panel: SalesPanel) -> None:
    class Unusable(SeasonalNaive):
        def fit(self, history: History) -> None:
            raise StockstreamError("needs more days")

    class Broken(SeasonalNaive):
        def forecast(self, history: History) -> Forecast:
            return Forecast(np.full((12, 14, 21), np.nan), np.zeros((12, 2, 21)))

    class Failing(SeasonalNaive):
        def fit(self, history: History) -> None:
            raise ZeroDivisionError("deep inside a library")

    others: dict[str, NewForecaster] = {"unusable": Unusable, "broken": Broken, "failing": Failing}
    report = backtest(panel, models(**others), tmp_path / "out", 14, 2)
    assert report["left_out"] == {
        "unusable": "needs more days",
        "broken": "forecast has quantiles that are not finite or negative",
        "failing": "ZeroDivisionError: deep inside a library",
    }
    assert set(report["models"]) == {"seasonal-naive", "empirical-56"}


def test_a_folder_of_other_files_is_not_overwritten(tmp_path: Path, panel: SalesPanel) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not lose")
    with pytest.raises(StockstreamError, match="holds other files"):
        backtest(panel, models(), tmp_path / "mine", 14, 2)
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("days", "said"),
    [(1, "need 84; not even one origin fits"), (70, "need 84; at most 3 origins fit")],
)
def test_a_panel_too_short_is_refused_with_what_would_fit(tmp_path: Path, days: int, said: str) -> None:
    with pytest.raises(StockstreamError, match=said):
        rolling_origins(read_sales_panel(write(tmp_path, days=days)), 14, 4, 14)


def test_the_shortest_panel_said_to_be_enough_is(tmp_path: Path) -> None:
    panel = read_sales_panel(write(tmp_path, days=84))
    assert rolling_origins(panel, 14, 4, 14).columns[0] == 27
    assert backtest(panel, models(), tmp_path / "out", 14, 4)["models"]["empirical-56"]["pooled"]["wql"] > 0


def test_a_panel_of_which_nothing_is_known_at_the_first_origin_is_refused(tmp_path: Path) -> None:
    available = np.tile(np.arange(140) > 110, 12)
    panel = read_sales_panel(write(tmp_path, available=available))
    with pytest.raises(StockstreamError, match=r"no series has a day with known demand up to .* 2023-04-09"):
        rolling_origins(panel, 14, 3, 14)


def test_every_origin_has_its_whole_horizon_before_the_end(panel: SalesPanel) -> None:
    origins = rolling_origins(panel, 14, 3, 14)
    assert origins.columns == (97, 111, 125)
    assert origins.columns[-1] + 14 == panel.days - 1


def test_days_out_of_stock_are_not_scored_nor_are_sums_over_them(tmp_path: Path) -> None:
    available = np.ones(140 * 12)
    available[100] = 0.5  # third day of the first series after column 97
    panel = read_sales_panel(write(tmp_path, available=available))
    origins = rolling_origins(panel, 14, 3, 14)
    segment = segments_at(panel, 97)
    outcome = outcome_at(panel, 97, origins, segment, sorted(set(segment)))
    assert np.flatnonzero(~outcome.scored[0]).tolist() == [2]
    assert not outcome.sums_scored[0].any()
    assert outcome.sums_scored[1:].all()


def test_a_single_series_is_enough(tmp_path: Path) -> None:
    panel = read_sales_panel(write(tmp_path, series=1))
    report = backtest(panel, models(), tmp_path / "out", 14, 2)
    assert report["panel"]["series"] == 1
    assert history_at(panel, 100, 14, (7, 14)).panel.series == (("sku00", "shop"),)
