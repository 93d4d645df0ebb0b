"""What every forecaster of the backtest must keep."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from batch.backtesting.deepar import DeepAR
from batch.backtesting.empirical import (
    EmpiricalQuantiles,
    SeasonalNaive,
    drawn_sums,
    last_known,
    rolling_sums,
)
from batch.backtesting.forecaster import Forecaster, History
from batch.backtesting.gradient_boosting import BoostingPlan, LightGBMQuantiles
from batch.backtesting.intermittent import ADIDA, TSB, CrostonSBA
from batch.backtesting.lstm import LSTM
from batch.backtesting.models import MODELS, chosen_models
from batch.backtesting.rolling import history_at
from batch.backtesting.state_space import AutoARIMA, AutoETS
from batch.forecaster.sales_panel import SalesPanel, read_sales_panel
from batch.forecaster.training import TrainingPlan
from infra.contracts.demand import QUANTILE_LEVELS
from infra.errors import StockstreamError
from infra.settings import Settings

DAYS, HORIZON, TAUS = 330, 14, (7, 14)
ORIGIN = DAYS - 1 - 28
FIRST = date(2023, 1, 2)


def new_models() -> dict[str, Forecaster]:
    return {
        "seasonal-naive": SeasonalNaive(),
        "empirical-56": EmpiricalQuantiles(),
        "croston-sba": CrostonSBA(),
        "tsb": TSB(),
        "adida": ADIDA(),
        "auto-ets": AutoETS(),
        "auto-arima": AutoARIMA(),
        "lightgbm": LightGBMQuantiles(BoostingPlan(rounds=5, rows=5_000, origins=8)),
        "lstm": LSTM(TrainingPlan(epochs=1, steps_per_epoch=2)),
        "deepar": DeepAR(epochs=1, batches=2),
    }


def sales() -> pd.DataFrame:
    """Three series with a week, closed on Sundays; the last begins late and is out of stock now and then."""
    rng = np.random.default_rng(11)
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    week = np.array([1.0, 1, 2, 1, 3, 4, 0])
    table = pd.concat(
        pd.DataFrame(
            {
                "sku": f"sku{number}",
                "location": "shop",
                "date": days,
                "units": rng.poisson(rate * week[np.arange(DAYS) % 7]),
                "available": np.where(rng.random(DAYS) < 0.05 * number, 0.5, 1.0),
                "price": np.where(np.arange(DAYS) % 31 < 4, 8.0, 10.0),
                "promotion": np.arange(DAYS) % 31 < 4,
                "open": np.arange(DAYS) % 7 != 6,
            }
        )
        for number, rate in enumerate((8.0, 2.0, 0.2))
    )
    late = (table["sku"] == "sku2") & (table["date"] < FIRST + timedelta(days=90))
    return table[~late]


def read(folder: Path, table: pd.DataFrame) -> SalesPanel:
    table.to_parquet(folder / "panel.parquet")
    return read_sales_panel(folder / "panel.parquet")


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, History]:
    """The same origin of a panel, and of one whose later sales are shuffled and stock-outs moved."""
    folder, table = tmp_path_factory.mktemp("panels"), sales()
    after = table["date"] > FIRST + timedelta(days=ORIGIN)
    shuffled = table.copy()
    rng = np.random.default_rng(12)
    for name in ("units", "available"):
        shuffled.loc[after, name] = rng.permutation(shuffled.loc[after, name]) * (7 if name == "units" else 1)
    one, other = read(folder, table), read(folder, shuffled)
    assert one.demand.panel_hash != other.demand.panel_hash
    return history_at(one, ORIGIN, HORIZON, TAUS), history_at(other, ORIGIN, HORIZON, TAUS)


@pytest.mark.parametrize("name", list(new_models()))
def test_no_forecast_depends_on_the_future_and_all_are_distributions(
    histories: tuple[History, History], name: str
) -> None:
    made = []
    for history in histories:
        model = new_models()[name]
        model.fit(history)
        made.append(model.forecast(history))
    assert_array_equal(made[0].daily, made[1].daily)
    assert_array_equal(made[0].cumulative, made[1].cumulative)
    assert made[0].daily.shape == (3, HORIZON, len(QUANTILE_LEVELS))
    assert made[0].cumulative.shape == (3, len(TAUS), len(QUANTILE_LEVELS))
    for quantiles in (made[0].daily, made[0].cumulative):
        assert np.isfinite(quantiles).all()
        assert (quantiles >= 0).all()
        assert (np.diff(quantiles, axis=-1) >= 0).all()
    closed = ~histories[0].future_open
    assert closed.any()
    assert_array_equal(made[0].daily[closed], 0.0)
    assert made[0].daily.any()


def test_a_future_stock_out_hides_nothing_known_ahead(histories: tuple[History, History]) -> None:
    assert_array_equal(histories[0].future_open, histories[1].future_open)
    assert_array_equal(histories[0].panel.units, histories[1].panel.units)


def test_every_model_of_the_verb_is_tested_here() -> None:
    assert set(MODELS) == set(new_models())


def test_without_a_calendar_a_weekday_closed_for_eight_weeks_stays_closed(tmp_path: Path) -> None:
    table = sales().drop(columns="open")
    panel = read(tmp_path, table[[day.weekday() != 6 for day in table["date"]]])
    ahead = history_at(panel, ORIGIN, HORIZON, TAUS).future_open
    weekdays = [(FIRST + timedelta(days=ORIGIN + step)).weekday() for step in range(1, HORIZON + 1)]
    assert ahead[0].tolist() == [weekday != 6 for weekday in weekdays]


def test_a_series_is_forecast_from_its_launch_on(tmp_path: Path) -> None:
    panel = read(tmp_path, sales())
    assert len(history_at(panel, 60, HORIZON, TAUS).panel.series) == 2
    assert len(history_at(panel, 91, HORIZON, TAUS).panel.series) == 3  # day 90 is a closed Sunday


def test_demand_hidden_by_a_stock_out_is_at_least_the_recent_mean(tmp_path: Path) -> None:
    table = sales().query("sku == 'sku0'").drop(columns="open").assign(available=1.0, units=4)
    table.loc[[100, 101], "available"] = 0.5
    table.loc[100, "units"], table.loc[101, "units"] = 1, 9
    history = history_at(read(tmp_path, table), ORIGIN, HORIZON, TAUS)
    assert_array_equal(np.flatnonzero(history.filled[0] != 4), [101])
    assert history.filled[0, 101] == 9


def test_only_known_days_are_recent() -> None:
    units = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    known = np.array([[True, False, True, True], [False, False, False, True]])
    values, count = last_known(units, known, 3)
    assert_array_equal(values, [[1, 3, 4], [0, 0, 8]])
    assert_array_equal(count, [3, 1])


def test_sums_of_constant_demand_are_known() -> None:
    values, count = np.full((2, 56), 3.0), np.array([56.0, 56.0])
    open_days = np.array([[6.0, 12.0], [7.0, 0.0]])
    for sums in (drawn_sums, rolling_sums):
        assert_allclose(sums(values, count, open_days)[..., 3], 3 * open_days)


def test_drawn_sums_have_the_mean_and_spread_of_independent_days() -> None:
    values = np.random.default_rng(2).poisson(20.0, (1, 56)).astype(np.float64)
    sums = drawn_sums(values, np.array([56.0]), np.array([[14.0]]))[0, 0]
    low, middle, high = (sums[QUANTILE_LEVELS.index(level)] for level in (0.1, 0.5, 0.9))
    assert middle == pytest.approx(14 * values.mean(), rel=0.03)
    assert high - low == pytest.approx(2 * 1.2816 * values.std() * np.sqrt(14), rel=0.15)


def test_deepar_forecasts_fractions_and_a_category_it_has_not_learned(tmp_path: Path) -> None:
    table = sales().assign(units=lambda each: each["units"] / 3, category=lambda each: each["sku"])
    early, late = (history_at(read(tmp_path, table), day, HORIZON, TAUS) for day in (60, ORIGIN))
    model = DeepAR(epochs=1, batches=2)
    model.fit(early)
    made = model.forecast(late)
    assert (early.category.tolist(), late.category.tolist()) == ([0, 1], [0, 1, 2])
    assert np.isfinite(made.daily).all()
    assert (made.daily % 1 > 0).any()


def test_lightgbm_sees_promotions_ahead(tmp_path: Path) -> None:
    table = sales()
    table.loc[table["promotion"], "units"] *= 5
    history = history_at(read(tmp_path, table), ORIGIN, HORIZON, TAUS)
    model = LightGBMQuantiles(BoostingPlan(rounds=30, rows=20_000, origins=60))
    model.fit(history)
    on, off = (
        model.forecast(History(**{**vars(history), "future_promotion": np.full((3, HORIZON), share),
                                  "future_price": np.full((3, HORIZON), price)}))
        for share, price in ((1.0, 0.8), (0.0, 1.0))
    )  # fmt: skip
    middle = QUANTILE_LEVELS.index(0.5)
    assert on.daily[0, :, middle].sum() > 1.5 * off.daily[0, :, middle].sum()


def test_names_of_models_are_checked_and_baselines_always_run(tmp_path: Path) -> None:
    settings = Settings(run_dir=tmp_path)
    assert list(chosen_models(["tsb"], settings)) == ["seasonal-naive", "empirical-56", "tsb"]
    with pytest.raises(StockstreamError, match="'prophet' is no model; accepted are seasonal-naive"):
        chosen_models(["prophet"], settings)
    with pytest.raises(StockstreamError, match="no model is promoted"):
        chosen_models(["promoted"], settings)
