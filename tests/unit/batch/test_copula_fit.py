import numpy as np
import pytest
from scipy.stats import gamma, poisson

from batch.copula_fit import central_coverage, cumulative_sums, fit_copula
from batch.forecaster.sampling import sample_paths
from batch.forecaster.windows import Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS, Copula

N = 20_000
FORECASTS = 120
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


def demand_of(copula: Copula, days: int = 28) -> tuple[Floats, Floats, Flags]:
    """Quantiles of forecasts, demand that the copula made, and all of it exact."""
    daily = np.cumsum(np.random.default_rng(4).exponential(1.0, (1, 1, len(QUANTILE_LEVELS))), axis=2)
    actual = sample_paths(QUANTILE_LEVELS, np.repeat(daily, days, axis=1), copula, [77], FORECASTS)[0]
    return (
        np.broadcast_to(daily, (FORECASTS, days, len(QUANTILE_LEVELS))),
        actual,
        np.ones(actual.shape, np.bool_),
    )


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_the_fitted_copula_is_the_one_that_made_the_demand(level: float) -> None:
    quantiles, actual, exact = demand_of(Copula(level=level, decay=0.0))
    fitted = fit_copula(quantiles, actual, exact, counts=False)
    assert fitted.level == pytest.approx(level, abs=0.1)


def test_sums_of_every_length_count_not_those_of_one_alone() -> None:
    # Days that move together in the first week alone: sums of 7 ask for more dependence than sums of 28.
    quantiles, actual, exact = demand_of(Copula(level=0.3, decay=0.0))
    _, apart, _ = demand_of(Copula(level=0.0, decay=0.0))
    mixed = np.concatenate([actual[:, :7], apart[:, 7:]], axis=1)
    week, month, both = (fit_copula(quantiles, mixed, exact, False, taus) for taus in ((7,), (28,), (7, 28)))
    assert week.level > 2 * month.level
    assert both.level < week.level


def test_a_cut_day_takes_its_sum_out_but_not_shorter_ones() -> None:
    quantiles, actual, exact = demand_of(Copula(level=0.3, decay=0.0))
    exact[:, 20] = False
    cut = np.where(np.arange(28) >= 20, 0.0, actual)
    assert fit_copula(quantiles, cut, exact, False) == fit_copula(quantiles, actual, exact, False, (7, 14))


def test_without_any_exact_sum_there_is_nothing_to_fit() -> None:
    quantiles, actual, exact = demand_of(Copula(level=0.3, decay=0.0))
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_copula(quantiles, actual, ~exact, False)


def test_the_sum_of_one_day_is_that_day() -> None:
    quantiles, _, _ = demand_of(Copula(level=0.0, decay=0.0))
    sums = cumulative_sums(quantiles[:1], Copula(level=0.2, decay=0.3), 40_000, (1, 2))
    assert sums[0, 0, 5:16] == pytest.approx(quantiles[0, 0, 5:16], rel=0.03)
    assert (sums[0, 1] >= sums[0, 0]).all()
