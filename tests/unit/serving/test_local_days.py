from datetime import date

import pytest

from serving.inventory.local_days import (
    days_between,
    is_open,
    is_review,
    local_date,
    midnight_after,
    review_instants,
    review_period_days,
)
from tests.unit.serving.records import DAY_MS, EPOCH, ZONE, calendar, local_ms

HOUR_MS = 3_600_000


def test_a_day_of_the_clock_change_has_25_hours() -> None:
    start = local_ms("2011-10-30")

    assert midnight_after(start, 1, ZONE) - start == 25 * HOUR_MS
    assert days_between(start, midnight_after(start, 1, ZONE) - 1, ZONE) == 0


def test_midnight_of_summer_belongs_to_the_day_it_starts() -> None:
    assert local_date(EPOCH, ZONE) == date(2011, 9, 26)
    assert local_date(EPOCH - 1, ZONE) == date(2011, 9, 25)


def test_reviews_are_the_local_midnights_of_the_review_weekdays() -> None:
    found = review_instants(local_ms("2011-10-17"), local_ms("2011-11-07"), calendar())

    assert found == [local_ms(day) for day in ("2011-10-24", "2011-10-31", "2011-11-07")]
    assert all(is_review(instant, calendar()) for instant in found)
    assert not is_review(EPOCH + 1, calendar())
    assert not is_review(EPOCH + DAY_MS, calendar())


@pytest.mark.parametrize(("weekdays", "days"), [([0], 7), ([0, 3], 3), ([6], 6), ([0, 1, 2, 3, 4, 5, 6], 1)])
def test_the_review_period_lasts_until_the_next_review_weekday(weekdays: list[int], days: int) -> None:
    assert review_period_days(EPOCH, calendar(review_weekdays=weekdays)) == days


def test_an_opened_date_overrules_closed_weekdays_and_dates() -> None:
    special = calendar(
        closed_weekdays=[5], closed_dates=["2011-12-26"], opened_dates=["2011-12-24", "2011-12-26"]
    )

    assert is_open(date(2011, 12, 24), special)
    assert is_open(date(2011, 12, 26), special)
    assert not is_open(date(2011, 12, 17), special)
