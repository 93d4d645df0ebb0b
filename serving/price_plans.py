"""The catalogue's price plans of every series, as they were known at any instant."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from batch.forecaster.price_plan import Instants, Plan, PlannedDays, planned_days
from infra.contracts.shop import LocationCalendar
from serving.inventory.as_of import Versions
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_ms


class PricePlans:
    """Plans by SKU and location; of the days ahead of an instant only what was known at it counts."""

    def __init__(self) -> None:
        self._plans: Versions[Key, Plan] = Versions()

    def put(self, plan: Plan, offset: int) -> None:
        """Takes a plan; repeating one changes nothing."""
        self._plans.put((plan.sku, plan.location), plan.event_time_ms, offset, plan)

    def day(self, key: Key, day: date, calendar: LocationCalendar) -> tuple[float, float]:
        """Price (NaN if unknown) and share under promotion of one day, as known at its end."""
        if self._plans.latest(key) is None:
            return np.nan, 0.0
        bounds = _bounds(day, 1, calendar)
        planned = planned_days(self._plans.get(key, int(bounds[1])), bounds)
        return float(planned.price[0]), float(planned.promotion[0])

    def ahead(
        self, keys: Sequence[Key], last_day: date, days: int, calendar: LocationCalendar
    ) -> list[PlannedDays]:
        """The days after `last_day` of each series, as known at its end."""
        bounds = _bounds(last_day + timedelta(days=1), days, calendar)
        return [planned_days(self._plans.get(key, int(bounds[0])), bounds) for key in keys]


def _bounds(first: date, days: int, calendar: LocationCalendar) -> Instants:
    """The midnights from the start of the first day to the end of the last."""
    return np.array([midnight_ms(first + timedelta(days=n), calendar.time_zone) for n in range(days + 1)])
