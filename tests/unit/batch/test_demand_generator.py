from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import nbinom

from batch.demand_generator import GeneratorPlan, generate, write_demand

PLAN = GeneratorPlan(seed=101)


def test_about_half_of_the_days_sell_nothing_at_the_fixed_parameters() -> None:
    assert 0.45 <= (generate(PLAN).demand == 0).mean() <= 0.50


def test_the_same_plan_gives_the_same_demand_and_another_seed_does_not() -> None:
    small = replace(PLAN, series=20)
    first, again, other = (generate(plan) for plan in (small, small, replace(small, seed=102)))
    assert_array_equal(first.units, again.units)
    assert (first.units != other.units).any()


def test_another_walk_leaves_promotions_and_levels_as_they_were() -> None:
    still, restless = (generate(replace(PLAN, series=20, walk=walk)) for walk in (0.0, 0.02))
    assert_array_equal(still.promotion, restless.promotion)
    assert_allclose(np.log(restless.rate) - restless.walk, np.log(still.rate))


def test_stock_outs_cut_the_history_and_spare_the_future() -> None:
    generated = generate(replace(PLAN, series=200))
    future = slice(PLAN.days, None)
    assert (generated.available[:, future] == 1).all()
    assert_array_equal(generated.units[:, future], generated.demand[:, future])
    assert (generated.units <= generated.demand).all()
    assert (generated.available < 1).mean() == pytest.approx(0.05, abs=0.01)


def test_daily_steps_of_the_walk_have_the_stated_deviation() -> None:
    assert np.diff(generate(PLAN).walk, axis=1).std() == pytest.approx(0.01, rel=0.01)


def test_demand_has_the_mean_and_variance_of_the_stated_distribution() -> None:
    generated = generate(PLAN)
    scale = np.sqrt(generated.rate + generated.rate**2 / generated.dispersion)
    score = (generated.demand - generated.rate) / scale
    assert score.mean() == pytest.approx(0.0, abs=0.01)
    assert score.var() == pytest.approx(1.0, abs=0.02)


def test_the_oracle_states_the_least_count_that_reaches_each_level() -> None:
    generated = generate(replace(PLAN, series=10, days=50))
    levels = (0.1, 0.5, 0.995)
    quantiles = generated.oracle_quantiles(50, levels)
    k, rate = generated.dispersion[:, :, None], generated.rate[:, 50:, None]
    assert quantiles.shape == (10, 28, 3)
    assert (nbinom.cdf(quantiles, k, k / (k + rate)) >= np.array(levels) - 1e-9).all()
    assert (nbinom.cdf(quantiles - 1, k, k / (k + rate)) < np.array(levels)).all()


def test_the_panel_file_holds_what_a_shop_sees_and_the_oracle_file_the_rest(tmp_path: Path) -> None:
    generated = generate(replace(PLAN, series=3, days=10, future_days=4))
    write_demand(generated, tmp_path)
    panel, oracle = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("panel", "oracle"))
    assert list(panel) == ["sku", "location", "date", "units", "available", "price", "promotion"]
    assert_array_equal(panel["units"].to_numpy().reshape(3, 14), generated.units)
    assert_array_equal(oracle["demand"].to_numpy().reshape(3, 14), generated.demand)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "generator.json", "oracle.parquet", "panel.parquet"
    ]  # fmt: skip


def test_a_promoted_day_is_cheaper_in_the_panel_of_a_forecaster() -> None:
    panel = generate(replace(PLAN, series=5)).panel()
    assert_allclose(panel.price[panel.promotion == 1].mean(), 0.8, atol=0.01)
    assert_allclose(panel.price[panel.promotion == 0].mean(), 1.0, atol=0.01)
