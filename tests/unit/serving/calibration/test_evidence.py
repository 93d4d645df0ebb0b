from itertools import product

import numpy as np
import pytest

from serving.calibration.evidence import FEWEST_DAYS, LAGS, compare, long_run_variance


def test_the_long_run_variance_is_the_weighted_sum_of_all_pairs_of_days() -> None:
    values = np.random.default_rng(1).normal(2, 3, 30)
    centred = values - values.mean()

    pairs = sum(
        max(1 - abs(a - b) / (LAGS + 1), 0) * centred[a] * centred[b] for a, b in product(range(30), repeat=2)
    )

    assert long_run_variance(values) == pytest.approx(pairs / 30)


def test_equal_models_are_hardly_ever_told_apart() -> None:
    rng = np.random.default_rng(2)
    alarms = [compare(*rng.gamma(2, 5, (2, 28)).tolist()).is_worse for _ in range(1000)]

    assert np.mean(alarms) <= 0.02


def test_a_model_a_fifth_worse_is_found_in_four_weeks_and_its_opposite_never() -> None:
    rng = np.random.default_rng(3)
    fallback = rng.gamma(50, 2, (300, 28))
    model = fallback * 1.2 + rng.normal(0, 10, fallback.shape)

    assert np.mean([compare(a, b).is_worse for a, b in zip(model, fallback, strict=True)]) > 0.95
    assert not any(compare(b, a).is_worse for a, b in zip(model, fallback, strict=True))


def test_a_few_days_are_no_evidence() -> None:
    worse = compare([9.0, 8.0, 9.5] * 4, [1.0] * 12)

    assert worse.days < FEWEST_DAYS
    assert not worse.is_worse


def test_the_same_losses_are_no_evidence_and_a_constant_difference_is() -> None:
    assert not compare([5.0] * 28, [5.0] * 28).is_worse
    assert compare([6.0] * 28, [5.0] * 28).is_worse
