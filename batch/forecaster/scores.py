"""Scores of quantile forecasts; arrays end in (..., levels) at `QUANTILE_LEVELS`."""

import numpy as np

from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS

SCORED_LEVELS = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
"""The nine quantiles of the M5 uncertainty competition."""

_SCORED = [QUANTILE_LEVELS.index(level) for level in SCORED_LEVELS]


def pinball(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Pinball loss per value and level: level * (y - q) above the quantile, (1 - level) * (q - y) below."""
    error = actual[..., None] - quantiles
    loss: Floats = np.maximum(levels * error, (levels - 1) * error)
    return loss


def weighted_quantile_loss(quantiles: Floats, actual: Floats) -> float:
    """Mean over M5's nine levels of 2 * sum(pinball) / sum(actual), pooled over all leading axes.

    Raises:
        ValueError: there is no demand to weigh by.
    """
    if actual.sum() <= 0:
        raise ValueError("weighted quantile loss is undefined without any demand")
    loss = pinball(quantiles[..., _SCORED], actual, np.array(SCORED_LEVELS))
    return float(2 * loss.sum() / actual.sum() / len(SCORED_LEVELS))


def interval_coverage(quantiles: Floats, actual: Floats, low: float = 0.1, high: float = 0.9) -> float:
    """Share of values within the central interval, both ends included."""
    bounds = quantiles[..., [QUANTILE_LEVELS.index(low), QUANTILE_LEVELS.index(high)]]
    return float(np.mean((bounds[..., 0] <= actual) & (actual <= bounds[..., 1])))
