"""The backtest's scores against utilsforecast, brute force and exact cases."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, nbinom, norm
from utilsforecast import losses

from batch.backtesting.calibration import probability, randomised_pit
from batch.backtesting.forecaster import Forecast
from batch.backtesting.scores import Outcome, ScoreSums, score
from batch.backtesting.summary import block_indices, champions, loss_ratio, metrics, per_horizon
from batch.forecaster.quantile_function import mean
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS

N, HORIZON, TAUS = 6, 28, (7, 14, 28)
MEDIAN = QUANTILE_LEVELS.index(0.5)
RNG = np.random.default_rng(3)
HISTORY = RNG.poisson(4.0, (N, 60)).astype(np.float64)
ACTUAL = RNG.poisson(4.0, (N, HORIZON)).astype(np.float64)
DAILY = np.sort(RNG.gamma(2, 2, (N, HORIZON, len(QUANTILE_LEVELS))), axis=2)
SUMS = np.sort(RNG.gamma(20, 3, (N, len(TAUS), len(QUANTILE_LEVELS))), axis=2)


def outcome(**changes: object) -> Outcome:
    whole = Outcome(
        units=ACTUAL,
        scored=np.ones(ACTUAL.shape, dtype=np.bool_),
        sums=np.cumsum(ACTUAL, axis=1)[:, np.array(TAUS) - 1],
        sums_scored=np.ones((N, len(TAUS)), dtype=np.bool_),
        segment=np.array([0, 0, 1, 1, 1, 1]),
        segments=2,
        squared_scale=(np.diff(HISTORY, axis=1) ** 2).mean(axis=1),
        absolute_scale=np.abs(HISTORY[:, 7:] - HISTORY[:, :-7]).mean(axis=1),
        weight=HISTORY[:, -28:].sum(axis=1),
        step=1.0,
        seed=1,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def scored(**changes: object) -> ScoreSums:
    return score(Forecast(DAILY, SUMS), outcome(**changes))


def long(values: Floats, name: str, first: int = 0) -> pd.DataFrame:
    n, days = values.shape
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(n), days),
            "ds": np.tile(np.arange(first, first + days), n),
            name: values.ravel(),
        }
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    frame = long(ACTUAL, "y", 60)
    frame["mean"] = mean(DAILY).ravel()
    frame["median"] = DAILY[:, :, MEDIAN].ravel()
    for place, level in enumerate(QUANTILE_LEVELS):
        frame[f"q{level}"] = DAILY[:, :, place].ravel()
    return frame


def test_point_scores_are_those_of_a_second_library(table: pd.DataFrame) -> None:
    ours, train = metrics(scored(), TAUS), long(HISTORY, "y")
    mase = losses.mase(table, ["median"], seasonality=7, train_df=train)["median"].mean()
    rmsse = losses.rmsse(table, ["mean"], seasonality=1, train_df=train)["mean"]
    assert ours["mae"] == pytest.approx(losses.mae(table, ["median"])["median"].mean())
    assert ours["rmse"] == pytest.approx(np.sqrt(losses.mse(table, ["mean"])["mean"].mean()))
    assert ours["bias"] == pytest.approx((table["mean"] - table["y"]).sum() / table["y"].sum())
    assert ours["cfe"] == pytest.approx((table["y"] - table["mean"]).sum())
    assert ours["mase"] == pytest.approx(mase)
    assert ours["wrmsse"] == pytest.approx(np.average(rmsse, weights=outcome().weight))


@pytest.mark.parametrize("level", [0.005, 0.5, 0.9, 0.975])
def test_pinball_is_that_of_a_second_library(table: pd.DataFrame, level: float) -> None:
    theirs = losses.quantile_loss(table, {"model": f"q{level}"}, q=level)["model"].mean()
    assert metrics(scored(), TAUS)["pinball"][str(level)] == pytest.approx(theirs)


def test_wql_is_twice_the_pinball_of_the_nine_levels_over_demand() -> None:
    levels = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
    loss = 0.0
    for series in range(N):
        for day in range(HORIZON):
            for level in levels:
                error = ACTUAL[series, day] - DAILY[series, day, QUANTILE_LEVELS.index(level)]
                loss += max(level * error, (level - 1) * error)
    assert metrics(scored(), TAUS)["wql"] == pytest.approx(2 * loss / 9 / ACTUAL.sum())


def test_segments_and_days_ahead_add_up_to_the_whole() -> None:
    sums = scored()
    parts = [sums.pick(np.array([place])) for place in range(2)]
    for name, whole in vars(sums).items():
        assert_allclose(sum(getattr(part, name) for part in parts).sum(axis=0), whole.sum(axis=0))
    steps = per_horizon(sums)
    weighted = sum(step["wql"] * ACTUAL[:, place].sum() for place, step in enumerate(steps))
    assert weighted / ACTUAL.sum() == pytest.approx(metrics(sums, TAUS)["wql"])


def test_what_is_not_scored_changes_nothing() -> None:
    kept, sums_kept = RNG.random(ACTUAL.shape) < 0.7, RNG.random((N, len(TAUS))) < 0.7
    changed = np.where(kept, ACTUAL, 1e6)
    plain = scored(scored=kept, sums_scored=sums_kept)
    other = scored(scored=kept, sums_scored=sums_kept, units=changed)
    assert metrics(plain, TAUS) == metrics(other, TAUS)
    assert metrics(plain, TAUS)["days_scored"] == np.count_nonzero(kept)


def test_without_a_scored_day_there_is_no_score() -> None:
    nothing = metrics(scored(scored=np.zeros(ACTUAL.shape, dtype=np.bool_)), TAUS)
    assert nothing["wql"] is None
    assert nothing["rmse"] is None
    assert nothing["pit_coverage"] == {"50": None, "80": None, "95": None}


def test_blocks_of_rows_do_not_change_the_scores() -> None:
    many = Forecast(np.repeat(DAILY, 700, axis=0), np.repeat(SUMS, 700, axis=0))
    one = outcome()
    rows = ("units", "scored", "sums", "sums_scored", "segment", "squared_scale", "absolute_scale", "weight")
    repeated = outcome(**{name: np.repeat(getattr(one, name), 700, axis=0) for name in rows})
    assert metrics(score(many, repeated), TAUS)["wql"] == pytest.approx(metrics(scored(), TAUS)["wql"])


def test_the_mean_of_a_quantile_function_is_that_of_its_distribution() -> None:
    quantiles = norm.ppf(QUANTILE_LEVELS, 100, 10)[None]
    assert mean(quantiles)[0] == pytest.approx(100, rel=0.005)


def test_pit_of_right_count_distributions_is_uniform() -> None:
    rng = np.random.default_rng(5)
    rate, k = rng.gamma(1, 2, 20_000), 1.3
    actual = rng.negative_binomial(k, k / (k + rate)).astype(np.float64)
    quantiles = nbinom.ppf(np.array(QUANTILE_LEVELS), k, (k / (k + rate))[:, None])
    pit = randomised_pit(quantiles, actual, 1.0, rng.random(len(rate)))
    for low, high in ((0.25, 0.75), (0.1, 0.9), (0.025, 0.975)):
        assert np.mean((low <= pit) & (pit < high)) == pytest.approx(high - low, abs=0.015)


def test_pit_of_right_continuous_distributions_is_uniform() -> None:
    rng = np.random.default_rng(6)
    centre = rng.normal(100, 5, 5000)
    quantiles = norm.ppf(np.array(QUANTILE_LEVELS), centre[:, None], 10)
    pit = randomised_pit(quantiles, rng.normal(centre, 10), 0.0, rng.random(5000))
    assert kstest(pit, "uniform").statistic < 0.03


def test_an_atom_at_zero_is_spread_over_its_probability() -> None:
    quantiles = np.where(np.array(QUANTILE_LEVELS) <= 0.5, 0.0, 4.0)[None]
    below = randomised_pit(quantiles, np.zeros(1), 0.0, np.zeros(1))
    above = randomised_pit(quantiles, np.zeros(1), 0.0, np.ones(1))
    assert (below[0], above[0]) == pytest.approx((0.0, 0.5), abs=1e-6)
    assert probability(quantiles, np.array([1e9]))[0] == 1.0


def test_a_ratio_of_equal_losses_is_one_without_doubt() -> None:
    sums = [scored() for _ in range(4)]
    assert loss_ratio(sums, sums, None, 1) == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_blocks_keep_neighbouring_origins_together() -> None:
    drawn = block_indices(6, 3)
    steps = np.diff(drawn.reshape(len(drawn), 2, 3), axis=2) % 6
    assert_array_equal(steps, 1)
    assert_allclose(np.bincount(drawn.ravel(), minlength=6) / drawn.size, 1 / 6, atol=0.01)


def test_the_champion_is_chosen_on_earlier_origins_and_scored_on_later_ones() -> None:
    good = score(Forecast(np.repeat(ACTUAL[..., None], len(QUANTILE_LEVELS), axis=2), SUMS), outcome())
    bad = scored()
    found = champions({"turns-bad": [good, bad], "turns-good": [bad, good]}, ["a", "b"])
    assert found is not None
    assert found["per_segment"] == {"a": "turns-bad", "b": "turns-bad"}
    assert found["wql_of_champions"] == metrics(bad, TAUS)["wql"]
    assert champions({"one": [bad]}, ["a", "b"]) is None
