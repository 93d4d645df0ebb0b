"""Joint demand paths from quantile functions and a Gaussian copula; numpy and scipy only.

A series' paths depend on its own quantiles and seed alone, bit for bit: nothing is summed across series and
no linear-algebra library, whose order of summation varies, is involved.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfc

from infra.contracts.demand import Copula

Floats = NDArray[np.float64]

_MOST_CELLS = 2**14

_BLOCK = 16
"""Series sampled together: enough to make few calls, few enough for the processor's cache."""


def sample_paths(
    levels: Sequence[float],
    quantiles: ArrayLike,
    copula: Copula,
    seeds: Sequence[int],
    n_paths: int,
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

    Returns:
        (series, n_paths, steps) in units; in memory the paths of a step lie together.
    """
    knots = np.asarray(quantiles, dtype=np.float64)
    return PathSampler(levels, copula, n_paths, knots.shape[1]).paths(knots, seeds)


class PathSampler:
    """Joint demand paths of series that share levels and copula.

    Blocks of series follow one another in the same scratch memory, which stays in the processor's cache; to
    get fresh pages for each costs as much as the arithmetic. One thread at a time may use a sampler.
    """

    def __init__(self, levels: Sequence[float], copula: Copula, n_paths: int, horizon: int) -> None:
        self._n_paths = n_paths
        self._scores = _NormalScores(copula, (n_paths + 1) // 2, horizon)
        self._interpolation = _Interpolation(np.asarray(levels), _BLOCK * horizon, (n_paths + 1) // 2)

    def paths(self, quantiles: ArrayLike, seeds: Sequence[int]) -> Floats:
        """(series, n_paths, steps) of the first steps of the horizon, as `sample_paths` describes them.

        Args:
            quantiles: (series, steps, levels) in units; all zero on closed days.
            seeds: one non-negative integer per series.
        """
        knots = np.asarray(quantiles, dtype=np.float64).swapaxes(0, 1)
        is_open = knots.any(axis=2)
        paths = np.zeros((*is_open.shape, self._n_paths))
        for first in range(0, is_open.shape[1], _BLOCK):
            block = slice(first, first + _BLOCK)
            opened = is_open[:, block]
            scores = self._scores.of(seeds[block], len(knots))[opened]
            values = self._interpolation.values(knots[:, block][opened], scores)
            paths[:, block][opened] = values[:, : self._n_paths]
        return paths.transpose(1, 2, 0)


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
    sums = np.cumsum(paths.transpose(2, 0, 1), axis=0)
    sums.sort(axis=2)
    return quantiles_of_sorted(sums, np.asarray(levels)).swapaxes(0, 1)


def quantiles_of_sorted(values: Floats, levels: Floats) -> Floats:
    """`np.quantile` of the last axis, to the bit: its partition around every level is slower than a sort.

    Args:
        values: (..., n) ascending along the last axis.
        levels: (levels,) probabilities.

    Returns:
        (..., levels).
    """
    place = levels * (values.shape[-1] - 1)
    lower = np.floor(place).astype(np.intp)
    share = place - lower
    low, high = values[..., lower], values[..., np.minimum(lower + 1, values.shape[-1] - 1)]
    step = high - low
    return np.where(share < 0.5, low + step * share, high - step * (1 - share))


class _NormalScores:
    """Normal scores of half the paths of a block of series."""

    def __init__(self, copula: Copula, half_paths: int, horizon: int) -> None:
        self._decay, self._own_share = copula.decay, np.sqrt(1 - copula.level)
        self._scale = np.full((horizon + 1, 1), np.sqrt(1 - copula.decay**2))
        self._scale[0], self._scale[1:2] = np.sqrt(copula.level), 1.0
        self._drawn = np.empty((half_paths, horizon + 1))
        self._half = np.empty((horizon + 1, _BLOCK, half_paths))
        self._decayed = np.empty((_BLOCK, half_paths))

    def of(self, seeds: Sequence[int], steps: int) -> Floats:
        """(steps, series, half the paths), which the next call overwrites.

        Their correlation between steps i and j is level + (1 - level) * decay ** |i - j|.
        """
        half, decayed = self._half[: steps + 1, : len(seeds)], self._decayed[: len(seeds)]
        for number, seed in enumerate(seeds):
            np.random.default_rng(seed).standard_normal(out=self._drawn)
            np.multiply(self._drawn.T[: steps + 1], self._scale[: steps + 1], out=half[:, number])
        shared, own = half[:1], half[1:]
        for before, step in pairwise(own):
            step += np.multiply(self._decay, before, out=decayed)
        own *= self._own_share
        own += shared
        return own


class _Interpolation:
    """Values of quantile functions with common levels."""

    def __init__(self, levels: Floats, most_rows: int, half_paths: int) -> None:
        self._levels, self._edges = levels, _with_ends(levels, levels)[0]
        self._widths = np.diff(self._edges)
        self._segments = _Segments(self._edges)
        self._scratch = np.empty((2, 2 * most_rows * half_paths))
        self._segment = np.empty(2 * most_rows * half_paths, dtype=np.int64)

    def values(self, knots: Floats, scores: Floats) -> Floats:
        """Values at the normal scores and, after them, at the opposite ones.

        Args:
            knots: (rows, levels).
            scores: (rows, half the paths).

        Returns:
            (rows, twice half the paths).
        """
        shape, cells = (2, *scores.shape), 2 * scores.size
        chances: Floats = self._scratch[0, :cells].reshape(shape)
        taken = self._scratch[1, :cells].reshape(shape)
        segment = self._segment[:cells].reshape(shape)
        _write_both_tails(scores.ravel(), chances.reshape(2, -1), taken.reshape(2, -1))
        self._segments.find(chances, segment, taken)
        chances -= self._edges.take(segment, out=taken, mode="wrap")
        chances /= self._widths.take(segment, out=taken, mode="wrap")
        values = _with_ends(self._levels, knots)[1]
        segment += (np.arange(len(scores)) * len(self._widths))[:, None]
        chances *= np.diff(values).ravel().take(segment, out=taken, mode="wrap")
        chances += values[:, :-1].ravel().take(segment, out=taken, mode="wrap")
        return np.concatenate(chances, axis=1)


def _with_ends(levels: Floats, knots: Floats) -> tuple[Floats, Floats]:
    """Probabilities 0 .. 1 and the values at them, [..., levels + 2]."""
    slope = (knots[..., -1:] - knots[..., -2:-1]) / (levels[-1] - levels[-2])
    top = knots[..., -1:] + slope * (1 - levels[-1])
    values = np.concatenate([np.zeros_like(top), knots, top], axis=-1)
    return np.concatenate([[0.0], levels, [1.0]]), values


def _write_both_tails(scores: Floats, chances: Floats, scratch: Floats) -> None:
    """The normal distribution at the scores and at the opposite ones, each as `scipy.special.ndtr` has it.

    Both come from one error function, of the scores' size: branching on signs that no processor can predict
    costs as much as the function.

    Args:
        scores: (n,).
        chances: (2, n), written.
        scratch: (2, n), lost.
    """
    scaled, size = scratch
    lower, upper = chances
    np.multiply(scores, np.sqrt(0.5), out=scaled)
    np.abs(scaled, out=size)
    half = erf(np.minimum(size, 1, out=lower), out=lower)
    half *= 0.5
    np.copysign(half, scaled, out=half)
    np.subtract(0.5, half, out=upper)
    np.add(0.5, half, out=lower)
    far = np.flatnonzero(size >= 1)
    tail = 0.5 * erfc(size.take(far))
    is_high = scaled.take(far) > 0
    cells = chances.reshape(-1)
    cells[far + len(scores) * is_high] = tail
    cells[far + len(scores) * ~is_high] = 1 - tail


class _Segments:
    """Which segment between edges 0 .. 1 a probability lies in; a probability of 1 is in the last.

    A table of cells, each with one edge at most, spares the search where edges are not too close. The number
    of cells is a power of two, so that finding the cell is exact.
    """

    def __init__(self, edges: Floats) -> None:
        self._edges, self._last = edges, len(edges) - 2
        self._next_edge = np.append(edges[1:-1], np.inf)
        self._cells = 2 ** int(np.ceil(np.log2(1 / np.diff(edges).min())))
        if self._cells <= _MOST_CELLS:
            self._first = self._search(np.arange(self._cells + 1) / self._cells)

    def _search(self, probabilities: Floats) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(self._edges, probabilities, side="right") - 1, self._last)

    def find(self, probabilities: Floats, segment: NDArray[np.int64], scratch: Floats) -> None:
        """Writes the segments; `scratch` is of the same shape and lost."""
        if self._cells > _MOST_CELLS:
            segment[:] = self._search(probabilities)
            return
        cell = np.multiply(probabilities, self._cells, out=scratch).astype(np.int64)
        self._first.take(cell, out=segment, mode="wrap")
        segment += probabilities >= self._next_edge.take(segment, out=scratch, mode="wrap")
