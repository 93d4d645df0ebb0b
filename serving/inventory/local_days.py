"""Local days of a location: midnights, open days and review instants, daylight saving included."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from infra.contracts.shop import LocationCalendar

_LONGEST_DAYS = 365


@lru_cache(maxsize=4096)
def local_date(time_ms: int, time_zone: str) -> date:
    """The local day that an instant belongs to."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(time_zone)).date()


def midnight_ms(day: date, time_zone: str) -> int:
    """The instant a local day starts."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))
    return round(start.timestamp() * 1000)


@lru_cache(maxsize=4096)
def midnight_after(time_ms: int, days: int, time_zone: str) -> int:
    """Local midnight `days` calendar days after the start of the instant's day."""
    return midnight_ms(local_date(time_ms, time_zone) + timedelta(days=days), time_zone)


def days_between(earlier_ms: int, later_ms: int, time_zone: str) -> int:
    """Calendar days from one instant's local day to another's."""
    return (local_date(later_ms, time_zone) - local_date(earlier_ms, time_zone)).days


def is_open(day: date, calendar: LocationCalendar) -> bool:
    """Whether the location sells on that local day."""
    text = day.isoformat()
    if text in calendar.opened_dates:
        return True
    return day.weekday() not in calendar.closed_weekdays and text not in calendar.closed_dates


def is_review(time_ms: int, calendar: LocationCalendar) -> bool:
    """Whether an instant is the local midnight that starts a review day."""
    day = local_date(time_ms, calendar.time_zone)
    starts = midnight_ms(day, calendar.time_zone)
    return starts == time_ms and day.weekday() in calendar.review_weekdays


def review_instants(after_ms: int, until_ms: int, calendar: LocationCalendar) -> list[int]:
    """The reviews after one instant, up to and including another; ascending."""
    first = local_date(after_ms, calendar.time_zone)
    days = (local_date(until_ms, calendar.time_zone) - first).days
    starts = (midnight_ms(first + timedelta(days=n), calendar.time_zone) for n in range(days + 1))
    return [start for start in starts if after_ms < start <= until_ms and is_review(start, calendar)]


def review_period_days(
    epoch_ms: int, calendar: LocationCalendar, can_order: Callable[[date], bool] = lambda _: True
) -> int:
    """Days from a review to the next one that can order; 7 where there is one review weekday.

    Args:
        epoch_ms: the review.
        calendar: of the location.
        can_order: whether the supplier takes orders on a day.
    """
    today = local_date(epoch_ms, calendar.time_zone)
    ahead = ((n, today + timedelta(days=n)) for n in range(1, _LONGEST_DAYS))
    reviews = (n for n, day in ahead if day.weekday() in calendar.review_weekdays and can_order(day))
    return next(reviews, _LONGEST_DAYS)
