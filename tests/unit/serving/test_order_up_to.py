"""Random lead times and service: demand of mean 4 and variance 12 a day, L = 5 (80 %) or 25, R = 7."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import nbinom

from infra.contracts.message import Delivery, UnmetDemand
from serving.inventory.order_up_to import (
    LeadTimes,
    RealisedService,
    Supply,
    level_by_simulation,
    simulate_order_up_to,
    simulated_levels,
    warm_up_reviews,
    whole_level,
)

RUNS, REVIEWS, REVIEW_DAYS, WARM_UP = 96, 350, 7, 50


@pytest.fixture(scope="module")
def demand() -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    return rng.negative_binomial(2, 1 / 3, (1, RUNS, REVIEWS * REVIEW_DAYS)).astype(float)


@pytest.fixture(scope="module")
def lead_days() -> NDArray[np.int64]:
    return np.where(np.random.default_rng(2).random((1, RUNS, REVIEWS)) < 0.2, 25, 5)


def cycle_service(
    level: int, delivery: Delivery, demand: NDArray[np.float64], lead_days: NDArray[np.int64]
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
    delivery: Delivery, realised: float, demand: NDArray[np.float64], lead_days: NDArray[np.int64]
) -> None:
    found = cycle_service(naive_level(0.90), delivery, demand, lead_days)

    assert found == pytest.approx(realised, abs=0.7)


def served_between(
    level: float, delivery: Delivery, demand: NDArray[np.float64], lead_days: NDArray[np.int64]
) -> float:
    """Cycle service of a level between two whole ones."""
    low, share = int(level), level % 1
    below, above = (cycle_service(each, delivery, demand, lead_days) for each in (low, low + 1))
    return (1 - share) * below + share * above


def found_level(
    target: float, delivery: Delivery, receipts: tuple[int, int] = (80_000, 20_000), days: int = 35
) -> float:
    """What the product finds from paths and receipts."""
    rng = np.random.default_rng(3)
    paths = rng.negative_binomial(2, 1 / 3, (1, 2000, days)).astype(float)
    lead_times = [LeadTimes(np.array([5, 25]), np.array(receipts), "decision")]
    supply = Supply(delivery, "backordered", REVIEW_DAYS)
    warm_up = warm_up_reviews(25, REVIEW_DAYS)
    return float(simulated_levels(paths, lead_times, supply, warm_up, np.array([target]), by_cycle)[0])


def by_cycle(found: RealisedService) -> NDArray[np.float64]:
    return found.cycle_service


def by_unit(found: RealisedService) -> NDArray[np.float64]:
    return found.fill_rate


@pytest.mark.parametrize("delivery", ["independent", "fifo"])
@pytest.mark.parametrize("target", [0.80, 0.90, 0.95])
def test_the_level_found_by_simulating_the_arrivals_hits_its_target(
    delivery: Delivery, target: float, demand: NDArray[np.float64], lead_days: NDArray[np.int64]
) -> None:
    level = found_level(target, delivery)

    assert served_between(level, delivery, demand, lead_days) == pytest.approx(100 * target, abs=1.5)


@pytest.mark.parametrize("delivery", ["independent", "fifo"])
def test_what_few_receipts_leave_open_costs_stock(delivery: Delivery) -> None:
    few, many, known = (
        found_level(0.95, delivery, receipts) for receipts in ((8, 2), (800, 200), (80_000, 20_000))
    )

    assert few > many + 1
    assert many == pytest.approx(known, abs=1)


@pytest.mark.parametrize("service", [by_cycle, by_unit])
def test_what_is_never_asked_for_needs_no_stock(
    service: Callable[[RealisedService], NDArray[np.float64]],
) -> None:
    lead_times = [LeadTimes(np.array([0, 3]), np.array([4, 1]), "decision")]
    supply = Supply("fifo", "lost", REVIEW_DAYS)

    levels = simulated_levels(np.zeros((1, 20, 28)), lead_times, supply, 2, np.array([0.9]), service)
    assert -1 <= levels[0] <= 0


def test_with_a_constant_lead_time_the_level_serves_as_the_distribution_says(
    demand: NDArray[np.float64],
) -> None:
    level = int(nbinom(28, 1 / 3).ppf(0.95))
    constant = np.full((1, RUNS, REVIEWS), 7)

    assert cycle_service(level, "fifo", demand, constant) == pytest.approx(95.5, abs=0.6)


@pytest.mark.parametrize(("target", "fill"), [(0.80, 94.4), (0.90, 97.4), (0.95, 98.9)])
def test_a_cycle_service_target_gives_a_higher_fill_rate(
    target: float, fill: float, demand: NDArray[np.float64]
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
    passes = data.draw(st.sampled_from([n for n in (1, 2, 3) if reviews % n == 0]))
    once = data.draw(st.lists(st.integers(0, 9), min_size=days // passes, max_size=days // passes))
    leads = data.draw(st.lists(st.integers(0, 9), min_size=reviews, max_size=reviews))
    level = data.draw(st.integers(0, 40))
    delivery: Delivery = data.draw(st.sampled_from(["independent", "fifo"]))
    unmet: UnmetDemand = data.draw(st.sampled_from(["lost", "backordered"]))

    found = simulate_order_up_to(
        np.full((1, 1, 1), level),
        np.array([[once]], dtype=float),
        np.array([[leads]]),
        Supply(delivery, unmet, review_days),
        0,
    )
    full, served = one_run(level, passes * once, leads, delivery, unmet, review_days)
    assert found.cycle_service[0] == pytest.approx(full / reviews)
    assert found.served[0, 0] == served


@given(st.lists(st.integers(0, 500), min_size=1, max_size=5), st.floats(0.01, 0.99))
def test_the_level_lies_between_the_first_that_suffices_and_the_one_below(
    enough: list[int], target: float
) -> None:
    """Service jumps from half the target to the middle between target and 1."""
    least = np.array(enough)

    def service(levels: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(levels >= least, (1 + target) / 2, target / 2)

    found = level_by_simulation(np.full(len(least), target), service, np.full(len(least), 600))
    assert (np.ceil(found) == least).all()
    alone = level_by_simulation(np.array([target]), lambda level: service(level)[:1], np.array([600]))
    assert found[0] == alone[0]


def test_a_level_between_two_whole_ones_is_met_on_average_over_epochs() -> None:
    levels = [whole_level(9.25, "sku", epoch) for epoch in range(4000)]

    assert set(levels) == {9, 10}
    assert np.mean(levels) == pytest.approx(9.25, abs=0.03)
    assert {whole_level(20.0, "sku", epoch) for epoch in range(50)} == {20}
    assert levels == [whole_level(9.25, "sku", epoch) for epoch in range(4000)]
