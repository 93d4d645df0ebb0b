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

_MOST_CELLS = 2**14


def sample_paths(
    levels: Sequence[float],
    quantiles: ArrayLike,
    copula: Copula,
    seeds: Sequence[int],
    n_paths: int,
    horizon: int | None = None,
) -> Floats:
    """Joint demand paths, antithetic in pairs.

    Each step's distribution is piecewise linear between its knots, starts at 0 and continues the slope of its
    last segment above the last level.

    Args:
        levels: ascending probabilities of the knots.
        quantiles: (series, steps, levels) in units; all zero on closed days.
        copula: dependence between steps.
        seeds: one non-negative integer per series.
        n_paths: paths per series.
        horizon: steps of the whole paths, if only their first steps are asked for.

    Returns:
        (series, n_paths, steps) in units; in memory the paths of a step lie together.
    """
    knots = np.asarray(quantiles, dtype=np.float64)
    steps = knots.shape[1]
    scores = _normal_scores(copula, seeds, n_paths, steps, horizon or steps)
    return _interpolate(np.asarray(levels), knots, ndtr(scores)).swapaxes(1, 2)


def mean_demand(levels: Sequence[float], quantiles: ArrayLike) -> Floats:
    """(horizon,) mean of each step's distribution, which the paths are drawn from.

    Args:
        levels: ascending probabilities of the knots.
        quantiles: (horizon, levels) in units.
    """
    edges, values = _with_ends(np.asarray(levels), np.asarray(quantiles, dtype=np.float64))
    mean: Floats = ((values[:, 1:] + values[:, :-1]) / 2 * np.diff(edges)).sum(axis=1)
    return mean


def cumulative_quantiles(paths: Floats, levels: Sequence[float]) -> Floats:
    """(series, horizon, levels) quantiles of demand over days 1..h; paths are (series, n_paths, horizon)."""
    return np.moveaxis(np.quantile(np.cumsum(paths, axis=2), levels, axis=1), 0, 2)


def _normal_scores(copula: Copula, seeds: Sequence[int], n_paths: int, steps: int, horizon: int) -> Floats:
    """(series, steps, n_paths) with correlation level + (1 - level) * decay ** |i - j| between steps."""
    half_paths = (n_paths + 1) // 2
    drawn = np.empty((half_paths, horizon + 1))
    half = np.empty((len(seeds), steps + 1, half_paths))
    for of_series, seed in zip(half, seeds, strict=True):
        np.random.default_rng(seed).standard_normal(out=drawn)
        of_series[:] = drawn.T[: steps + 1]
    shared, own = half[:, :1], half[:, 1:]
    for step in range(1, steps):
        own[:, step] = copula.decay * own[:, step - 1] + np.sqrt(1 - copula.decay**2) * own[:, step]
    scores = np.sqrt(copula.level) * shared + np.sqrt(1 - copula.level) * own
    pairs: Floats = np.concatenate([scores, -scores], axis=2)[:, :, :n_paths]
    return pairs


def _interpolate(levels: Floats, knots: Floats, probabilities: Floats) -> Floats:
    """Values (series, steps, n_paths) of the quantile functions at the given probabilities."""
    edges, values = _with_ends(levels, knots)
    segment = _segments(edges, probabilities)
    share: Floats = probabilities - edges.take(segment)
    share /= np.diff(edges).take(segment)
    segments = len(edges) - 1
    segment += np.arange(0, segments * knots.shape[0] * knots.shape[1], segments).reshape(*knots.shape[:2], 1)
    share *= np.diff(values, axis=2).ravel().take(segment)
    share += values[..., :-1].ravel().take(segment)
    return share


def _with_ends(levels: Floats, knots: Floats) -> tuple[Floats, Floats]:
    """Probabilities 0 .. 1 and the values at them, [..., levels + 2]."""
    slope = (knots[..., -1:] - knots[..., -2:-1]) / (levels[-1] - levels[-2])
    top = knots[..., -1:] + slope * (1 - levels[-1])
    values = np.concatenate([np.zeros_like(top), knots, top], axis=-1)
    return np.concatenate([[0.0], levels, [1.0]]), values


def _segments(edges: Floats, probabilities: Floats) -> NDArray[np.int64]:
    """Which segment between edges 0 .. 1 each probability lies in; a probability of 1 is in the last.

    A table of cells, each with one edge at most, spares the search where edges are not too close. The number
    of cells is a power of two, so that finding the cell is exact.
    """
    cells = 2 ** int(np.ceil(np.log2(1 / np.diff(edges).min())))
    last = len(edges) - 2
    if cells > _MOST_CELLS:
        found = np.searchsorted(edges, probabilities, side="right") - 1
        return np.minimum(found, last)
    first = np.minimum(np.searchsorted(edges, np.arange(cells + 1) / cells, side="right") - 1, last)
    next_edge = np.append(edges[1:-1], np.inf)
    segment: NDArray[np.int64] = first.take((probabilities * cells).astype(np.int64))
    segment += probabilities >= next_edge.take(segment)
    return segment
