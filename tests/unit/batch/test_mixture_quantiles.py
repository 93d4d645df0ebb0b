import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import nbinom, weibull_min

from batch.forecaster.mixture_quantiles import (
    MAX_COUNT,
    count_quantiles,
    fractional_quantiles,
    mixture_quantiles,
)
from infra.contracts.demand import QUANTILE_LEVELS

LEVELS = np.array(QUANTILE_LEVELS)


@given(st.floats(0.01, 40), st.floats(0.1, 30))
def test_quantiles_of_one_negative_binomial_agree_with_scipy(mean: float, k: float) -> None:
    found = count_quantiles(LEVELS, np.ones((1, 1)), np.array([[mean]]), np.array([[k]]))[0]
    below, there = (nbinom.cdf(found - back, k, k / (k + mean)) for back in (1, 0))
    exact = found < MAX_COUNT
    assert (there >= LEVELS - 1e-9)[exact].all()
    assert (below <= LEVELS + 1e-9)[exact].all()
    assert_allclose(found[~exact], nbinom.ppf(LEVELS, k, k / (k + mean))[~exact], rtol=0.02)


@given(st.floats(300, 1e5), st.floats(0.5, 30))
def test_large_counts_are_within_a_percent_of_scipy(mean: float, k: float) -> None:
    found = count_quantiles(LEVELS, np.ones((1, 1)), np.array([[mean]]), np.array([[k]]))[0]
    assert_allclose(found, nbinom.ppf(LEVELS, k, k / (k + mean)), rtol=0.02, atol=2.0)


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_a_mixture_reaches_every_level_at_its_quantile(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, means = rng.dirichlet(np.ones(3), 4), rng.lognormal(0, 1.5, (4, 3))
    k = rng.lognormal(0, 1, (4, 3))
    found = count_quantiles(LEVELS, weights, means, k)
    small = found[:, -1] < 190
    reached, before = (
        (weights[:, None] * nbinom.cdf(y[..., None], k[:, None], (k / (k + means))[:, None])).sum(axis=2)
        for y in (found, found - 1)
    )
    assert (reached[small] >= LEVELS - 1e-9).all()
    assert (before[small] < LEVELS + 1e-9).all()


def test_a_row_has_the_same_quantiles_alone_and_among_larger_ones() -> None:
    rng = np.random.default_rng(1)
    parts = rng.dirichlet(np.ones(3), 50), rng.lognormal(1, 2.5, (50, 3)), rng.lognormal(0, 1, (50, 3))
    together = count_quantiles(LEVELS, *parts)
    for row in (0, 7, 49):
        assert_array_equal(together[[row]], count_quantiles(LEVELS, *(part[[row]] for part in parts)))


def test_fractional_demand_has_the_quantiles_of_a_weibull_above_its_zeros() -> None:
    none = np.array([0.4])
    found = fractional_quantiles(LEVELS, none, np.ones((1, 1)), np.zeros((1, 1)), np.full((1, 1), 0.8))[0]
    expected = weibull_min.ppf(np.maximum(LEVELS - 0.4, 0) / 0.6, 0.8)
    assert (found[LEVELS <= 0.4] == 0).all()
    assert_allclose(found, expected, rtol=0.02, atol=0.05)


@given(st.integers(0, 10_000), st.booleans(), st.floats(0.05, 1e5))
def test_quantiles_are_finite_ascending_and_not_negative(seed: int, counts: bool, scale: float) -> None:
    raw = np.random.default_rng(seed).uniform(-4, 4, (5, 9 + (not counts)))
    found = mixture_quantiles(raw, np.full(5, scale), QUANTILE_LEVELS, 3, counts)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (np.diff(found, axis=1) >= 0).all()


@pytest.mark.parametrize("counts", [True, False])
def test_parameters_that_are_not_numbers_give_quantiles_that_are_not(counts: bool) -> None:
    raw = np.full((1, 9 + (not counts)), np.nan)
    with np.errstate(invalid="ignore"):
        found = mixture_quantiles(raw, np.ones(1), QUANTILE_LEVELS, 3, counts)
    assert np.isnan(found).any()
