"""What final feature rows say about the days that forecasts were about."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from batch.forecaster.panel import FULL_DAY
from infra.contracts.demand import DemandFeatures
from infra.contracts.shop import LocationCalendar
from serving.inventory.ledger import Key
from serving.inventory.local_days import is_open, local_date, midnight_after

_NEVER = -1


@dataclass(frozen=True)
class Outcome:
    """Demand of a period; a lower bound where `censored`."""

    units: float
    censored: bool


@dataclass(frozen=True)
class _Day:
    units: float
    observed: bool


class DemandDays:
    """Final rows by SKU and day."""

    def __init__(self) -> None:
        self._days: dict[Key, dict[int, _Day]] = defaultdict(dict)
        self._closed_until: dict[Key, int] = {}

    def add(self, row: DemandFeatures) -> None:
        """Takes a final row; repeating one changes nothing."""
        key, units, share = (row.sku, row.location), row.values.get("units"), row.values.get("in_stock_share")
        observed = units is not None and (share is None or share >= FULL_DAY)
        self._days[key].setdefault(row.window_start_ms, _Day(max(units or 0.0, 0.0), observed))
        self._closed_until[key] = max(self.closed_until(key), row.window_end_ms)

    def closed_until(self, key: Key) -> int:
        """The end of the last day that has a row: none before it comes any more."""
        return self._closed_until.get(key, _NEVER)

    def outcome(self, key: Key, starts_ms: Iterable[int], calendar: LocationCalendar) -> Outcome:
        """Units of the days together.

        An open day with a stock-out, or without a row, makes the sum a lower bound.
        """
        total, censored = 0.0, False
        for start_ms in starts_ms:
            day = self._days[key].get(start_ms)
            total += day.units if day else 0.0
            known = day is not None and day.observed
            censored = censored or not (known or not _is_open(start_ms, calendar))
        return Outcome(total, censored)

    def forget(self, key: Key, before_ms: int) -> None:
        """Drops the days that start before an instant."""
        days = self._days[key]
        for start_ms in [start_ms for start_ms in days if start_ms < before_ms]:
            del days[start_ms]


def _is_open(start_ms: int, calendar: LocationCalendar) -> bool:
    return is_open(local_date(start_ms, calendar.time_zone), calendar)


def opens_on(origin_ms: int, horizon_days: int, calendar: LocationCalendar) -> bool:
    """Whether the location sells on the day `horizon_days` after an origin."""
    return _is_open(midnights(origin_ms, calendar.time_zone, horizon_days)[-2], calendar)


@lru_cache(maxsize=1024)
def midnights(origin_ms: int, time_zone: str, days: int) -> tuple[int, ...]:
    """The `days + 1` local midnights from an origin on: starts of the days, and the end of the last."""
    return tuple(midnight_after(origin_ms, day, time_zone) for day in range(days + 1))
