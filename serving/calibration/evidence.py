"""Whether a model forecasts worse than the fallback: a paired test over matured days."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

Floats = NDArray[np.float64]

WINDOW_DAYS = 28
"""Matured days that a verdict looks back on."""
FEWEST_DAYS = 14
"""Matured days below which there is no verdict."""
SIGNIFICANCE = 0.01
LAGS = 7
"""Days over which errors are taken to be correlated: a week."""


@dataclass(frozen=True)
class Comparison:
    """Paired losses of the days in a window, summed, and the test's statistic and p-value."""

    days: int
    model: float
    fallback: float
    t_statistic: float
    p_value: float

    @property
    def is_worse(self) -> bool:
        """Whether the model's loss is significantly above the fallback's."""
        return self.days >= FEWEST_DAYS and self.p_value < SIGNIFICANCE

    @property
    def reason(self) -> str:
        """Why a model that is worse does not serve."""
        ratio = self.model / self.fallback if self.fallback else float("inf")
        return (
            f"worse than the fallback: {ratio:.3f} times its pinball loss over {self.days} matured days "
            f"(p {self.p_value:.1e})"
        )


def compare(model: Sequence[float], fallback: Sequence[float]) -> Comparison:
    """The Diebold-Mariano test that the model's loss is no higher, on the days' losses in order.

    Long-run variance by Bartlett weights (Newey & West 1987), small-sample correction by Harvey, Leybourne &
    Newbold (1997), one-sided against Student's t. With no variance a difference decides by its sign.
    """
    difference = np.asarray(model, dtype=np.float64) - np.asarray(fallback, dtype=np.float64)
    days = len(difference)
    sums = float(np.sum(model)), float(np.sum(fallback))
    if days < 2:
        return Comparison(days, *sums, 0.0, 1.0)
    mean, variance = float(difference.mean()), long_run_variance(difference)
    if variance <= 0:
        return Comparison(days, *sums, 0.0, 0.0 if mean > 0 else 1.0)
    lags = min(LAGS, days - 1)
    correction = (days + 1 - 2 * (lags + 1) + (lags + 1) * lags / days) / days
    statistic = mean / float(np.sqrt(variance / days)) * float(np.sqrt(max(correction, 0.0)))
    return Comparison(days, *sums, statistic, float(student_t.sf(statistic, days - 1)))


def long_run_variance(values: Floats) -> float:
    """Newey-West variance of a mean, times the count."""
    centred, count = values - values.mean(), len(values)
    total = float((centred * centred).sum()) / count
    for lag in range(1, min(LAGS, count - 1) + 1):
        covariance = float((centred[lag:] * centred[:-lag]).sum()) / count
        total += 2 * (1 - lag / (LAGS + 1)) * covariance
    return total
