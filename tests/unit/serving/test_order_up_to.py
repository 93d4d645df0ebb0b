"""Random lead times and service: demand of mean 4 and variance 12 a day, L = 5 (80 %) or 25, R = 7."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import nbinom

from infra.contracts.message import Delivery, UnmetDemand
from serving.inventory.order_up_to import (
    MixedLevels,
    Supply,
    level_by_simulation,
    simulate_order_up_to,
)

RUNS, REVIEWS, REVIEW_DAYS, WARM_UP = 96, 350, 7, 50


@pytest.fixture(scope="module")
def demand() -> NDArray[np.int64]:
    rng = np.random.default_rng(1)
    return rng.negative_binomial(2, 1 / 3, (1, RUNS, REVIEWS * REVIEW_DAYS)).astype(np.int64)


@pytest.fixture(scope="module")
def lead_days() -> NDArray[np.int64]:
    return np.where(np.random.default_rng(2).random((1, RUNS, REVIEWS)) < 0.2, 25, 5)


def cycle_service(
    level: int, delivery: Delivery, demand: NDArray[np.int64], lead_days: NDArray[np.int64]
) -> float:
    supply = Supply(delivery, "backordered", REVIEW_DAYS)
    levels = np.full((1, 1, 1), level)
    found = simulate_order_up_to(levels, demand, lead_days, supply, WARM_UP).cycle_service[0]
    return 100 * float(found)


def naive_level(target: float) -> int:
    """The target's quantile of demand over L + R days."""
    units = np.arange(400)
    mixture = 0.8 * nbinom(24, 1 / 3).cdf(units) + 0.2 * nbinom(64, 1 / 3).cdf(units)
    return int(np.searchsorted(mixture, target))


@pytest.mark.parametrize(("delivery", "realised"), [("independent", 98.9), ("fifo", 87.0)])
def test_the_quantile_of_demand_over_a_random_lead_time_misses_ninety_per_cent(
    delivery: Delivery, realised: float, demand: NDArray[np.int64], lead_days: NDArray[np.int64]
) -> None:
    found = cycle_service(naive_level(0.90), delivery, demand, lead_days)

    assert found == pytest.approx(realised, abs=0.7)


@pytest.mark.parametrize("delivery", ["independent", "fifo"])
@pytest.mark.parametrize(("target", "realised"), [(0.80, 80.5), (0.90, 90.5), (0.95, 94.9)])
def test_the_level_found_by_simulating_the_arrivals_hits_its_target(
    delivery: Delivery,
    target: float,
    realised: float,
    demand: NDArray[np.int64],
    lead_days: NDArray[np.int64],
) -> None:
    """Found on half of the runs, checked on the others."""
    half = RUNS // 2

    def service(levels: NDArray[np.int64]) -> NDArray[np.float64]:
        found = cycle_service(int(levels[0]), delivery, demand[:, :half], lead_days[:, :half])
        return np.array([found / 100])

    mixed = level_by_simulation(np.array([target]), service, np.array([20]), np.array([300]))
    found = cycle_service(int(mixed.levels[0]), delivery, demand[:, half:], lead_days[:, half:])
    assert found == pytest.approx(realised, abs=1.5)


def test_with_a_constant_lead_time_the_level_serves_as_the_distribution_says(
    demand: NDArray[np.int64],
) -> None:
    level = int(nbinom(28, 1 / 3).ppf(0.95))
    constant = np.full((1, RUNS, REVIEWS), 7)

    assert cycle_service(level, "fifo", demand, constant) == pytest.approx(95.5, abs=0.6)


@pytest.mark.parametrize(("target", "fill"), [(0.80, 94.4), (0.90, 97.4), (0.95, 98.9)])
def test_a_cycle_service_target_gives_a_higher_fill_rate(
    target: float, fill: float, demand: NDArray[np.int64]
) -> None:
    levels = np.full((1, 1, 1), int(nbinom(28, 1 / 3).ppf(target)))
    constant = np.full((1, RUNS, REVIEWS), 7)

    found = simulate_order_up_to(
        levels, demand, constant, Supply("fifo", "backordered", REVIEW_DAYS), WARM_UP
    )
    assert 100 * found.fill_rate[0] == pytest.approx(fill, abs=0.5)


def one_run(
    level: int, demand: list[int], leads: list[int], delivery: str, unmet: str, review_days: int
) -> tuple[int, int]:
    """Full cycles and units served of one run from the first day, order by order."""
    arrivals: dict[int, int] = {}
    stock, on_order, last, full, served, whole = level, 0, 0, 0, 0, True
    for day, wanted in enumerate(demand):
        came = arrivals.pop(day, 0)
        stock, on_order = stock + came, on_order - came
        sold = min(max(stock, 0), wanted)
        served, whole = served + sold, whole and sold == wanted
        stock -= sold if unmet == "lost" else wanted
        if (day + 1) % review_days == 0:
            full, whole = full + whole, True
            order = max(level - stock - on_order, 0)
            opens = day + 1 + leads[(day + 1) // review_days - 1]
            last = max(opens, last)
            opens = last if delivery == "fifo" else opens
            arrivals[opens] = arrivals.get(opens, 0) + order
            on_order += order
    return full, served


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_simulation_agrees_with_following_each_order(data: st.DataObject) -> None:
    review_days, reviews = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 8))
    days = review_days * reviews
    wanted = data.draw(st.lists(st.integers(0, 9), min_size=days, max_size=days))
    leads = data.draw(st.lists(st.integers(0, 9), min_size=reviews, max_size=reviews))
    level = data.draw(st.integers(0, 40))
    delivery: Delivery = data.draw(st.sampled_from(["independent", "fifo"]))
    unmet: UnmetDemand = data.draw(st.sampled_from(["lost", "backordered"]))

    found = simulate_order_up_to(
        np.full((1, 1, 1), level),
        np.array([[wanted]]),
        np.array([[leads]]),
        Supply(delivery, unmet, review_days),
        0,
    )
    full, served = one_run(level, wanted, leads, delivery, unmet, review_days)
    assert found.cycle_service[0] == pytest.approx(full / reviews)
    assert found.served[0, 0] == served


def test_mixed_levels_use_the_lower_one_in_the_share_of_epochs_that_the_target_leaves() -> None:
    mixed = MixedLevels(np.array([10, 20]), np.array([0.25, 1.0]))
    levels = [mixed.at(0, "sku", epoch) for epoch in range(4000)]

    assert set(levels) == {9, 10}
    assert np.mean(np.array(levels) == 10) == pytest.approx(0.25, abs=0.03)
    assert {mixed.at(1, "sku", epoch) for epoch in range(50)} == {20}
    assert levels == [mixed.at(0, "sku", epoch) for epoch in range(4000)]
