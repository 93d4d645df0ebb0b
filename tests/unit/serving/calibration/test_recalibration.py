import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri

from infra.contracts.demand import QUANTILE_LEVELS
from serving.calibration.recalibration import (
    LEVELS,
    MAX_SHIFT,
    OWN_RATE,
    Floats,
    own_excess,
    own_shift,
    recalibrated,
    shared_rate,
    shared_shift,
    shifts_by_day,
)

SCORES = ndtri(LEVELS)
UNITS = st.lists(st.floats(0, 1e6), min_size=21, max_size=21).map(sorted)
SHIFTS = st.lists(st.floats(-MAX_SHIFT, MAX_SHIFT), min_size=21, max_size=21)


@given(UNITS, SHIFTS)
def test_recalibrated_quantiles_are_finite_ascend_and_are_not_negative(
    units: list[float], shifts: list[float]
) -> None:
    made = recalibrated(np.array(units), np.array(shifts))

    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert (np.diff(made) >= 0).all()


@given(UNITS)
def test_without_evidence_not_a_bit_changes(units: list[float]) -> None:
    before = np.array(units)

    assert recalibrated(before, np.zeros(21)).tobytes() == before.tobytes()
    assert own_shift(np.zeros((2, 21)), np.zeros(2)).tobytes() == np.zeros((2, 21)).tobytes()


def test_a_normal_forecast_is_moved_by_exactly_the_shift() -> None:
    made = recalibrated(100 + 10 * SCORES, np.full(21, 0.25))

    assert_allclose(made, 100 + 10 * (SCORES + 0.25))


def test_closed_days_stay_without_demand() -> None:
    assert_array_equal(recalibrated(np.zeros((28, 21)), np.full((28, 21), 2.0)), np.zeros((28, 21)))


def test_days_between_are_interpolated() -> None:
    at_anchors = np.array([0.0, 0.6, 1.3, -0.1])[None, :, None] * np.ones((2, 1, 21))

    made = shifts_by_day(at_anchors, (1, 7, 14, 28), 30)

    assert_allclose(made[1, [0, 1, 6, 13, 20, 27, 29], 4], [0.0, 0.1, 0.6, 1.3, 0.6, -0.1, -0.1], atol=1e-12)


def coverage_errors(own_scores: list[float]) -> Floats:
    """Share above the published quantile minus 1 - p, per level, when one SKU's own scores come in turn."""
    shift, above = np.zeros(21), np.zeros(21)
    for own_score in own_scores:
        exceeded = own_score > SCORES + shift
        above += exceeded
        shift = shared_shift(shift, exceeded.astype(np.float64), series=1, horizon_days=1)
    return np.abs(above / len(own_scores) - (1 - LEVELS))


@pytest.mark.parametrize("steps", [400, 4000])
@pytest.mark.parametrize("kind", ["alternating", "biased", "drifting"])
def test_coverage_converges_by_the_finite_sample_bound_whatever_comes(kind: str, steps: int) -> None:
    bound = 1.5
    time = np.arange(steps)
    own_scores = {
        "alternating": np.where(time // 100 % 2, bound, -bound),
        "biased": np.random.default_rng(1).uniform(0.5, bound, steps),
        "drifting": bound * np.sin(time / 90),
    }[kind]
    # levels that a shift of at most MAX_SHIFT can bring beyond every score
    reachable = np.abs(SCORES) + bound + shared_rate(1, 1) <= MAX_SHIFT
    rate = shared_rate(1, 1)
    limit = (np.abs(SCORES) + bound + rate) / (rate * steps)

    errors = coverage_errors(own_scores.tolist())

    assert reachable.sum() >= 11
    assert (errors <= limit)[reachable].all()
    if steps == 4000:
        assert errors[reachable].max() < 0.05


def test_a_forecast_that_is_too_narrow_and_low_comes_to_cover_what_it_says() -> None:
    """Real quantiles, real demand: N(100, 10) is forecast, N(112, 15) happens (simulated)."""
    rng = np.random.default_rng(2)
    demand = rng.normal(112, 15, (2000, 40))
    quantiles = 100 + 10 * SCORES
    shift, outside = np.zeros(21), []
    for day in demand:
        published = recalibrated(quantiles, shift)
        above = (day[:, None] > published).sum(axis=0).astype(np.float64)
        shift = shared_shift(shift, above, len(day), horizon_days=1)
        outside.append(above / len(day))

    before = (demand[:, :, None] > quantiles).mean(axis=(0, 1)) - (1 - LEVELS)
    after = np.mean(outside[200:], axis=0) - (1 - LEVELS)

    assert np.abs(before).max() > 0.3
    assert np.abs(after).max() < 0.01


def test_a_sku_moves_on_its_own_only_beyond_what_chance_explains() -> None:
    median = QUANTILE_LEVELS.index(0.5)
    excess = np.zeros(21)
    for pit in [0.6, 0.4] * 50:
        excess = own_excess(excess, pit)
    assert own_shift(excess, np.array(100.0))[median] == 0.0

    for pit in [0.9] * 20:
        excess = own_excess(excess, pit)
    # 10 exceedances beyond the expected 60 of 120, 5.477 of which are chance
    assert own_shift(excess, np.array(120.0))[median] == pytest.approx(OWN_RATE * (10 - np.sqrt(30)))
