"""How strongly the days of a horizon move together, measured on past forecasts."""

from itertools import product

import numpy as np

from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.scores import interval_coverage, weighted_quantile_loss
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS, Copula

LEVELS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
DECAYS = (0.0, 0.2, 0.4)
PATHS = 200
TIE = 1.005
"""Candidates within 0.5 % of the least loss are as good as it; the best covered of them is taken."""


def fit_copula(quantiles: Floats, actual: Floats) -> Copula:
    """The copula whose distribution of summed demand scores best.

    Least weighted quantile loss of the sum over the given days; among candidates within 0.5 % of it, the one
    whose central 80 % interval covers closest to 80 %.

    Args:
        quantiles: (forecasts, tau, levels) at `QUANTILE_LEVELS`.
        actual: (forecasts, tau) demand.
    """
    total = actual.sum(axis=1)
    scored = []
    for level, decay in product(LEVELS, DECAYS):
        copula = Copula(level=level, decay=decay)
        sums = summed_quantiles(quantiles, copula, PATHS)
        scored.append((weighted_quantile_loss(sums, total), interval_coverage(sums, total), copula))
    limit = TIE * min(loss for loss, _, _ in scored)
    return min((abs(cover - 0.8), copula.level, copula) for loss, cover, copula in scored if loss <= limit)[2]


def summed_quantiles(quantiles: Floats, copula: Copula, n_paths: int) -> Floats:
    """(forecasts, levels) of the demand summed over all given days, with one fixed seed per row."""
    paths = sample_paths(QUANTILE_LEVELS, quantiles, copula, np.arange(len(quantiles)).tolist(), n_paths)
    sums: Floats = cumulative_quantiles(paths.sum(axis=2, keepdims=True), QUANTILE_LEVELS)[:, 0]
    return sums
