"""When a supplier takes an order and on which day it can deliver, by its calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from infra.contracts.shop import SupplierCalendar
from serving.inventory.local_days import local_date

_SEARCHED_DAYS = 31


def takes_orders(day: date, calendar: SupplierCalendar) -> bool:
    """Whether orders are taken on that local day of the place that orders."""
    closed_weekdays, closed_dates = calendar.no_order_weekdays or [], calendar.no_order_dates or []
    return day.weekday() not in closed_weekdays and day.isoformat() not in closed_dates


def days_until_taken(time_ms: int, calendar: SupplierCalendar, time_zone: str) -> int:
    """Days by which an order given at an instant is late because the supplier's cut-off has passed.

    It counts as one of the next day on which orders are taken.
    """
    if calendar.cut_off is None or not _is_past(time_ms, calendar):
        return 0
    today = local_date(time_ms, time_zone)
    ahead = range(1, _SEARCHED_DAYS)
    return next((n for n in ahead if takes_orders(today + timedelta(days=n), calendar)), _SEARCHED_DAYS)


def _is_past(time_ms: int, calendar: SupplierCalendar) -> bool:
    assert calendar.cut_off is not None
    zone = ZoneInfo(calendar.cut_off.time_zone)
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone):%H:%M}" > calendar.cut_off.time


def delivery_days(time_ms: int, days: int, calendar: SupplierCalendar, time_zone: str) -> NDArray[np.int64]:
    """For 0 .. `days` days after an instant, the first day from then on with deliveries.

    A supplier without such a day within a month is taken at its lead time.
    """
    today = local_date(time_ms, time_zone)
    delivers = [_delivers(today + timedelta(days=n), calendar) for n in range(days + _SEARCHED_DAYS)]
    following = (next((n for n in range(d, d + _SEARCHED_DAYS) if delivers[n]), d) for d in range(days + 1))
    return np.fromiter(following, dtype=np.int64, count=days + 1)


def _delivers(day: date, calendar: SupplierCalendar) -> bool:
    return day.weekday() not in calendar.closed_weekdays and day.isoformat() not in calendar.closed_dates
