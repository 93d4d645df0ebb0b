"""95 % intervals of metrics: over rows by bootstrap, over seeds by Student's t."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from serving.inventory.cover import Floats
from serving.simulation.twin.scores import METRICS, Sums, mean_of

DRAWS = 2000
SHARES = (0.025, 0.975)


def row_weights(rows: int, seed: int = 0) -> Floats:
    """How often each row is drawn in each bootstrap sample (rows, draws); the same for every policy."""
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), DRAWS)
    weights: Floats = draws.T.astype(float)
    return weights


def resampled(sums: Sums, weights: Floats) -> Floats:
    """Every metric of each bootstrap sample of rows (metrics, draws)."""
    numerators, denominators = sums.numerators @ weights, sums.denominators @ weights
    return np.divide(numerators, denominators, out=np.zeros_like(numerators), where=denominators > 0)


def over_seeds(values: Floats) -> tuple[Floats, Floats]:
    """Interval of the mean of independent runs; values are (metrics, seeds), two seeds at least."""
    seeds = values.shape[1]
    error = values.std(axis=1, ddof=1) / np.sqrt(seeds) * student.ppf(SHARES[1], seeds - 1)
    return values.mean(axis=1) - error, values.mean(axis=1) + error


def sum_interval(values: Floats, chance: float) -> tuple[float, float]:
    """Interval of the mean run's sum over rows, which misses it with this chance; both drawn anew.

    Args:
        values: (runs, rows).
        chance: above 0 and below 1.
    """
    runs, rows = values.shape
    drawn = (values @ row_weights(rows) * row_weights(runs, seed=1) / runs).sum(axis=0)
    low, high = np.quantile(drawn, (chance / 2, 1 - chance / 2))
    return float(low), float(high)


def estimates(runs: Sequence[Sums]) -> dict[str, dict[str, Any]]:
    """Each metric with its intervals; none over seeds where there is one only."""
    together = mean_of(runs)
    rows = np.quantile(resampled(together, row_weights(together.numerators.shape[1])), SHARES, axis=1)
    seeds = over_seeds(np.stack([run.values() for run in runs], axis=1)) if len(runs) > 1 else None
    return {
        name: {
            "value": float(value),
            "over_skus": [float(rows[0, place]), float(rows[1, place])],
            "over_seeds": None if seeds is None else [float(seeds[0][place]), float(seeds[1][place])],
        }
        for place, (name, value) in enumerate(zip(METRICS, together.values(), strict=True))
    }
