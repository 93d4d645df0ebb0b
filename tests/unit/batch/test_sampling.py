import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from scipy.stats import norm

from batch.forecaster.sampling import Floats, PathSampler, cumulative_quantiles, sample_paths
from infra.contracts.demand import QUANTILE_LEVELS, Copula

INDEPENDENT = Copula(level=0.0, decay=0.0)


def growing_knots(series: int, horizon: int) -> Floats:
    rng = np.random.default_rng(5)
    return np.cumsum(rng.exponential(1.0, (series, horizon, len(QUANTILE_LEVELS))), axis=2)


def test_a_series_paths_are_the_same_alone_and_among_others() -> None:
    knots = growing_knots(7, 28)
    copula = Copula(level=0.1, decay=0.3)
    together = sample_paths(QUANTILE_LEVELS, knots, copula, range(100, 107), 501)
    alone = sample_paths(QUANTILE_LEVELS, knots[3:4], copula, [103], 501)
    assert together[3].tobytes() == alone[0].tobytes()


def plain_paths(levels: Floats, knots: Floats, copula: Copula, seed: int, n_paths: int) -> Floats:
    """One series' paths step by step, each segment searched for."""
    half = np.random.default_rng(seed).standard_normal(((n_paths + 1) // 2, len(knots) + 1))
    own = half[:, 1:].copy()
    for step in range(1, len(knots)):
        own[:, step] = copula.decay * own[:, step - 1] + np.sqrt(1 - copula.decay**2) * own[:, step]
    scores = np.sqrt(copula.level) * half[:, :1] + np.sqrt(1 - copula.level) * own
    chances: Floats = ndtr(np.concatenate([scores, -scores])[:n_paths])
    edges = np.concatenate([[0.0], levels, [1.0]])
    paths = np.empty_like(chances)
    for step, row in enumerate(knots):
        top = row[-1] + (row[-1] - row[-2]) / (levels[-1] - levels[-2]) * (1 - levels[-1])
        values = np.concatenate([[0.0], row, [top]])
        at = np.minimum(np.searchsorted(edges, chances[:, step], side="right") - 1, len(levels))
        share = (chances[:, step] - edges[at]) / (edges[at + 1] - edges[at])
        paths[:, step] = values[at] + (values[at + 1] - values[at]) * share
    return paths


@given(
    st.lists(st.sampled_from(np.linspace(0.001, 0.999, 999).tolist()), min_size=2, max_size=30, unique=True),
    st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_paths_are_those_of_a_plain_search_bit_for_bit_whatever_the_levels(
    levels: list[float], seed: int
) -> None:
    copula, at = Copula(level=0.1, decay=0.3), np.array(sorted(levels))
    knots = np.cumsum(np.random.default_rng(seed).exponential(1.0, (4, len(at))), axis=1)
    close = np.array([0.5, np.nextafter(0.5, 1), 0.75])

    sampled = sample_paths(at.tolist(), knots[None], copula, [seed], 101)[0]
    assert np.array_equal(sampled, plain_paths(at, knots, copula, seed, 101))
    sampled = sample_paths(close.tolist(), np.ones((1, 2, 3)), copula, [seed], 101)[0]
    assert np.array_equal(sampled, plain_paths(close, np.ones((2, 3)), copula, seed, 101))


def test_the_first_steps_of_the_paths_are_the_same_whichever_steps_are_asked_for() -> None:
    knots, copula = growing_knots(2, 28), Copula(level=0.1, decay=0.3)
    whole = sample_paths(QUANTILE_LEVELS, knots, copula, [1, 2], 100)

    sampler = PathSampler(QUANTILE_LEVELS, copula, 100, horizon=28)
    assert np.array_equal(sampler.paths(knots[:, :9], [1, 2]), whole[:, :, :9])
    assert np.array_equal(sampler.paths(knots, [1, 2]), whole)


def test_another_seed_gives_other_paths() -> None:
    knots = growing_knots(1, 5)
    first, second = (sample_paths(QUANTILE_LEVELS, knots, INDEPENDENT, [seed], 50) for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_the_sampled_quantiles_are_the_knots() -> None:
    knots = growing_knots(2, 3)
    paths = sample_paths(QUANTILE_LEVELS, knots, Copula(level=0.2, decay=0.4), [1, 2], 100_000)
    middle = slice(2, 15)
    sampled = np.moveaxis(np.quantile(paths, QUANTILE_LEVELS, axis=1), 0, 2)
    assert_allclose(sampled[..., middle], knots[..., middle], rtol=0.03)


def test_normal_scores_have_the_declared_correlation() -> None:
    levels = tuple(np.linspace(0.001, 0.999, 999))
    knots = np.broadcast_to(norm.ppf(levels) + 10, (1, 4, 999))
    paths = sample_paths(levels, knots, Copula(level=0.3, decay=0.5), [4], 200_000)[0]
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    assert_allclose(np.corrcoef(paths.T), 0.3 + 0.7 * 0.5**lag, atol=0.01)


def test_closed_days_stay_at_zero() -> None:
    knots = growing_knots(1, 4)
    knots[:, 2] = 0.0
    assert_array_equal(sample_paths(QUANTILE_LEVELS, knots, INDEPENDENT, [1], 200)[:, :, 2], 0.0)


@settings(max_examples=30)
@given(
    level=st.floats(0, 0.99),
    decay=st.floats(0, 0.99),
    seed=st.integers(0, 2**63 - 1),
    n_paths=st.integers(1, 40),
)
def test_paths_are_finite_non_negative_and_bounded_by_the_extended_last_segment(
    level: float, decay: float, seed: int, n_paths: int
) -> None:
    knots = growing_knots(1, 6)
    paths = sample_paths(QUANTILE_LEVELS, knots, Copula(level=level, decay=decay), [seed], n_paths)
    top = knots[..., -1] + (knots[..., -1] - knots[..., -2]) * 0.001 / 0.004
    assert paths.shape == (1, n_paths, 6)
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    assert (paths <= top[:, None] * (1 + 1e-12)).all()


def test_cumulative_quantiles_are_those_of_running_sums() -> None:
    paths = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]]])
    assert_allclose(cumulative_quantiles(paths, [0.5]), [[[3.0], [5.0]]])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), series=st.integers(1, 4), n_paths=st.integers(1, 60))
def test_quantiles_of_sums_are_those_of_numpy_to_the_bit(seed: int, series: int, n_paths: int) -> None:
    paths = np.random.default_rng(seed).gamma(0.3, 20.0, (series, n_paths, 5))
    expected = np.quantile(np.cumsum(paths, axis=2), QUANTILE_LEVELS, axis=1)
    assert_array_equal(cumulative_quantiles(paths, QUANTILE_LEVELS), np.moveaxis(expected, 0, 2))


@pytest.mark.parametrize("horizon", [1, 14, 28])
def test_perfect_dependence_adds_the_quantiles(horizon: int) -> None:
    knots = np.broadcast_to(growing_knots(1, 1), (1, horizon, len(QUANTILE_LEVELS)))
    paths = sample_paths(QUANTILE_LEVELS, knots, Copula(level=0.0, decay=1 - 1e-15), [1], 400)
    assert_allclose(paths.sum(axis=2), paths[:, :, 0] * horizon, rtol=1e-4)


def test_a_replay_needs_no_torch() -> None:
    modules = "sampling, batch.forecaster.fallback, batch.forecaster.artifact, batch.forecaster.panel"
    program = f"import sys, batch.forecaster.{modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
