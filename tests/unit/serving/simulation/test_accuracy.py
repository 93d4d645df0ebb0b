from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandForecast
from serving.simulation.accuracy import (
    TAU,
    Distributions,
    empirical,
    score,
    scores,
    seasonal_naive,
    window_before,
)
from serving.simulation.sales_log import DailyUnits, days_between

FIRST = date(2011, 6, 6)
ALL_LEVELS = len(QUANTILE_LEVELS)


def demand(units: NDArray[np.generic]) -> DailyUnits:
    days = days_between(FIRST, FIRST + timedelta(days=units.shape[1] - 1))
    return DailyUnits([f"{n:05d}" for n in range(len(units))], days, units.astype(np.float64))


def test_a_forecast_that_knows_everything_loses_nothing() -> None:
    actual = np.random.default_rng(1).poisson(5, (6, TAU)).astype(np.float64)
    daily = np.repeat(actual[..., None], ALL_LEVELS, axis=2)
    total = np.repeat(actual.sum(axis=1)[:, None], ALL_LEVELS, axis=1)

    perfect = score(actual, Distributions(daily, total))

    assert (perfect.wql, perfect.cumulative, perfect.coverage_80) == (0.0, 0.0, 1.0)


def test_the_80_percent_interval_of_a_known_distribution_covers_80_percent() -> None:
    """Binomial(20000, 0.8) is within 0.8 +- 0.015 with probability 1 - 1e-7."""
    rng = np.random.default_rng(2)
    actual = rng.normal(100, 10, (20_000, TAU))
    known = np.quantile(rng.normal(100 * TAU, 10 * np.sqrt(TAU), 200_000), QUANTILE_LEVELS)
    daily = np.zeros((20_000, TAU, ALL_LEVELS))

    covered = score(actual, Distributions(daily, np.broadcast_to(known, (20_000, ALL_LEVELS)))).coverage_80

    assert covered == pytest.approx(0.8, abs=0.015)


def test_baselines_forecast_a_perfectly_weekly_demand_perfectly() -> None:
    table = demand(np.tile([5, 7, 9, 4, 6, 0, 2], (1, 12)))
    open_days = table.units[0] > 0
    window = window_before(table, open_days, table.days[70])

    naive = seasonal_naive(window)

    assert naive.daily[0, :, QUANTILE_LEVELS.index(0.5)].tolist() == table.units[0, 70:84].tolist()
    assert set(naive.cumulative[0]) == {66.0}
    assert set(empirical(window).cumulative[0]) == {66.0}


def test_baselines_know_nothing_of_the_days_they_forecast() -> None:
    quiet = np.tile([5, 7, 9, 4, 6, 0, 2], (3, 12))
    busy = quiet.copy()
    busy[:, 70:] *= 20
    open_days = quiet[0] > 0

    for baseline in (seasonal_naive, empirical):
        before = [
            baseline(window_before(demand(units), open_days, FIRST + timedelta(days=70)))
            for units in (quiet, busy)
        ]
        assert np.array_equal(before[0].daily, before[1].daily)
        assert np.array_equal(before[0].cumulative, before[1].cumulative)


def test_published_forecasts_are_scored_beside_both_baselines() -> None:
    table = demand(np.random.default_rng(3).poisson(8, (2, 90)))
    origins = table.days[70:74]
    point = {sku: [[8.0] * len(QUANTILE_LEVELS)] * HORIZON_DAYS for sku in table.skus}
    forecasts = {
        (sku, origin): DemandForecast(
            sku=sku,
            location="gb-main",
            origin_ms=0,
            forecaster="lstm",
            model_id="m",
            panel_hash="0" * 64,
            context_digest="0" * 64,
            quantile_levels=list(QUANTILE_LEVELS),
            quantiles=point[sku],
            cumulative=[[8.0 * h] * len(QUANTILE_LEVELS) for h in range(1, HORIZON_DAYS + 1)],
            copula=Copula(level=0.0, decay=0.0),
            seed=1,
            paths=100,
        )
        for sku in table.skus
        for origin in origins
    }
    actual = np.concatenate([table.units[:, at : at + TAU] for at in range(70, 74)])

    by_name = scores(forecasts, table, np.ones(90, dtype=np.bool_), origins)

    assert list(by_name) == ["published", "seasonal naive", "56-day empirical"]
    over_and_under = np.abs(actual - 8).sum()  # the scored levels are symmetric: their mean is one half
    assert by_name["published"].wql == pytest.approx(over_and_under / actual.sum())
