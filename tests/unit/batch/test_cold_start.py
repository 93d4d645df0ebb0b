"""Items that hardly sold yet: what is forecast for them, and what it learns from each day."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import nbinom, weibull_min

from batch.forecaster.cold_start import OFFSETS, ColdStart, DayDistribution
from batch.forecaster.cold_start_file import FILE, read_cold_start, write_cold_start
from batch.forecaster.cold_start_fit import fit_cold_start
from batch.forecaster.errors import ModelRejected
from batch.forecaster.items import NUMBERS, Items, fit_item_factors, no_factors, no_items, ridge
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import check_quantiles
from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts.demand import QUANTILE_LEVELS
from infra.errors import StockstreamError

DAYS, LOCATION = 120, "main"
FIRST_DAY = date(2024, 1, 1)
CATEGORIES = {"food:fruit": 2.5, "food:bread": 1.0, "toys": -0.5}
SPREAD, DISPERSION = 0.6, 3.0
LOW, HIGH = QUANTILE_LEVELS.index(0.1), QUANTILE_LEVELS.index(0.9)
MEDIAN = QUANTILE_LEVELS.index(0.5)


def categories(count: int) -> tuple[str, ...]:
    return tuple(list(CATEGORIES)[number % len(CATEGORIES)] for number in range(count))


def catalogue(sku: list[str], of: tuple[str, ...]) -> Items:
    return Items(tuple(sku), of, ("s",) * len(sku), np.full((len(sku), len(NUMBERS)), np.nan))


def sales(rng: np.random.Generator, of: tuple[str, ...], days: int, counts: bool = True) -> Floats:
    """Levels drawn around their category's; days negative binomial or Weibull around the level."""
    level = np.exp(np.array([CATEGORIES[name] for name in of]) + SPREAD * rng.standard_normal(len(of)))
    shape = (len(of), days)
    if counts:
        rate = level[:, None] * rng.gamma(DISPERSION, 1 / DISPERSION, shape)
        sold: Floats = rng.poisson(rate).astype(float)
        return sold
    drawn: Floats = level[:, None] * rng.weibull(2.0, shape)
    return drawn


def panel(units: Floats, sku: list[str]) -> DemandPanel:
    flags = np.ones(units.shape, dtype=np.bool_)
    series = tuple((name, LOCATION) for name in sku)
    return DemandPanel(series, FIRST_DAY, units, flags, flags, flags, "0" * 64)


@cache
def learned(counts: bool = True) -> ColdStart:
    items = 480
    of = categories(items)
    sku = [f"old-{number:03}" for number in range(items)]
    units = sales(np.random.default_rng(1), of, DAYS, counts)
    return fit_cold_start(panel(units, sku), catalogue(sku, of), no_factors())


@pytest.fixture(scope="module")
def cold() -> ColdStart:
    return learned()


def window(units: Floats, horizon: int = 7) -> DemandWindow:
    flags = np.ones(units.shape, dtype=np.bool_)
    return DemandWindow(FIRST_DAY, units, flags, flags, np.ones((len(units), horizon), dtype=np.bool_))


def forecast(cold: ColdStart, units: Floats, of: tuple[str, ...]) -> Floats:
    sku = [f"new-{number}" for number in range(len(of))]
    return cold.forecast(window(units), catalogue(sku, of), [LOCATION] * len(of))[0]


@pytest.mark.parametrize("counts", [True, False])
def test_an_item_without_a_single_sale_gets_a_finite_wide_distribution(counts: bool) -> None:
    of = (*CATEGORIES, "none", "food", "garden:hoses")

    made = forecast(learned(counts), np.zeros((len(of), 0)), of)

    for each in made:
        check_quantiles(each)
    assert (made[:, :, HIGH] > 1.5 * made[:, :, MEDIAN]).all()
    assert (made[:, :, HIGH] > 0).all()


def test_a_new_item_sells_what_its_category_sells(cold: ColdStart) -> None:
    fruit, bread, toys = forecast(cold, np.zeros((3, 0)), tuple(CATEGORIES))[:, 0, MEDIAN]

    assert fruit > 2 * bread > 4 * toys
    assert fruit == pytest.approx(np.exp(CATEGORIES["food:fruit"]), rel=0.25)


def test_a_category_that_nobody_knows_counts_as_the_one_above_it(cold: ColdStart) -> None:
    unknown, above, other = forecast(cold, np.zeros((3, 0)), ("food:fish", "food", "drinks"))
    (everything,) = forecast(cold, np.zeros((1, 0)), ("",))

    np.testing.assert_array_equal(unknown, above)
    np.testing.assert_array_equal(other, everything)
    assert unknown[0, MEDIAN] > other[0, MEDIAN]


