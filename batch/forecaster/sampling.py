"""Joint demand paths from quantile functions and a Gaussian copula; numpy and scipy only.

A series' paths depend on its own quantiles and seed alone, bit for bit: nothing is summed across series and
no linear-algebra library, whose order of summation varies, is involved.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from infra.contracts.demand import Copula

Floats = NDArray[np.float64]


def sample_paths(
    levels: Sequence[float], quantiles: ArrayLike, copula: Copula, seeds: Sequence[int], n_paths: int
) -> Floats:
    """Joint demand paths, antithetic in pairs.

    Each step's distribution is piecewise linear between its knots, starts at 0 and continues the slope of its
    last segment above the last level.

    Args:
        levels: ascending probabilities of the knots.
        quantiles: (series, horizon, levels) in units; all zero on closed days.
        copula: dependence between steps.
        seeds: one non-negative integer per series.
        n_paths: paths per series.

    Returns:
        (series, n_paths, horizon) in units.
    """
    knots = np.asarray(quantiles, dtype=np.float64)
    scores = _normal_scores(copula, seeds, n_paths, knots.shape[1])
    return _interpolate(np.asarray(levels), knots, ndtr(scores))


def cumulative_quantiles(paths: Floats, levels: Sequence[float]) -> Floats:
    """(series, horizon, levels) quantiles of demand over days 1..h; paths are (series, n_paths, horizon)."""
    return np.moveaxis(np.quantile(np.cumsum(paths, axis=2), levels, axis=1), 0, 2)


def _normal_scores(copula: Copula, seeds: Sequence[int], n_paths: int, horizon: int) -> Floats:
    """(series, n_paths, horizon) with correlation level + (1 - level) * decay ** |i - j| between steps."""
    shape = ((n_paths + 1) // 2, horizon + 1)
    half = np.stack([np.random.default_rng(seed).standard_normal(shape) for seed in seeds])
    shared, own = half[:, :, :1], half[:, :, 1:]
    for step in range(1, horizon):
        own[:, :, step] = copula.decay * own[:, :, step - 1] + np.sqrt(1 - copula.decay**2) * own[:, :, step]
    scores = np.sqrt(copula.level) * shared + np.sqrt(1 - copula.level) * own
    pairs: Floats = np.concatenate([scores, -scores], axis=1)[:, :n_paths]
    return pairs


def _interpolate(levels: Floats, knots: Floats, probabilities: Floats) -> Floats:
    """Values (series, n_paths, horizon) of the quantile functions at the given probabilities."""
    slope = (knots[..., -1:] - knots[..., -2:-1]) / (levels[-1] - levels[-2])
    top = knots[..., -1:] + slope * (1 - levels[-1])
    values = np.concatenate([np.zeros_like(top), knots, top], axis=2).swapaxes(1, 2)
    edges = np.concatenate([[0.0], levels, [1.0]])
    segment = np.clip(np.searchsorted(edges, probabilities, side="right") - 1, 0, len(levels))
    low = np.take_along_axis(values, segment, axis=1)
    high = np.take_along_axis(values, segment + 1, axis=1)
    share = (probabilities - edges[segment]) / (edges[segment + 1] - edges[segment])
    values_there: Floats = low + (high - low) * share
    return values_there
