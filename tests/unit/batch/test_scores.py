import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from batch.forecaster.scores import SCORED_LEVELS, interval_coverage, pinball, weighted_quantile_loss
from infra.contracts.demand import QUANTILE_LEVELS


def test_pinball_weighs_a_shortfall_by_the_level_and_an_excess_by_its_rest() -> None:
    loss = pinball(np.array([[10.0], [10.0]]), np.array([14.0, 6.0]), np.array([0.9]))
    assert loss.ravel() == pytest.approx([3.6, 0.4])


def test_the_true_quantile_minimises_the_expected_pinball_loss() -> None:
    def expected(quantile: float) -> float:
        def weighted(y: float) -> float:
            return float(pinball(np.array([quantile]), np.array(y), np.array([0.9]))[0] * norm.pdf(y))

        return float(quad(weighted, -8, 8, points=[quantile])[0])

    best = float(norm.ppf(0.9))
    assert expected(best) < min(expected(best - 0.05), expected(best + 0.05))


def test_wql_of_a_point_forecast_of_zero_is_twice_the_mean_level() -> None:
    actual = np.array([3.0, 5.0])
    zeros = np.zeros((2, len(QUANTILE_LEVELS)))
    assert weighted_quantile_loss(zeros, actual) == pytest.approx(2 * np.mean(SCORED_LEVELS))


def test_a_perfect_forecast_loses_nothing() -> None:
    actual = np.array([3.0, 5.0])
    exact = np.repeat(actual[:, None], len(QUANTILE_LEVELS), axis=1)
    assert weighted_quantile_loss(exact, actual) == 0
    assert interval_coverage(exact, actual) == 1


def test_wql_without_demand_is_refused() -> None:
    with pytest.raises(ValueError, match="without any demand"):
        weighted_quantile_loss(np.zeros((1, len(QUANTILE_LEVELS))), np.zeros(1))


def test_true_quantiles_cover_eighty_percent() -> None:
    actual = norm.ppf((np.arange(1000) + 0.5) / 1000)
    quantiles = np.broadcast_to(norm.ppf(QUANTILE_LEVELS), (1000, len(QUANTILE_LEVELS)))
    assert interval_coverage(quantiles, actual) == pytest.approx(0.8)
