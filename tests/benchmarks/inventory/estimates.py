"""Figures that are one estimate with an interval, not a median of repeats."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.figures import Figure, measured

Floats = NDArray[np.float64]
Z95 = 1.96


def estimate(
    name: str,
    value: float,
    interval: tuple[float, float],
    unit: str,
    how: str,
    goal: str = "reported",
    meets: Callable[[float], bool] = lambda _: True,
) -> Figure:
    """The figure of one estimate; its spread is the interval."""
    return replace(measured(name, [value], unit, how, goal, meets), spread=interval)


def ratio_of_means(costs: Floats, others: Floats) -> tuple[float, tuple[float, float]]:
    """Mean of paired costs over the mean of others, with the 95 % interval of the paired difference.

    Args:
        costs: per independent run, on common random numbers with `others` [runs].
        others: likewise.
    """
    ratio = float(costs.mean() / others.mean())
    error = float((costs - ratio * others).std(ddof=1) / np.sqrt(len(costs)) / others.mean())
    return ratio, (ratio - Z95 * error, ratio + Z95 * error)
