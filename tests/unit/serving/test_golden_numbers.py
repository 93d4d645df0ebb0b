"""The golden numbers of inventory theory, and what learning from one's own sales does."""

import pytest

from tests.benchmarks.inventory import golden_numbers as golden
from tests.benchmarks.inventory.own_sales import held_after_reviews


def test_sums_of_daily_quantiles_are_no_quantiles_of_sums() -> None:
    for gold, found in golden.levels().values():
        assert found == gold


def test_a_level_that_covers_too_few_days_gives_the_service_that_theory_says() -> None:
    """One day too short is 91.6 %; the others are the golden percentages to half a point."""
    found = golden.cycle_services()

    assert found.pop("one_day_short")[1] == pytest.approx(91.58, abs=0.01)
    for gold, value in found.values():
        assert value == pytest.approx(gold, abs=0.5)


def test_cycle_service_is_not_fill_rate() -> None:
    for gold, value in golden.fill_rates().values():
        assert value == pytest.approx(gold, abs=0.5)


@pytest.mark.parametrize(("ratio", "gold"), list(zip(golden.RATIOS, golden.NAIVE, strict=True)))
def test_a_planner_that_takes_sales_for_demand_spirals_down(ratio: float, gold: float) -> None:
    first, last = (golden.learnt_level(golden.from_sales, ratio, weeks) for weeks in (1, 60))

    assert last == pytest.approx(gold, abs=0.5)
    assert last < first - 2


@pytest.mark.parametrize(("ratio", "gold"), list(zip(golden.RATIOS, golden.CORRECTED, strict=True)))
def test_sold_out_weeks_as_lower_bounds_restore_the_level(ratio: float, gold: float) -> None:
    assert golden.learnt_level(golden.by_maximum_likelihood, ratio, shops=300) == pytest.approx(gold, abs=0.7)


@pytest.mark.parametrize(("ratio", "naive"), [(0.5, 19.2), (0.9, 35.5)])
def test_the_policy_in_production_does_not_spiral_down_on_its_own_sales(ratio: float, naive: float) -> None:
    held = held_after_reviews(ratio, shops=12, paths=200)
    first, last = held[:, :20].mean(), held[:, -20:].mean()

    assert last >= 0.93 * first
    assert last > naive + 2
