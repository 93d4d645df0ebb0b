import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from batch.forecaster.panel import USUAL_PRICE_DAYS, last_known, latest_relative_price, relative_price
from batch.forecaster.price_plan import day_promotion, days_as_known, planned_days
from infra.contracts.message import Money
from infra.contracts.shop import PlannedPrice, PricePlan, Promotion

DAY = 86_400_000
BOUNDS = np.arange(5) * DAY


def money(amount: str) -> Money:
    return Money(amount=amount, currency="GBP")


def plan(*prices: tuple[float, str, str | None], known_day: float = 0) -> PricePlan:
    """Prices by the day that they start on."""
    return PricePlan(
        event_id="p",
        event_time_ms=round(known_day * DAY),
        sku="A",
        location="shop",
        prices=[
            PlannedPrice(starts_ms=round(day * DAY), price=money(amount), promotion_id=promotion)
            for day, amount, promotion in prices
        ],
    )


def test_a_price_holds_until_the_plans_next_one_and_the_last_for_ever() -> None:
    found = planned_days(plan((1, "2.00", None), (2, "1.50", "spring"), (3, "2.10", None)), BOUNDS)

    assert_array_equal(found.price, [np.nan, 2.0, 1.5, 2.1])
    assert_array_equal(found.promotion, [0, 0, 1, 0])


def test_a_day_with_two_prices_has_their_mean_by_time_and_the_share_under_promotion() -> None:
    found = planned_days(plan((0.5, "2.00", None), (1.75, "1.00", "spring")), BOUNDS)

    assert_array_equal(found.price, [2.0, 1.75, 1.0, 1.0])
    assert_array_equal(found.promotion, [0, 0.25, 1, 1])


def test_a_promotion_alone_says_when_and_nothing_of_the_price_outside_of_it() -> None:
    promotion = Promotion(
        event_id="p", event_time_ms=0, sku="A", location="shop", promotion_id="spring",
        starts_ms=DAY // 2, ends_ms=2 * DAY, price=money("1.00"),
    )  # fmt: skip
    found = planned_days(promotion, BOUNDS)

    assert_array_equal(found.promotion, [0.5, 1, 0, 0])
    assert np.isnan(found.price).all()


def test_no_plan_says_nothing() -> None:
    found = planned_days(None, BOUNDS)

    assert np.isnan(found.price).all()
    assert not found.promotion.any()


def test_every_day_counts_as_it_was_known_at_its_end() -> None:
    early, late = plan((0, "2.00", None)), plan((0, "1.00", "spring"), known_day=2)
    just_after = plan((0, "9.00", "spring"), known_day=3 + 1e-7)

    found = days_as_known([(each.event_time_ms, each) for each in (early, late, just_after)], BOUNDS)

    assert_array_equal(found.price, [2, 1, 1, 9])
    assert_array_equal(found.promotion, [0, 1, 1, 1])


def test_a_promotion_that_customers_met_counts_though_nobody_planned_it() -> None:
    assert_array_equal(day_promotion(np.array([0.0, 0.25, 0.25]), np.array([1.0, 0.0, 1.0])), [1, 0.25, 1])


starts = st.lists(st.integers(0, 4 * 24), min_size=1, max_size=8, unique=True).map(sorted)
amounts = st.decimals("0.01", "99", places=2).map(str)


@given(starts, st.data())
def test_the_mean_price_of_a_day_is_that_of_its_hours(hours: list[int], data: st.DataObject) -> None:
    entries = [(hour / 24, data.draw(amounts), data.draw(st.sampled_from([None, "x"]))) for hour in hours]
    by_hour, promoted = np.full(4 * 24, np.nan), np.zeros(4 * 24)
    for day, amount, promotion in entries:
        by_hour[round(day * 24) :], promoted[round(day * 24) :] = float(amount), promotion is not None

    found = planned_days(plan(*entries), BOUNDS)

    known = ~np.isnan(by_hour).reshape(4, 24)
    total = np.where(known, by_hour.reshape(4, 24), 0).sum(axis=1)
    expected = np.divide(total, known.sum(axis=1), out=np.full(4, np.nan), where=known.any(axis=1))
    assert_allclose(found.price, expected, rtol=1e-12)
    assert_allclose(found.promotion, promoted.reshape(4, 24).mean(axis=1), atol=1e-12)


@given(st.lists(st.sampled_from([np.nan, 1.0, 1.5, 2.0, 2.75]), min_size=1, max_size=90))
def test_one_day_after_the_other_gives_the_relative_prices_of_the_whole_history(prices: list[float]) -> None:
    whole = relative_price(np.array([prices]))[0]
    padded = np.concatenate([np.full(USUAL_PRICE_DAYS, np.nan), last_known(np.array([prices]))[0]])

    daily = [
        latest_relative_price(padded[day + 1 : day + 1 + USUAL_PRICE_DAYS]) for day in range(len(prices))
    ]

    assert_array_equal(daily, whole)