@pytest.mark.parametrize(("counts", "days"), [(True, 0), (True, 1), (True, 10), (False, 0), (False, 10)])
def test_new_items_sell_within_their_quantiles_as_often_as_these_say_from_the_first_day_on(
    counts: bool, days: int
) -> None:
    of = categories(900)
    units = sales(np.random.default_rng(2), of, days + 1, counts)
    made = forecast(learned(counts), units[:, :days], of)[:, 0]

    for knot in (LOW, MEDIAN, HIGH):
        level, quantile, actual = QUANTILE_LEVELS[knot], made[:, knot], units[:, days]
        assert (actual < quantile).mean() <= level + 0.045
        assert (actual <= quantile).mean() >= level - 0.045


def test_each_day_brings_the_forecast_nearer_to_what_the_item_sells(cold: ColdStart) -> None:
    of = categories(300)
    units = sales(np.random.default_rng(4), of, 60)
    level = units[:, 30:].mean(axis=1)
    medians = [forecast(cold, units[:, :days], of)[:, 0] for days in (0, 1, 4, 14)]

    misses = [float(np.abs(np.log((each[:, MEDIAN] + 0.5) / (level + 0.5))).mean()) for each in medians]
    widths = [float((each[:, HIGH] - each[:, LOW]).mean()) for each in medians]

    assert misses == sorted(misses, reverse=True)
    assert widths == sorted(widths, reverse=True)
    assert misses[-1] < 0.65 * misses[0]


def test_sums_are_as_uncertain_as_the_level_that_all_days_share(cold: ColdStart) -> None:
    of = categories(600)
    units = sales(np.random.default_rng(5), of, 7)
    sku = [f"new-{number}" for number in range(len(of))]
    made, copulas = cold.forecast(window(np.zeros((len(of), 0))), catalogue(sku, of), [LOCATION] * len(of))
    paths = [
        sample_paths(QUANTILE_LEVELS, each[None], copula, [row], 400)
        for row, (each, copula) in enumerate(zip(made, copulas, strict=True))
    ]
    sums = cumulative_quantiles(np.concatenate(paths), QUANTILE_LEVELS)[:, -1]

    actual = units.sum(axis=1)

    inside = float(((sums[:, LOW] <= actual) & (actual <= sums[:, HIGH])).mean())
    assert 0.78 <= inside <= 0.93


def test_days_share_less_of_their_variance_the_better_the_level_is_known(cold: ColdStart) -> None:
    units = sales(np.random.default_rng(6), ("food:fruit",), 20)

    def shared(days: int) -> float:
        seen = window(units[:, :days])
        (copula,) = cold.forecast(seen, catalogue(["new"], ("food:fruit",)), [LOCATION])[1]
        return copula.level

    assert shared(0) > shared(3) > shared(20)


def test_a_day_with_a_stock_out_says_nothing(cold: ColdStart) -> None:
    units = np.array([[12.0, 0.0, 9.0]])
    known = np.array([[True, False, True]])
    cut = replace(window(units), observed=known)
    without = replace(window(np.array([[12.0, 500.0, 9.0]])), observed=known)

    item = catalogue(["new"], ("food:fruit",))

    np.testing.assert_array_equal(
        cold.forecast(cut, item, [LOCATION])[0], cold.forecast(without, item, [LOCATION])[0]
    )


def test_closed_days_have_no_demand(cold: ColdStart) -> None:
    closed = replace(window(np.zeros((1, 0)), 3), future_open=np.array([[True, False, True]]))

    made = cold.forecast(closed, catalogue(["new"], ("toys",)), [LOCATION])[0]

    assert (made[0].sum(axis=1) > 0).tolist() == [True, False, True]


def test_an_item_is_forecast_the_same_alone_and_among_others(cold: ColdStart) -> None:
    of = categories(40)
    units = sales(np.random.default_rng(7), of, 5)

    together = forecast(cold, units, of)

    for row in (0, 17, 39):
        np.testing.assert_array_equal(together[row], forecast(cold, units[[row]], (of[row],))[0])


def test_the_likelihood_of_a_day_is_that_of_its_distribution() -> None:
    ones = np.ones(2)
    level, index = np.log(np.array([[0.5, 4.0]])), np.array([0.3])
    mean = np.exp(level + index[:, None])
    counts = DayDistribution(True, np.array([-1.0, 1.0]), np.log(3.0) * ones, 0.1 * ones, 0 * ones, ones)
    parts = DayDistribution(False, np.array([-1.0, 1.0]), 0 * ones, 0.2 * ones, 0.1 * ones, 1.7 * ones)

    made = counts.log_likelihood(level, index, np.array([5.0]))
    np.testing.assert_allclose(made, nbinom.logpmf(5, 3.0, 3.0 / (3.0 + mean)))

    made = parts.log_likelihood(level, index, np.array([0.7]))
    # per unit of log demand: the factor 0.7 does not depend on the level
    density = 0.8 * 0.7 * weibull_min.pdf(0.7, 1.7, scale=mean * np.exp(0.1))
    np.testing.assert_allclose(made, np.log(density))
    np.testing.assert_allclose(parts.log_likelihood(level, index, np.zeros(1)), np.log([[0.2, 0.2]]))


