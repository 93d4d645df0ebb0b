"""Scores of matured forecasts, vectorised; what a stock-out hides is never taken for demand."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from batch.forecaster import quantile_function
from batch.forecaster.scores import pinball
from infra.contracts.demand import QUANTILE_LEVELS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEVELS = np.array(QUANTILE_LEVELS)
_EDGES = quantile_function.PROBABILITIES
_ENDS_80 = [QUANTILE_LEVELS.index(level) for level in (0.1, 0.9)]
_ENDS_95 = [QUANTILE_LEVELS.index(level) for level in (0.025, 0.975)]


@dataclass(frozen=True)
class Scores:
    """Scores of n forecasts; `covered_*` is 1, 0 or NaN, and with `pinball` NaN where it is not known."""

    pit: Floats
    covered_80: Floats
    covered_95: Floats
    pinball: Floats
    mean: Floats


def score(quantiles: Floats, actual: Floats, censored: Flags, uniforms: Floats) -> Scores:
    """Scores of n forecasts.

    Args:
        quantiles: (n, 21) at `QUANTILE_LEVELS`, ascending.
        actual: (n,) demand, or the lower bound that was sold.
        censored: (n,) whether it is a mere bound.
        uniforms: (n,) draws in [0, 1) that decide within an atom or above a bound.
    """
    loss = mean_pinball(quantiles, actual)
    return Scores(
        pit=randomised_pit(quantiles, actual, censored, uniforms),
        covered_80=_covered(quantiles[:, _ENDS_80], actual, censored),
        covered_95=_covered(quantiles[:, _ENDS_95], actual, censored),
        pinball=np.where(censored, np.nan, loss),
        mean=quantile_function.mean(quantiles),
    )


def mean_pinball(quantiles: Floats, actual: Floats) -> Floats:
    """Pinball loss in units, averaged over the levels.

    >>> float(mean_pinball(np.full((1, 21), 10.0), np.array([12.0]))[0]) == 2 * np.mean(QUANTILE_LEVELS)
    True
    """
    loss: Floats = pinball(quantiles, actual, _LEVELS).mean(axis=1)
    return loss


def randomised_pit(quantiles: Floats, actual: Floats, censored: Flags, uniforms: Floats) -> Floats:
    """The forecast's probability of less than the actual, plus a random share of that of the actual itself.

    A whole number stands for everything that rounds to it, because counts are forecast by continuous
    quantile functions. Of a bound only "at least this" is known: the draw is from its probability to 1.
    """
    half = np.where(actual == np.rint(actual), 0.5, 0.0)
    below = probability(quantiles, actual - half, "below")
    at_most = np.where(censored, 1.0, probability(quantiles, actual + half, "at most"))
    drawn: Floats = below + uniforms * (at_most - below)
    return drawn


def probability(quantiles: Floats, value: Floats, side: Literal["below", "at most"]) -> Floats:
    """P(demand < value) or P(demand <= value) of n piecewise linear quantile functions."""
    knots = quantile_function.whole_function(quantiles)
    compared = knots < value[:, None] if side == "below" else knots <= value[:, None]
    right = np.clip(compared.sum(axis=1), 1, len(_EDGES) - 1)
    low, high = (np.take_along_axis(knots, each[:, None], axis=1)[:, 0] for each in (right - 1, right))
    width = np.where(high > low, high - low, 1.0)
    share = np.clip((value - low) / width, 0.0, 1.0)
    reached: Floats = _EDGES[right - 1] + share * (_EDGES[right] - _EDGES[right - 1])
    return np.where(compared.all(axis=1), 1.0, np.where(compared.any(axis=1), reached, 0.0))


def _covered(ends: Floats, actual: Floats, censored: Flags) -> Floats:
    inside = (ends[:, 0] <= actual) & (actual <= ends[:, 1])
    unknown = censored & (actual <= ends[:, 1])
    return np.where(unknown, np.nan, inside.astype(np.float64))
