"""How well each day was served, by location: what was sold, the estimated loss to stock-outs, stock.

What customers did not find is not recorded anywhere. It is estimated as the day's median forecast times the
share of the day without stock.
"""

from dataclasses import dataclass

from batch.forecaster.panel import FULL_DAY
from infra.contracts.demand import DemandAccuracy, DemandFeatures
from serving.board.day_history import DAYS, day_number
from serving.inventory.ledger import Key

_WEEK = 7


@dataclass
class ServiceDay:
    """Sums over the SKUs of a location on one local day; money in the catalogue's currency."""

    day_ms: int
    skus: int = 0
    units: float = 0.0
    lost_units: float = 0.0
    stock_outs: int = 0
    sold_value: float = 0.0
    stock_value: float = 0.0
    stocked_skus: int = 0
    scored: int = 0
    covered_80: int = 0
    weeks: int = 0
    weeks_with_stock_out: int = 0


class ServiceDays:
    """The last days of every location."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, int], ServiceDay] = {}
        self._weeks: dict[Key, tuple[int, bool]] = {}

    def _day(self, location: str, day_ms: int) -> ServiceDay:
        number = day_number(day_ms)
        if (location, number) not in self._days:
            self._days[location, number] = ServiceDay(day_ms)
            for old in [each for each in self._days if each[0] == location and each[1] <= number - DAYS]:
                del self._days[old]
        return self._days[location, number]

    def note_day(self, final: DemandFeatures, expected_units: float, unit_cost: float) -> None:
        """Counts a SKU's final row, once."""
        day = self._day(final.location, final.window_start_ms)
        share, units = final.values.get("in_stock_share"), final.values.get("units") or 0.0
        out = share is not None and share < FULL_DAY
        day.skus += 1
        day.units += units
        day.sold_value += units * unit_cost
        day.stock_outs += out
        day.lost_units += expected_units * (1 - share) if share is not None and out else 0.0
        self._note_week((final.sku, final.location), day, out)

    def _note_week(self, key: Key, day: ServiceDay, out: bool) -> None:
        week = day_number(day.day_ms) // _WEEK
        known, was_out = self._weeks.get(key, (-1, False))
        if week != known:
            day.weeks, was_out = day.weeks + 1, False
        day.weeks_with_stock_out += out and not was_out
        self._weeks[key] = (week, was_out or out)

    def note_stock(self, location: str, day_ms: int, value: float) -> None:
        """Counts what a SKU's stock is worth at a day's start, once."""
        day = self._day(location, day_ms)
        day.stock_value += value
        day.stocked_skus += 1

    def note_score(self, scored: DemandAccuracy) -> None:
        """Counts whether a day's demand lay within the 80 % interval forecast at its start."""
        if scored.served and scored.day is not None and scored.horizon_days == 1:
            day = self._day(scored.location, scored.origin_ms)
            day.scored += 1
            day.covered_80 += 0.1 < scored.day.pit <= 0.9

    def last(self, location: str | None, days: int) -> list[ServiceDay]:
        """The last days with final rows, oldest first; of one location, or of all together."""
        together: dict[int, ServiceDay] = {}
        for (where, number), day in sorted(self._days.items()):
            if location in (None, where) and day.skus:
                together[number] = _sum(together.get(number, ServiceDay(day.day_ms)), day)
        return [together[number] for number in sorted(together)[-days:]]


def _sum(one: ServiceDay, other: ServiceDay) -> ServiceDay:
    sums = {name: value + getattr(other, name) for name, value in vars(one).items() if name != "day_ms"}
    return ServiceDay(one.day_ms, **sums)
