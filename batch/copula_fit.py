"""How strongly the days of a horizon move together, measured on past forecasts."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from batch.forecaster.sampling import PathSampler, quantiles_of_sorted
from batch.forecaster.scores import weighted_quantile_loss
from batch.forecaster.windows import Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS, Copula

LEVELS = (0.0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
"""Fine at the low end: over 28 days a level of 0.01 widens the distribution of the sum by an eighth."""

DECAYS = (0.0, 0.3)
PATHS = 200
TAUS = (7, 14, 28)
SAMPLED_AT_ONCE = 512
"""Forecasts whose paths are in memory at a time."""

TINY = 1e-9
TIE = 1.005
"""Candidates within 0.5 % of the least loss are as good as it; the best covered of them is taken."""


def fit_copula(
    quantiles: Floats, actual: Floats, exact: Flags, counts: bool, taus: Sequence[int] = TAUS
) -> Copula:
    """The copula whose distributions of summed demand score best, over all of `taus` together.

    Among candidates within 0.5 % of the least weighted quantile loss, each tau counting the same, the one
    whose central 80 % intervals cover closest to 80 %, on average over the taus: sums of 7 and 28 days seldom
    ask for the same, and one good or bad month must not decide.

    Args:
        quantiles: (forecasts, days, levels) at `QUANTILE_LEVELS`.
        actual: (forecasts, days) demand.
        exact: (forecasts, days) where that is all demand. A sum counts if all its days are exact.
        counts: whether demand is whole units.
        taus: days that are summed; one without any demand in its exact sums is left out.

    Raises:
        ValueError: no tau is left.
    """
    whole = {tau: exact[:, :tau].all(axis=1) for tau in taus}
    totals = {tau: actual[rows, :tau].sum(axis=1) for tau, rows in whole.items() if actual[rows, :tau].any()}
    if not totals:
        raise ValueError("no exact sum has any demand: there is nothing to fit a copula on")
    scored = []
    for level, decay in product(LEVELS, DECAYS):
        copula = Copula(level=level, decay=decay)
        sums = np.moveaxis(cumulative_sums(quantiles, copula, PATHS, tuple(totals)), 1, 0)
        made = [(each[whole[tau]], totals[tau]) for tau, each in zip(totals, sums, strict=True)]
        losses = [weighted_quantile_loss(each, total) for each, total in made]
        misses = [abs(central_coverage(each, total, counts) - 0.8) for each, total in made]
        scored.append((losses, float(np.mean(misses)), copula))
    least = np.min([losses for losses, _, _ in scored], axis=0)
    relative = [float(np.mean(losses / least)) for losses, _, _ in scored]
    near = [each for each, loss in zip(scored, relative, strict=True) if loss <= TIE * min(relative)]
    return min(near, key=lambda each: (each[1], each[2].level))[2]


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
    return cumulative_sums(quantiles, copula, n_paths, (quantiles.shape[1],))[:, 0]


def cumulative_sums(quantiles: Floats, copula: Copula, n_paths: int, taus: Sequence[int]) -> Floats:
    """(forecasts, taus, levels) of the demand summed over the first days, with one fixed seed per row."""
    sampler = PathSampler(QUANTILE_LEVELS, copula, n_paths, quantiles.shape[1])
    made = np.zeros((len(quantiles), len(taus), len(QUANTILE_LEVELS)))
    for first in range(0, len(quantiles), SAMPLED_AT_ONCE):
        rows = range(first, min(first + SAMPLED_AT_ONCE, len(quantiles)))
        paths = sampler.paths(quantiles[rows.start : rows.stop], rows)
        sums = np.stack([paths[:, :, :tau].sum(axis=2) for tau in taus], axis=1)
        sums.sort(axis=2)
        made[rows.start : rows.stop] = quantiles_of_sorted(sums, np.array(QUANTILE_LEVELS))
    return made
