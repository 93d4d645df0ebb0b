"""How strongly the days of a horizon move together, measured on past forecasts."""

from itertools import product

import numpy as np

from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.scores import weighted_quantile_loss
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS, Copula

LEVELS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Fine at the low end: over 28 days a level of 0.01 widens the distribution of the sum by an eighth."""

DECAYS = (0.0, 0.3)
PATHS = 200
TINY = 1e-9
TIE = 1.005
"""Candidates within 0.5 % of the least loss are as good as it; the best covered of them is taken."""


def fit_copula(quantiles: Floats, actual: Floats, counts: bool) -> Copula:
    """The copula whose distribution of summed demand scores best.

    Least weighted quantile loss of the sum over the given days; among candidates within 0.5 % of it, the one
    whose central 80 % interval covers closest to 80 %.

    Args:
        quantiles: (forecasts, tau, levels) at `QUANTILE_LEVELS`.
        actual: (forecasts, tau) demand.
        counts: whether demand is whole units.
    """
    total = actual.sum(axis=1)
    scored = []
    for level, decay in product(LEVELS, DECAYS):
        copula = Copula(level=level, decay=decay)
        sums = summed_quantiles(quantiles, copula, PATHS)
        scored.append((weighted_quantile_loss(sums, total), central_coverage(sums, total, counts), copula))
    limit = TIE * min(loss for loss, _, _ in scored)
    return min((abs(cover - 0.8), copula.level, copula) for loss, cover, copula in scored if loss <= limit)[2]


def central_coverage(quantiles: Floats, actual: Floats, counts: bool) -> float:
    """Share of the values (n,) in the central 80 %, by the randomised probability integral transform.

    A count y stands for the stretch y - 0.5 to y + 0.5 of the distribution and counts with the part of its
    probability that is inside (Czado, Gneiting & Held 2009, Biometrics 65).
    """
    half = 0.5 if counts else 0.0
    low, high = (_probability(quantiles, actual + shift) for shift in (-half, half))
    inside = np.minimum(high, 0.9) - np.maximum(low, 0.1)
    return float(np.mean(np.clip((inside + TINY) / (high - low + TINY), 0.0, 1.0)))


def _probability(quantiles: Floats, values: Floats) -> Floats:
    """(n,) probability up to each value, linear between the knots (n, levels)."""
    levels = np.array([0.0, *QUANTILE_LEVELS, 1.0])
    top = 2 * quantiles[:, -1:] - quantiles[:, -2:-1]
    knots = np.concatenate([np.zeros_like(top), quantiles, top], axis=1) + np.arange(len(levels)) * TINY
    return np.array([np.interp(value, row, levels) for value, row in zip(values, knots, strict=True)])


def summed_quantiles(quantiles: Floats, copula: Copula, n_paths: int) -> Floats:
    """(forecasts, levels) of the demand summed over all given days, with one fixed seed per row."""
    paths = sample_paths(QUANTILE_LEVELS, quantiles, copula, np.arange(len(quantiles)).tolist(), n_paths)
    sums: Floats = cumulative_quantiles(paths.sum(axis=2, keepdims=True), QUANTILE_LEVELS)[:, 0]
    return sums
