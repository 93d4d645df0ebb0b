import numpy as np
import pytest
from numpy.testing import assert_array_equal

from batch.forecaster.segmentation import abc_classes, demand_classes, segments, xyz_classes


def daily(*rows: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([3, 3, 4, 3], "smooth"),
        ([9, 1, 12, 1], "erratic"),
        ([0, 0, 4, 4], "intermittent"),
        ([0, 0, 1, 9], "lumpy"),
        ([0, 0, 0, 0], "none"),
    ],
)
def test_interval_and_size_decide_the_kind_of_demand(days: list[float], expected: str) -> None:
    units = daily(days)
    assert demand_classes(units, units >= 0).tolist() == [expected]


def test_the_cut_of_the_interval_itself_is_already_intermittent() -> None:
    units = daily([1.0] * 25 + [0.0] * 8)  # 33 / 25 = 1.32
    assert demand_classes(units, units >= 0).tolist() == ["intermittent"]
    assert demand_classes(units[:, :-1], units[:, :-1] >= 0).tolist() == ["smooth"]


def test_days_out_of_stock_do_not_make_demand_intermittent() -> None:
    units = daily([5, 0, 5, 0, 5, 0])
    in_stock = units > 0
    assert demand_classes(units, in_stock).tolist() == ["smooth"]


def test_a_holds_the_first_eighty_percent_of_the_value() -> None:
    assert abc_classes(np.array([6.0, 50, 30, 10, 4, 0])).tolist() == ["B", "A", "A", "B", "C", "C"]


def test_classes_do_not_depend_on_the_order_of_the_series() -> None:
    value = np.random.default_rng(1).lognormal(1, 2, 40)
    order = np.random.default_rng(2).permutation(40)
    assert_array_equal(abc_classes(value)[order], abc_classes(value[order]))


def test_xyz_is_the_variation_of_weeks() -> None:
    steady, seasonal, rare = [2.0] * 28, ([0.0] * 7 + [3.0] * 7) * 2, [0.0] * 27 + [9.0]
    units = daily(steady, seasonal, rare)
    assert xyz_classes(units, units >= 0).tolist() == ["X", "Y", "Z"]


def test_a_segment_joins_the_three() -> None:
    units = daily([2.0] * 28, [0.0] * 27 + [1.0])
    assert segments(units, units >= 0, units.sum(axis=1)).tolist() == ["A/X/smooth", "C/Z/intermittent"]