def test_a_busy_location_sells_more_of_a_new_item_too() -> None:
    rng = np.random.default_rng(8)
    of = categories(60)
    sku = [f"old-{number:02}" for number in range(60)]
    busy = sales(rng, of, DAYS)
    units = np.concatenate([busy, rng.binomial(busy.astype(int), 0.25).astype(float)])
    flags = np.ones(units.shape, dtype=np.bool_)
    series = tuple((name, place) for place in ("busy", "calm") for name in sku)
    both = DemandPanel(series, FIRST_DAY, units, flags, flags, flags, "0" * 64)
    cold = fit_cold_start(both, catalogue(sku, of), no_factors())

    made = cold.forecast(
        window(np.zeros((2, 0))), catalogue(["a", "b"], ("food:fruit",) * 2), ["busy", "calm"]
    )[0]

    assert made[0, 0, MEDIAN] / made[1, 0, MEDIAN] == pytest.approx(4.0, rel=0.3)


def test_dear_items_sell_less_where_the_shop_shows_it() -> None:
    rng = np.random.default_rng(9)
    price = np.exp(rng.uniform(0, 3, 200))
    units = rng.poisson(40 / price[:, None], (200, DAYS)).astype(float)
    sku = [f"old-{number:03}" for number in range(200)]
    numbers = np.stack([price, np.full(200, np.nan)], axis=1)
    known = Items(tuple(sku), ("none",) * 200, ("s",) * 200, numbers)
    cold = fit_cold_start(panel(units, sku), known, no_factors())
    new = Items(("cheap", "dear"), ("none",) * 2, ("s",) * 2, np.array([[2.0, np.nan], [16.0, np.nan]]))

    made = cold.forecast(window(np.zeros((2, 0))), new, [LOCATION] * 2)[0]

    assert made[:, 0, MEDIAN] == pytest.approx([20, 2.5], rel=0.2, abs=1)


def test_a_panel_without_sales_teaches_nothing() -> None:
    with pytest.raises(StockstreamError, match="none to learn from"):
        fit_cold_start(panel(np.zeros((2, DAYS)), ["a", "b"]), no_items(), no_factors())


def test_what_was_written_forecasts_the_same_and_what_was_damaged_is_refused(
    cold: ColdStart, tmp_path: Path
) -> None:
    assert read_cold_start(tmp_path) is None
    assert write_cold_start(tmp_path, cold) == write_cold_start(tmp_path, cold)
    read = read_cold_start(tmp_path)
    assert read is not None
    units = np.full((3, 2), 4.0)
    np.testing.assert_array_equal(
        forecast(read, units, tuple(CATEGORIES)), forecast(cold, units, tuple(CATEGORIES))
    )

    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-8])
    with pytest.raises(ModelRejected, match="cannot be read"):
        read_cold_start(tmp_path)
    write_cold_start(tmp_path, replace(cold, prior=np.full((len(cold.categories), len(OFFSETS)), np.nan)))
    with pytest.raises(ModelRejected, match="prior has a value that is not finite"):
        read_cold_start(tmp_path)


def test_attributes_map_to_the_factors_of_items_alike() -> None:
    of = categories(60)
    sku = [f"old-{number:02}" for number in range(60)]
    centre = {"food:fruit": (1.0, 0.0), "food:bread": (0.0, 1.0), "toys": (-1.0, -1.0)}
    factors = np.array([centre[name] for name in of]) + 0.05 * np.random.default_rng(10).standard_normal(
        (60, 2)
    )
    mapped = fit_item_factors(catalogue(sku, of), sku, factors)

    new = mapped.of(catalogue(["n1", "n2", sku[5]], ("toys", "food:bread", of[5])))

    np.testing.assert_allclose(new[:2], [centre["toys"], centre["food:bread"]], atol=0.15)
    np.testing.assert_array_equal(new[2], factors[5])


def test_left_out_errors_are_those_of_a_fit_without_the_item() -> None:
    rng = np.random.default_rng(11)
    design = np.concatenate([np.ones((12, 1)), rng.standard_normal((12, 2))], axis=1)
    target = design @ np.array([[1.0], [2.0], [-1.0]]) + 0.1 * rng.standard_normal((12, 1))
    coefficients, left_out = ridge(design, target, np.ones(12))

    penalty = np.diag([1e-9, 1.0, 1.0])  # the least penalty wins where the targets are linear
    np.testing.assert_allclose(coefficients, np.linalg.solve(design.T @ design + penalty, design.T @ target))
    for row in range(12):
        rest = np.delete(design, row, axis=0)
        other = np.linalg.solve(rest.T @ rest + penalty, rest.T @ np.delete(target, row, axis=0))
        np.testing.assert_allclose(left_out[row], target[row] - design[row] @ other, rtol=1e-6)
