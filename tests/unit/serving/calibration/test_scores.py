import numpy as np
from numpy.testing import assert_allclose
from scipy.stats import kstest

from batch.forecaster.quantile_function import mean
from infra.contracts.demand import QUANTILE_LEVELS
from serving.calibration.scores import (
    Floats,
    mean_pinball,
    probability,
    randomised_pit,
    score,
)

LEVELS = np.array(QUANTILE_LEVELS)
GRID = (np.arange(200_000) + 0.5) / 200_000


def tables(rows: int, seed: int = 3) -> Floats:
    """Random quantile functions, some with zeros and ties."""
    rng = np.random.default_rng(seed)
    made = np.sort(rng.gamma(0.7, 8.0, (rows, len(LEVELS))), axis=1)
    made[::3] = np.floor(made[::3])
    return made


def everywhere(row: Floats) -> Floats:
    """A quantile function on a fine grid, from 0 at probability 0, with the last slope up to 1."""
    top = row[-1] + (row[-1] - row[-2]) / (LEVELS[-1] - LEVELS[-2]) * (1 - LEVELS[-1])
    made: Floats = np.interp(GRID, [0.0, *LEVELS, 1.0], [0.0, *row, top])
    return made


def no(count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.zeros(count, dtype=np.bool_)


def test_pinball_is_that_of_the_definition() -> None:
    quantiles, actual = tables(20), np.random.default_rng(1).poisson(6, 20).astype(float)

    expected = [
        sum(
            level * (y - q) if y >= q else (1 - level) * (q - y)
            for level, q in zip(QUANTILE_LEVELS, row, strict=True)
        )
        / len(QUANTILE_LEVELS)
        for row, y in zip(quantiles.tolist(), actual.tolist(), strict=True)
    ]

    assert_allclose(mean_pinball(quantiles, actual), expected)


def test_probabilities_and_means_are_those_of_the_whole_quantile_function() -> None:
    quantiles = tables(30)
    values = np.random.default_rng(2).choice([0.0, 0.5, 1.0, 3.0, 7.3, 25.0, 500.0], 30)
    whole = np.stack([everywhere(row) for row in quantiles])

    assert_allclose(
        probability(quantiles, values, "below"), (whole < values[:, None]).mean(axis=1), atol=1e-5
    )
    assert_allclose(
        probability(quantiles, values, "at most"), (whole <= values[:, None]).mean(axis=1), atol=1e-5
    )
    assert_allclose(mean(quantiles), whole.mean(axis=1), rtol=1e-4)


def test_a_right_forecast_has_a_uniform_pit() -> None:
    rng = np.random.default_rng(4)
    quantiles = np.repeat(tables(2, seed=5)[1:], 20_000, axis=0)
    demand = everywhere(quantiles[0])[rng.integers(0, len(GRID), 20_000)] + 1e-9

    pit = randomised_pit(quantiles, demand, no(20_000), rng.random(20_000))

    assert kstest(pit, "uniform").pvalue > 0.01


def test_a_right_forecast_of_counts_has_a_uniform_pit() -> None:
    """Quantile functions that step between knots, whole demand: every atom is spread."""
    rng = np.random.default_rng(6)
    row = np.repeat([0.0, 1.0, 2.0, 4.0], [8, 5, 4, 4])
    # between the knots of two values the function is linear: what lies there rounds to either
    counts = np.rint(np.interp(rng.random(20_000), [0.0, *LEVELS, 1.0], [0.0, *row, 4.0]))

    pit = randomised_pit(np.tile(row, (20_000, 1)), counts, no(20_000), rng.random(20_000))

    assert kstest(pit, "uniform").pvalue > 0.01


def test_stock_outs_leave_the_pit_of_a_right_forecast_uniform() -> None:
    rng = np.random.default_rng(7)
    quantiles = np.repeat(tables(2, seed=5)[1:], 20_000, axis=0)
    demand = everywhere(quantiles[0])[rng.integers(0, len(GRID), 20_000)] + 1e-9
    stock = rng.gamma(1.0, 6.0, 20_000) + 1e-9

    as_if_true = randomised_pit(quantiles, np.minimum(demand, stock), no(20_000), rng.random(20_000))
    pit = randomised_pit(quantiles, np.minimum(demand, stock), demand > stock, rng.random(20_000))

    assert kstest(as_if_true, "uniform").pvalue < 1e-6
    assert kstest(pit, "uniform").pvalue > 0.01


def test_a_bound_settles_coverage_only_above_the_interval_and_never_the_loss() -> None:
    quantiles = np.tile(10 + np.arange(21.0), (3, 1))  # 80 % lie within 13 and 22, 95 % within 11 and 26
    bounds = np.array([5.0, 24.0, 27.0])

    made = score(quantiles, bounds, np.ones(3, dtype=np.bool_), np.full(3, 0.5))

    assert np.isnan(made.covered_80[0])
    assert np.isnan(made.covered_95[:2]).all()
    assert made.covered_80[1:].tolist() == [0.0, 0.0]
    assert made.covered_95[2] == 0.0
    assert np.isnan(made.pinball).all()


def test_intervals_contain_their_ends() -> None:
    quantiles = np.tile(10 + np.arange(21.0), (4, 1))

    made = score(quantiles, np.array([13.0, 22.0, 12.0, 26.5]), no(4), np.zeros(4))

    assert made.covered_80.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert made.covered_95.tolist() == [1.0, 1.0, 1.0, 0.0]
