"""The last days of every SKU: what was sold and seen, and what had been forecast for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.panel import FULL_DAY
from infra.contracts.demand import EVALUATED_DAYS, DemandFeatures, DemandForecast
from serving.inventory.ledger import Key

DAYS = 180
"""Days kept of what happened."""

ORIGINS = 90
"""Origins kept of what was forecast."""

FIELDS = ("units", "views", "add_to_carts", "in_stock_share", "views_out_of_stock", "promotion_on")
SHOWN_LEVELS = (0.1, 0.5, 0.9)
_DAY_MS = 86_400_000

Floats = NDArray[np.float32]


def day_number(midnight_ms: int) -> int:
    """A local day's number, the same in every time zone: that of the UTC day at the local day's noon."""
    return (midnight_ms + _DAY_MS // 2) // _DAY_MS


@dataclass(frozen=True)
class Day:
    """What happened on a local day; `None` is unknown. `on_hand` is the stock at its start."""

    day_ms: int
    units: float | None
    views: float | None
    add_to_carts: float | None
    in_stock_share: float | None
    views_out_of_stock: float | None
    promotion_on: float | None
    on_hand: int | None

    @property
    def censored(self) -> bool:
        """Whether a stock-out may have hidden demand, or the day's row is missing."""
        share = self.in_stock_share
        return self.units is None or (share is not None and share < FULL_DAY)


@dataclass(frozen=True)
class ForecastDay:
    """What was forecast for a day, `horizon_days` before it ended."""

    origin_ms: int
    day_ms: int
    forecaster: str
    q10: float
    q50: float
    q90: float


class _Ring:
    """Rows by day number, of which the last `length` are kept."""

    def __init__(self, length: int, width: int) -> None:
        self._length = length
        self._starts = np.zeros(length, dtype=np.int64)
        self._values = np.full((length, width), np.nan, dtype=np.float32)

    def put(self, start_ms: int, columns: slice, values: Sequence[float | None]) -> bool:
        """Sets columns of a day; false if they were set, or the day is older than what is kept."""
        number = day_number(start_ms)
        place = number % self._length
        known = day_number(int(self._starts[place]))
        if number < known:
            return False
        if number > known:
            self._starts[place], self._values[place] = start_ms, np.nan
        new = bool(np.isnan(self._values[place, columns]).all())
        self._values[place, columns] = [np.nan if value is None else value for value in values]
        return new

    def value(self, start_ms: int, column: int) -> float | None:
        """A value of a day, None if it is unknown."""
        number = day_number(start_ms)
        place = number % self._length
        value = float(self._values[place, column])
        return None if day_number(int(self._starts[place])) != number or np.isnan(value) else value

    def days(self) -> list[tuple[int, list[float | None]]]:
        """Start and values of each day, oldest first."""
        order = np.argsort(self._starts)
        order = order[self._starts[order] > 0]
        newest = self._starts.max()
        order = order[self._starts[order] > newest - (self._length + 1) * _DAY_MS]
        return [
            (int(self._starts[place]), [None if np.isnan(v) else float(v) for v in self._values[place]])
            for place in order
        ]


class DayHistory:
    """Rings per SKU and location; what is older than `DAYS` and `ORIGINS` days leaves them."""

    def __init__(self) -> None:
        self._days: dict[Key, _Ring] = {}
        self._forecasts: dict[Key, _Ring] = {}
        self._forecasters: list[str] = []

    def note_features(self, row: DemandFeatures) -> bool:
        """Takes a final row; false for a repetition."""
        values = [row.values.get(field) for field in FIELDS]
        return self._of((row.sku, row.location)).put(row.window_start_ms, slice(0, len(FIELDS)), values)

    def note_stock(self, key: Key, start_ms: int, on_hand: int) -> bool:
        """Takes the stock at a day's start; false for a repetition and for a later count of the day."""
        ring, column = self._of(key), len(FIELDS)
        if ring.value(start_ms, column) is not None:
            return False
        return ring.put(start_ms, slice(column, None), [on_hand])

    def _of(self, key: Key) -> _Ring:
        if key not in self._days:
            self._days[key] = _Ring(DAYS, len(FIELDS) + 1)
        return self._days[key]

    def note_forecast(self, forecast: DemandForecast) -> None:
        """Takes a forecast; of its days those that are scored are kept, at three levels."""
        key = (forecast.sku, forecast.location)
        if key not in self._forecasts:
            self._forecasts[key] = _Ring(ORIGINS, 1 + 3 * len(EVALUATED_DAYS))
        ring = self._forecasts[key]
        table = np.asarray(forecast.quantiles)
        days = [day for day in EVALUATED_DAYS if day <= len(table)]
        shown = [
            float(np.interp(level, forecast.quantile_levels, table[day - 1]))
            for day in days
            for level in SHOWN_LEVELS
        ]
        ring.put(forecast.origin_ms, slice(0, 1 + len(shown)), [self._code(forecast.forecaster), *shown])

    def _code(self, forecaster: str) -> float:
        if forecaster not in self._forecasters:
            self._forecasters.append(forecaster)
        return float(self._forecasters.index(forecaster))

    def expected_units(self, key: Key, start_ms: int) -> float:
        """The median forecast of a day, made at its start; 0 where there is none."""
        ring = self._forecasts.get(key)
        median = ring.value(start_ms, 2) if ring else None
        return median or 0.0

    def days(self, key: Key) -> list[Day]:
        """What happened, oldest first."""
        ring = self._days.get(key)
        return [_day(start, values) for start, values in ring.days()] if ring else []

    def forecasts(self, key: Key, horizon_days: int) -> list[ForecastDay]:
        """What was forecast for the day `horizon_days` ahead, oldest origin first."""
        ring, place = self._forecasts.get(key), 1 + 3 * EVALUATED_DAYS.index(horizon_days)
        found = []
        for origin_ms, values in ring.days() if ring else []:
            low, middle, high = values[place : place + 3]
            if low is not None and middle is not None and high is not None:
                day_ms = origin_ms + (horizon_days - 1) * _DAY_MS
                forecaster = self._forecasters[int(values[0] or 0)]
                found.append(ForecastDay(origin_ms, day_ms, forecaster, low, middle, high))
        return found


def _day(start_ms: int, values: list[float | None]) -> Day:
    units, views, carts, share, out, promotion, on_hand = values
    stock = None if on_hand is None else int(on_hand)
    return Day(start_ms, units, views, carts, share, out, promotion, stock)
