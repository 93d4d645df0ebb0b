import numpy as np
import torch
from numpy.testing import assert_allclose
from scipy.stats import nbinom, weibull_min
from torch import Tensor

from batch.forecaster.likelihood import count_log_likelihood, fractional_log_likelihood

MEANS, K = np.array([0.5, 4.0]), np.array([0.7, 2.0])
WEIGHTS = np.array([0.3, 0.7])
UNITS = torch.tensor([0.0, 1.0, 3.0, 12.0])


def raw_counts(rows: int) -> Tensor:
    return torch.tensor(np.concatenate([np.log(WEIGHTS), np.log(MEANS), np.log(K)])).expand(rows, 6)


def raw_fractional(rows: int) -> Tensor:
    parts = [np.log(WEIGHTS), np.log(MEANS), np.log(K), [np.log(0.25 / 0.75)]]
    return torch.tensor(np.concatenate(parts)).expand(rows, 7)


def test_the_probability_of_a_count_is_that_of_scipys_negative_binomials() -> None:
    found = count_log_likelihood(raw_counts(4), UNITS.double())
    expected = np.log((WEIGHTS * nbinom.pmf(UNITS[:, None], K, K / (K + MEANS))).sum(axis=1))
    assert_allclose(found, expected, rtol=1e-6)


def test_fractional_demand_has_a_mass_at_zero_and_weibull_densities_above() -> None:
    found = fractional_log_likelihood(raw_fractional(4), UNITS.double())
    density = 0.75 * (WEIGHTS * weibull_min.pdf(UNITS[:, None].clamp(min=1e-9), K, scale=MEANS)).sum(axis=1)
    assert_allclose(found, np.log(np.where(UNITS > 0, density, 0.25)), rtol=1e-5)
