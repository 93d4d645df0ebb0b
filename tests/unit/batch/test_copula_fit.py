import numpy as np
import pytest
from scipy.stats import gamma, poisson

from batch.copula_fit import central_coverage
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS

N = 20_000
RNG = np.random.default_rng(5)


def everywhere(quantiles: Floats) -> Floats:
    return np.broadcast_to(quantiles, (N, len(QUANTILE_LEVELS)))


def test_true_quantiles_of_fractional_demand_cover_80_percent() -> None:
    quantiles = everywhere(gamma.ppf(QUANTILE_LEVELS, 2.0))
    assert central_coverage(quantiles, RNG.gamma(2.0, 1.0, N), counts=False) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("mean", [8.0, 40.0])
def test_true_quantiles_of_counts_cover_80_percent_though_many_fall_on_the_bounds(mean: float) -> None:
    # Quantiles of a count that is spread over its stretch, as sums of interpolated paths are.
    spread = np.quantile(RNG.poisson(mean, 200_000) + RNG.random(200_000) - 0.5, QUANTILE_LEVELS)
    quantiles = everywhere(np.maximum(spread, 0.0))
    actual = RNG.poisson(mean, N).astype(np.float64)
    assert central_coverage(quantiles, actual, counts=True) == pytest.approx(0.8, abs=0.01)
    inclusive = np.mean((poisson.ppf(0.1, mean) <= actual) & (actual <= poisson.ppf(0.9, mean)))
    assert inclusive > 0.82


def test_too_narrow_quantiles_cover_less() -> None:
    narrow = 4.0 + 0.5 * (poisson.ppf(QUANTILE_LEVELS, 4.0) - 4.0)
    assert central_coverage(everywhere(narrow), RNG.poisson(4.0, N).astype(float), counts=True) < 0.65
