"""Quantiles of mixtures by inversion of their distribution functions; numpy and scipy only.

Rows are independent of each other, bit for bit.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

Floats = NDArray[np.float64]

MAX_COUNT = 192
"""Probabilities of counts up to here are summed one by one; larger quantiles are inverted on a grid."""

_AT_ONCE = 12
"""Counts after which the rows that have reached all levels are left alone."""

GRID_POINTS = 128
TOP = 0.9995
MAX_EXPONENT = 15.0


def mixture_quantiles(
    raw: Floats, scale: Floats, levels: tuple[float, ...], components: int, counts: bool
) -> Floats:
    """(..., levels) quantiles in units of the network's mixtures.

    Args:
        raw: (..., parameters), see `batch.forecaster.likelihood`, in multiples of `scale` (...).
        scale: units that a multiple of 1 stands for.
        levels: ascending probabilities.
        components: how many distributions are mixed.
        counts: negative binomials; otherwise Weibull distributions and a mass at zero.
    """
    logits, location, spread, nothing = np.split(
        raw.reshape(-1, raw.shape[-1]), [components, 2 * components, 3 * components], axis=1
    )
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    location = location + np.log(scale).reshape(-1, 1)
    wanted = np.asarray(levels)
    if counts:
        quantiles: Floats = count_quantiles(wanted, weights, np.exp(location), np.exp(spread))
    else:
        none = 1 / (1 + np.exp(-nothing[:, 0]))
        quantiles = fractional_quantiles(wanted, none, weights, location, np.exp(spread))
    shaped: Floats = quantiles.reshape(*raw.shape[:-1], len(levels))
    return shaped


def count_quantiles(levels: Floats, weights: Floats, means: Floats, k: Floats) -> Floats:
    """(rows, levels) least counts with at least that probability, of negative binomial mixtures.

    Above `MAX_COUNT`, counts come from gamma distributions of the same mean and variance.

    Args:
        levels: ascending probabilities.
        weights: (rows, components), summing to 1.
        means: likewise.
        k: likewise; the variance is mean + mean ** 2 / k.
    """
    share = means / (means + k)
    term = weights * np.exp(k * np.log1p(-share))
    reached = term.sum(axis=1)
    counts: Floats = np.where(np.isnan(reached)[:, None], np.nan, (reached[:, None] < levels) * 1.0)
    for first in range(0, MAX_COUNT, _AT_ONCE):
        rows = np.flatnonzero(reached < levels[-1])
        of_rows = share[rows], k[rows], term[rows], reached[rows]
        term[rows], reached[rows], more = _counted(levels, *of_rows, range(first, first + _AT_ONCE))
        counts[rows] += more
    large = reached < levels[-1]
    if large.any():
        larger = np.round(_gamma_quantiles(levels, weights[large], means[large], k[large]))
        beyond = reached[large][:, None] < levels
        counts[large] = np.where(beyond, np.maximum(larger, MAX_COUNT), counts[large])
    return counts


def _counted(
    levels: Floats, share: Floats, k: Floats, term: Floats, reached: Floats, counts: range
) -> tuple[Floats, Floats, Floats]:
    """The probability of each component's and of the rows' last count, and how many levels are above each."""
    more = np.zeros((len(share), len(levels)))
    for y in counts:
        term = term * share * ((y + k) / (y + 1))
        reached = reached + term.sum(axis=1)
        more += reached[:, None] < levels
    return term, reached, more


def _gamma_quantiles(levels: Floats, weights: Floats, means: Floats, k: Floats) -> Floats:
    """Quantiles where they are above `MAX_COUNT`; lower ones are at most that."""
    shape = 1 / (1 / means + 1 / k)
    scale = means / shape
    top = (gammaincinv(shape, TOP) * scale).max(axis=1)

    def reached(y: Floats) -> Floats:
        row, column = np.nonzero(y > 0.8 * MAX_COUNT)
        parts = gammainc(shape[row], (y[row, column, None] + 0.5) / scale[row])
        total = np.zeros_like(y)
        total[row, column] = (weights[row] * parts).sum(axis=1)
        return total

    return _inverted(levels, reached, np.full(len(top), 0.5), top)


def fractional_quantiles(
    levels: Floats, nothing: Floats, weights: Floats, log_scale: Floats, shape: Floats
) -> Floats:
    """(rows, levels) quantiles of Weibull mixtures with probability `nothing` (rows,) of zero."""
    low, top = (log_scale + np.log(-np.log1p(-p)) / shape for p in (1 - TOP, TOP))
    low, top = np.exp(low.min(axis=1)), np.exp(top.max(axis=1))

    def reached(y: Floats) -> Floats:
        z = (np.log(y)[..., None] - log_scale[:, None]) * shape[:, None]
        parts = -np.expm1(-np.exp(np.minimum(z, MAX_EXPONENT)))
        total: Floats = nothing[:, None] + (1 - nothing[:, None]) * (weights[:, None] * parts).sum(axis=2)
        return total

    return np.where(levels <= nothing[:, None], 0.0, _inverted(levels, reached, low, top))


def _inverted(levels: Floats, reached: Callable[[Floats], Floats], low: Floats, top: Floats) -> Floats:
    """Linear between the points of a geometric grid from `low` to `top` (rows,), from 0 below it."""
    growth = np.linspace(0.0, 1.0, GRID_POINTS)
    points = low[:, None] * np.exp(np.log(np.maximum(top / low, 1.0))[:, None] * growth)
    probabilities = np.maximum.accumulate(reached(points), axis=1)
    points = np.concatenate([np.zeros((len(low), 1)), points], axis=1)
    probabilities = np.concatenate([np.zeros((len(low), 1)), probabilities], axis=1)
    above = np.stack([(probabilities < level).sum(axis=1) for level in levels], axis=1)
    above = np.clip(above, 1, GRID_POINTS)
    x0, x1 = (np.take_along_axis(points, above - back, axis=1) for back in (1, 0))
    p0, p1 = (np.take_along_axis(probabilities, above - back, axis=1) for back in (1, 0))
    share = np.clip((levels - p0) / np.maximum(p1 - p0, 1e-12), 0.0, 1.0)
    values: Floats = x0 + (x1 - x0) * share
    return values
