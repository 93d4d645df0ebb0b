"""The piecewise linear quantile function through the published knots, whole: from probability 0 to 1."""

import numpy as np

from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS

PROBABILITIES = np.array((0.0, *QUANTILE_LEVELS, 1.0))


def whole_function(quantiles: Floats) -> Floats:
    """(..., levels + 2) knots from probability 0 (0 units) to 1, where the last segment continues.

    The same function that joint paths are drawn from (`batch.forecaster.sampling`).
    """
    slope = (quantiles[..., -1:] - quantiles[..., -2:-1]) / (PROBABILITIES[-2] - PROBABILITIES[-3])
    top = quantiles[..., -1:] + slope * (1 - PROBABILITIES[-2])
    return np.concatenate([np.zeros_like(top), quantiles, top], axis=-1)


def mean(quantiles: Floats) -> Floats:
    """(...,) mean of the piecewise linear quantile function."""
    knots = whole_function(quantiles)
    average: Floats = ((knots[..., 1:] + knots[..., :-1]) / 2 * np.diff(PROBABILITIES)).sum(axis=-1)
    return average
