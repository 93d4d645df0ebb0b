"""Oracles: the numbers of negative binomial demand, mean 4 and variance 12 a day, with R = L = 7 days."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nbinom, norm

from serving.inventory.stock_levels import (
    demand_over,
    level_for_cycle_service,
    level_for_fill_rate,
    reorder_point_for_fill_rate,
)

LEAD, REVIEW = 7, 7
DRAWS = 200_000


@pytest.fixture(scope="module")
def demand() -> NDArray[np.float64]:
    return np.random.default_rng(5).negative_binomial(2, 1 / 3, (1, DRAWS, 36)).astype(float)


def covered(days: int) -> Any:
    return nbinom(2 * days, 1 / 3)


def test_cycle_service_is_the_quantile_of_the_sum(demand: NDArray[np.float64]) -> None:
    _, sums = demand_over(demand, np.full((1, 1), LEAD), REVIEW)

    assert level_for_cycle_service(sums, np.array([0.95])) == pytest.approx([79], abs=1)
    assert covered(14).ppf(0.95) == 79
    assert 14 * nbinom(2, 1 / 3).ppf(0.95) == 154  # what summed quantiles would hold


@pytest.mark.parametrize(("days", "service"), [(7, 19.0), (13, 91.6)])
def test_a_level_for_too_few_days_misses_its_target_by_the_known_amount(days: int, service: float) -> None:
    level = covered(days).ppf(0.95)

    assert 100 * covered(14).cdf(level) == pytest.approx(service, abs=0.1)


def test_summed_medians_serve_fifteen_per_cent_of_cycles() -> None:
    assert 14 * nbinom(2, 1 / 3).ppf(0.5) == 42
    assert 100 * covered(14).cdf(42) == pytest.approx(15, abs=0.5)


def test_the_normal_formula_misses_where_lead_times_have_two_peaks() -> None:
    """L = 5 days (80 %) or 25 (20 %), R = 7: the level's cycle service is a mixture of distributions."""

    def service(level: float) -> float:
        return 100 * float(0.8 * covered(12).cdf(level) + 0.2 * covered(32).cdf(level))

    mean, days = 4 * 16, 16
    with_variance = mean + norm.ppf(0.95) * np.sqrt(12 * days + 4**2 * 64)
    without = mean + norm.ppf(0.95) * np.sqrt(12 * days)

    assert service(without) == pytest.approx(80, abs=0.5)
    assert service(with_variance) == pytest.approx(87.7, abs=0.5)


@pytest.mark.parametrize(("cycle_service", "fill"), [(0.80, 94.4), (0.90, 97.4), (0.95, 98.9)])
def test_cycle_service_and_fill_rate_are_different_targets(
    demand: NDArray[np.float64], cycle_service: float, fill: float
) -> None:
    before, sums = demand_over(demand, np.full((1, 1), LEAD), REVIEW)
    level = int(covered(14).ppf(cycle_service))

    enough = level_for_fill_rate(before, sums, np.array([fill / 100 - 0.002]))
    too_little = level_for_fill_rate(before, sums, np.array([fill / 100 + 0.003]))
    assert enough <= level <= too_little


def test_a_drawn_lead_time_is_mixed_into_the_sum(demand: NDArray[np.float64]) -> None:
    lead = np.where(np.arange(DRAWS) % 5 == 0, 25, 5)[None]
    _, sums = demand_over(demand, lead, REVIEW)
    level = level_for_cycle_service(sums, np.array([0.90]))[0]

    assert 0.8 * covered(12).cdf(level) + 0.2 * covered(32).cdf(level) == pytest.approx(0.90, abs=0.004)


def test_the_reorder_point_for_a_fill_rate_is_the_least_that_reaches_it(demand: NDArray[np.float64]) -> None:
    before, _ = demand_over(demand, np.full((1, 1), LEAD), REVIEW)
    quantity = np.array([30])
    point = int(reorder_point_for_fill_rate(before, quantity, np.array([0.97]))[0])

    def fill(level: int) -> float:
        units = np.arange(400)
        chances = covered(LEAD).pmf(units)
        short = np.maximum(units - level, 0) - np.maximum(units - level - 30, 0)
        return 1 - float(chances @ short) / 30

    assert fill(point) >= 0.97 - 0.001
    assert fill(point - 1) < 0.97 + 0.001


def test_targets_are_reached_sku_by_sku() -> None:
    sums = np.stack([np.arange(100.0), 10 * np.arange(100.0)])
    levels = level_for_cycle_service(sums, np.array([0.5, 0.9]))

    assert levels.tolist() == [49, 890]
    before = np.zeros_like(sums)
    assert level_for_fill_rate(before, sums, np.array([1.0, 1.0])).tolist() == [99, 990]
