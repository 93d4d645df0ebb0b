"""Online recalibration of quantile forecasts: an integral controller per level, shared and of each SKU.

Quantile tracking as in Angelopoulos, Candès & Tibshirani, "Conformal PID Control for Time Series Prediction"
(2023, arXiv 2307.16895), the scale-free form of adaptive conformal inference (Gibbs & Candès 2021, arXiv
2106.00170). The scale is that of the standard normal distribution: the quantile of level p is read from the
forecaster's own quantile function at probability Φ(Φ⁻¹(p) + shift), so that one unit means the same for a SKU
that sells 1 a week as for one that sells 1,000 a day, and demand beyond the highest knot can be followed.

The shift of a SKU has two parts. What a location's SKUs have in common moves fast, because their average
carries little noise. A SKU's own excess of exceedances moves its quantiles only by as much as it exceeds what
a calibrated forecast shows by chance: a good forecast stays as it is.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from infra.contracts.demand import QUANTILE_LEVELS

Floats = NDArray[np.float64]

OWN_RATE = 0.03
"""Shift per exceedance of one SKU beyond chance."""
SHARED_RATE = 0.1
"""Shift per day and unit of the SKUs' mean coverage error; less for few SKUs or late answers."""
FEW_SERIES = 9
MAX_SHIFT = 3.0
"""Bound of a shift; beyond it the forecaster is beyond repair, and a bound keeps the way back short."""

LEVELS = np.array(QUANTILE_LEVELS)
_SCORES = ndtri(LEVELS)


def shared_shift(shift: Floats, above: Floats, series: int, horizon_days: int) -> Floats:
    """The shift (levels,) of a location after one more matured day.

    By this recursion the share of actuals above level p after T days differs from 1 - p by at most
    (B + r) / (r · T) for any sequence of actuals, where r is the rate and B bounds the distance of an
    actual's normal score under the forecaster's own distribution from Φ⁻¹(p) (with B + r <= `MAX_SHIFT`).

    Args:
        shift: (levels,) before.
        above: (levels,) how many of the day's actuals were above the published quantile of each level.
        series: how many actuals matured.
        horizon_days: how long the answer takes; a controller faster than its answer would swing.
    """
    moved: Floats = shift + shared_rate(series, horizon_days) * (above / series - (1 - LEVELS))
    return np.clip(moved, -MAX_SHIFT, MAX_SHIFT)


def shared_rate(series: int, horizon_days: int) -> float:
    """Rate of the shared shift.

    >>> shared_rate(1, 1), shared_rate(91, 1), round(shared_rate(91, 28), 4)
    (0.01, 0.091, 0.0325)
    """
    return min(SHARED_RATE, 1 / horizon_days) * series / (series + FEW_SERIES)


def own_excess(excess: Floats, pit: float) -> Floats:
    """(levels,) exceedances beyond their expected number after one more matured forecast, bounded."""
    moved: Floats = excess + ((pit > LEVELS) - (1 - LEVELS))
    return np.clip(moved, -MAX_SHIFT / OWN_RATE, MAX_SHIFT / OWN_RATE)


def own_shift(excess: Floats, scored: Floats) -> Floats:
    """Shifts (..., levels) of SKUs: their excess beyond one standard deviation of pure chance.

    Args:
        excess: (..., levels) as `own_excess` gives it.
        scored: (...) matured forecasts that it counts.
    """
    chance = np.sqrt(scored[..., None] * LEVELS * (1 - LEVELS))
    beyond: Floats = OWN_RATE * np.sign(excess) * np.maximum(np.abs(excess) - chance, 0.0)
    return beyond


def shifts_by_day(shifts: Floats, anchors: tuple[int, ...], horizon: int) -> Floats:
    """Shifts (series, horizon, levels) of days 1..horizon from those at the anchor days, linear between."""
    days = np.arange(1, horizon + 1)
    right = np.clip(np.searchsorted(anchors, days), 1, len(anchors) - 1)
    first, last = np.take(anchors, right - 1), np.take(anchors, right)
    share = np.clip((days - first) / (last - first), 0.0, 1.0)[:, None]
    between: Floats = shifts[:, right - 1] * (1 - share) + shifts[:, right] * share
    return between


def recalibrated(quantiles: Floats, shifts: Floats) -> Floats:
    """Quantiles (..., levels) read at shifted probabilities: finite, non-negative, ascending.

    A value whose shift is zero, and below which none overtakes it, stays the same to the last bit.

    Args:
        quantiles: (..., levels) finite, non-negative, ascending.
        shifts: (..., levels).
    """
    scores = np.maximum.accumulate(_SCORES + shifts, axis=-1)
    segment = np.clip(np.searchsorted(_SCORES, scores, side="right") - 1, 0, len(_SCORES) - 2)
    low = np.take_along_axis(quantiles, segment, axis=-1)
    high = np.take_along_axis(quantiles, segment + 1, axis=-1)
    share = (scores - _SCORES[segment]) / (_SCORES[segment + 1] - _SCORES[segment])
    inside = low + (high - low) * share
    below = quantiles[..., :1] * (ndtr(scores) / LEVELS[0])
    above = quantiles[..., -1:] + _tail_slope(quantiles) * (scores - _SCORES[-1])
    read = np.where(scores < _SCORES[0], below, np.where(scores > _SCORES[-1], above, inside))
    unmoved = np.where(scores == _SCORES, quantiles, read)
    ascending: Floats = np.maximum.accumulate(unmoved, axis=-1)
    return ascending


def _tail_slope(quantiles: Floats) -> Floats:
    """Units per unit of score above the last knot: of the last segment, or of the upper half if steeper."""
    last = (quantiles[..., -1:] - quantiles[..., -2:-1]) / (_SCORES[-1] - _SCORES[-2])
    median = QUANTILE_LEVELS.index(0.5)
    half = (quantiles[..., -1:] - quantiles[..., median : median + 1]) / _SCORES[-1]
    slope: Floats = np.maximum(last, half)
    return slope
