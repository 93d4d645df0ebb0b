"""How a quantile function's probabilities compare with what happened: randomised PIT."""

import numpy as np

from batch.forecaster.quantile_function import PROBABILITIES, whole_function
from batch.forecaster.windows import Floats


def probability(quantiles: Floats, value: Floats) -> Floats:
    """(...,) probability of at most `value` (...,), which includes all of an atom."""
    knots = whole_function(quantiles)
    upper = (knots <= value[..., None]).sum(axis=-1)
    segment = np.clip(upper - 1, 0, len(PROBABILITIES) - 2)
    low = np.take_along_axis(knots, segment[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(knots, segment[..., None] + 1, axis=-1)[..., 0]
    share = np.divide(value - low, high - low, out=np.ones_like(value), where=high > low)
    inside = PROBABILITIES[segment] + np.clip(share, 0.0, 1.0) * np.diff(PROBABILITIES)[segment]
    found: Floats = np.where(upper == 0, 0.0, np.where(upper == len(PROBABILITIES), 1.0, inside))
    return found


def randomised_pit(quantiles: Floats, actual: Floats, step: float, uniform: Floats) -> Floats:
    """Values that are uniform on (0, 1) if the quantiles are right, whatever atoms demand has.

    Between the probabilities of less than `actual` and of at most `actual`, a uniform draw decides. Knots of
    demand in whole units stand half a unit to either side: the function is linear between two of them.

    Args:
        quantiles: (..., levels) at `QUANTILE_LEVELS`.
        actual: (...,) demand.
        step: 1 for demand in whole units, 0 for demand in fractions.
        uniform: (...,) draws.

    Source: Czado, Gneiting and Held 2009, Predictive model assessment for count data, Biometrics 65(4).
    """
    half = max(step / 2, 1e-9)
    below = np.where(actual > 0, probability(quantiles, actual - half), 0.0)
    up_to = probability(quantiles, actual + half)
    pit: Floats = below + uniform * (up_to - below)
    return pit
