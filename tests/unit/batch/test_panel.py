import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from batch.forecaster.panel import DemandPanel, panel_of_rows, read_panel, relative_price
from infra.errors import StockstreamError


def row(
    sku: str, day: int, units: float, open_: bool = True, available: float | None = None
) -> dict[str, object]:
    return {
        "sku": sku,
        "location": "shop",
        "date": date(2011, 1, day),
        "units": units,
        "open": open_,
        "available": available,
    }


@pytest.fixture
def panel(tmp_path: Path) -> DemandPanel:
    rows = [
        row("b", 1, 4.0),
        row("b", 2, 0.0, open_=False),
        row("b", 3, 2.0, available=0.4),
        row("b", 4, 1.0, available=1.0),
        row("a", 3, 9.0),
        row("a", 4, 8.0),
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "part-0.parquet")
    (tmp_path / "_manifest.json").write_text(json.dumps({"panel_hash": "f" * 64}))
    return read_panel(tmp_path)


def test_the_panel_has_one_ordered_row_per_sku_and_location(panel: DemandPanel) -> None:
    assert panel.series == (("a", "shop"), ("b", "shop"))
    assert panel.panel_hash == "f" * 64
    assert panel.day(2) == date(2011, 1, 3)
    assert_array_equal(panel.units, [[0, 0, 9, 8], [4, 0, 2, 1]])


def test_a_panel_has_the_categories_that_history_wrote_beside_it(panel: DemandPanel, tmp_path: Path) -> None:
    assert panel.category == ("none", "none")
    (tmp_path / "_categories.json").write_text(json.dumps({"b": "food:fruit", "c": "toys"}))
    assert read_panel(tmp_path).category == ("none", "food:fruit")
    assert read_panel(tmp_path).sample(1).category == ("none",)


def test_two_rows_of_one_day_are_refused() -> None:
    rows = pd.DataFrame([row("a", 1, 3.0), row("b", 2, 3.0), row("b", 2, 4.0)])
    with pytest.raises(StockstreamError, match=r"2 rows of \('b', 'shop'\) on 2011-01-02"):
        panel_of_rows(rows.astype({"date": "datetime64[ns]"}), "f" * 64)


def test_a_sample_is_evenly_spaced_and_all_where_there_are_few(panel: DemandPanel) -> None:
    assert panel.sample(2).series == panel.series
    assert panel.sample(1).series == (("a", "shop"),)
    assert_array_equal(panel.sample(1).units, [[0, 0, 9, 8]])


def test_days_before_the_launch_are_neither_open_nor_observed(panel: DemandPanel) -> None:
    assert_array_equal(panel.open[0], [False, False, True, True])
    assert_array_equal(panel.observed[0], [False, False, True, True])
    assert_array_equal(panel.location_open[0], [True, False, True, True])


def test_a_day_partly_out_of_stock_is_not_observed(panel: DemandPanel) -> None:
    assert_array_equal(panel.observed[1], [True, True, False, True])


def test_a_window_reaches_back_before_the_panel_with_unlaunched_days(panel: DemandPanel) -> None:
    window = panel.window(1, days=4, horizon=2)
    assert window.last_day == date(2011, 1, 2)
    assert_array_equal(window.units[1], [0, 0, 4, 0])
    assert_array_equal(window.open[1], [False, False, True, False])
    assert_array_equal(window.future_open[1], [True, True])


def test_a_window_holds_nothing_of_later_days(panel: DemandPanel) -> None:
    whole, past = panel.window(1, 4, 0), panel.until(1).window(1, 4, 0)
    assert_array_equal(whole.units, past.units)
    assert_array_equal(whole.observed, past.observed)


def test_a_missing_panel_is_named(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match="run `stockstream history` first"):
        read_panel(tmp_path)


def test_prices_and_promotions_are_neutral_where_a_panel_has_none(panel: DemandPanel) -> None:
    window = panel.window(1, days=4, horizon=2)
    assert_array_equal(window.price, np.ones((2, 4)))
    assert_array_equal(window.future_price, np.ones((2, 2)))
    assert_array_equal(window.promotion, np.zeros((2, 4)))
    assert_array_equal(window.future_promotion, np.zeros((2, 2)))


def test_prices_and_promotions_of_the_horizon_are_known_ahead_and_demand_is_not() -> None:
    rows = pd.DataFrame(
        [
            row("a", day, 3.0) | {"price": 4.0 if day == 4 else 5.0, "promotion": day == 4}
            for day in range(1, 6)
        ]
    ).astype({"date": "datetime64[ns]"})
    window = panel_of_rows(rows, "f" * 64).window(1, days=2, horizon=3)
    assert_array_equal(window.future_price, [[1.0, 0.8, 1.0]])
    assert_array_equal(window.future_promotion, [[0.0, 1.0, 0.0]])
    assert_array_equal(window.units, [[3.0, 3.0]])


def test_a_price_is_relative_to_the_median_of_the_days_until_then() -> None:
    price = np.array([[np.nan, 10.0, np.nan, 5.0, 20.0]])
    assert_array_equal(relative_price(price), [[1.0, 1.0, 1.0, 0.5, 2.0]])
