"""The recent days of every series, as the forecaster reads them: the panel first, then final feature rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.panel import (
    FULL_DAY,
    USUAL_PRICE_DAYS,
    DemandPanel,
    latest_relative_price,
    relative_price,
)
from batch.forecaster.price_plan import day_promotion
from batch.forecaster.windows import NEUTRAL, DemandWindow, Flags, Floats
from infra.contracts.demand import DemandFeatures
from infra.contracts.shop import LocationCalendar
from serving.inventory.ledger import Key
from serving.inventory.local_days import is_open, local_date
from serving.price_plans import PricePlans

Scalar = TypeVar("Scalar", bound=np.generic)

_PAST = ("units", "observed", "open", "price", "promotion")
_COVARIATES = ("price", "promotion", "future_price", "future_promotion")


@dataclass
class _Days:
    """The last days of one series, ending on `last_day`; `unit_price` holds what prices are relative to."""

    last_day: date | None
    units: Floats
    observed: Flags
    open: Flags
    price: Floats
    promotion: Floats
    unit_price: Floats

    def append(self, day: date, values: "_Day") -> None:
        self.last_day = day
        self.units = _shifted(self.units, values.units)
        self.observed = _shifted(self.observed, values.observed)
        self.open = _shifted(self.open, values.open)
        self.promotion = _shifted(self.promotion, values.promotion)
        known = self.unit_price[-1] if np.isnan(values.unit_price) else values.unit_price
        self.unit_price = _shifted(self.unit_price, float(known))
        self.price = _shifted(self.price, latest_relative_price(self.unit_price))


@dataclass(frozen=True)
class _Day:
    """What one day adds to a series; `unit_price` is NaN where it is unknown."""

    units: float
    observed: bool
    open: bool
    unit_price: float
    promotion: float


class DemandContext:
    """Rolling windows by SKU and location; days before a series was first seen count as before its launch.

    Args:
        days: length of the windows.
        panel: the days before the stream, None without any.
    """

    def __init__(self, days: int, panel: DemandPanel | None) -> None:
        self._length = days
        self._series: dict[Key, _Days] = {}
        self.plans = PricePlans()
        if panel is not None:
            last = panel.units.shape[1] - 1
            window, last_prices = panel.window(last, days, 0), _last_prices(panel)
            for row, key in enumerate(panel.series):
                past = {name: getattr(window, name)[row] for name in _PAST}
                self._series[key] = _Days(window.last_day, **past, unit_price=last_prices[row])

    def append(self, row: DemandFeatures, calendar: LocationCalendar) -> bool:
        """Adds the day of a final row; days in between count as not observed.

        Prices and promotions are the plans' that were known at the day's end; a promotion that customers met
        counts too.

        Returns:
            False for a day that the series already has: a repetition or a row the panel covers.
        """
        key, day = (row.sku, row.location), local_date(row.window_start_ms, calendar.time_zone)
        days = self._series.setdefault(key, self._unseen())
        if days.last_day is not None and day <= days.last_day:
            return False
        if days.last_day is not None:
            missing = max(days.last_day + timedelta(days=1), day - timedelta(days=self._length))
            while missing < day:
                days.append(missing, self._day(key, missing, calendar, 0.0, False, 0.0))
                missing += timedelta(days=1)
        share = row.values.get("in_stock_share")
        observed = share is None or share >= FULL_DAY
        units, promotion_on = (row.values.get(name) or 0.0 for name in ("units", "promotion_on"))
        days.append(day, self._day(key, day, calendar, units, observed, promotion_on))
        return True

    def _day(
        self,
        key: Key,
        day: date,
        calendar: LocationCalendar,
        units: float,
        observed: bool,
        promotion_on: float,
    ) -> _Day:
        unit_price, planned = self.plans.day(key, day, calendar)
        promotion = float(day_promotion(planned, promotion_on))
        return _Day(units, observed, is_open(day, calendar), unit_price, promotion)

    def _unseen(self) -> _Days:
        flags = np.zeros(self._length, dtype=np.bool_)
        price, promotion = (np.full(self._length, NEUTRAL[name]) for name in ("price", "promotion"))
        unit_price = np.full(USUAL_PRICE_DAYS, np.nan)
        return _Days(None, np.zeros(self._length), flags, flags, price, promotion, unit_price)

    def window(
        self, keys: Sequence[Key], day: date, calendar: LocationCalendar, horizon: int
    ) -> DemandWindow:
        """The window of series of one location up to `day`, with what was known ahead at its end."""
        days = [self._series.get(key) or self._unseen() for key in keys]
        ahead = [is_open(day + timedelta(days=step), calendar) for step in range(1, horizon + 1)]
        planned = self.plans.ahead(keys, day, horizon, calendar)
        last_prices = np.stack([each.unit_price[1:] for each in days])
        return DemandWindow(
            last_day=day,
            **{name: np.stack([getattr(each, name) for each in days]) for name in _PAST},
            future_open=np.tile(np.array(ahead), (len(days), 1)),
            future_price=_future_price(last_prices, np.stack([each.price for each in planned])),
            future_promotion=np.stack([each.promotion for each in planned]),
        )


def _future_price(last: Floats, ahead: Floats) -> Floats:
    """(series, horizon) relative prices of the days ahead, after the last 55 prices of each series."""
    prices = np.concatenate([last, ahead], axis=1)
    relative = np.full(ahead.shape, NEUTRAL["price"])
    priced = ~np.isnan(prices).all(axis=1)
    if priced.any():
        relative[priced] = relative_price(prices[priced])[:, last.shape[1] :]
    return relative


def _last_prices(panel: DemandPanel) -> Floats:
    """(series, USUAL_PRICE_DAYS) the last prices of a panel, NaN where unknown."""
    last = panel.unit_price[:, -USUAL_PRICE_DAYS:]
    missing = USUAL_PRICE_DAYS - last.shape[1]
    return np.pad(last, ((0, 0), (missing, 0)), constant_values=np.nan)


def context_digests(window: DemandWindow) -> list[str]:
    """Digest of everything a forecast reads of each series (SHA-256, hex).

    Prices and promotions are part of it only where they are not neutral.
    """
    return [hashlib.sha256(b"|".join(_bytes(window, row))).hexdigest() for row in range(len(window.units))]


def _bytes(window: DemandWindow, row: int) -> list[bytes]:
    flags = (window.observed, window.open, window.future_open)
    parts = [window.last_day.isoformat().encode(), window.units[row].astype("<f8").tobytes()]
    parts += [np.packbits(each[row]).tobytes() for each in flags]
    covariates = {name: getattr(window, name)[row] for name in _COVARIATES}
    if any((values != NEUTRAL[name]).any() for name, values in covariates.items()):
        parts += [values.astype("<f8").tobytes() for values in covariates.values()]
    return parts


def _shifted(values: NDArray[Scalar], last: float | bool) -> NDArray[Scalar]:
    if (values == last).all():
        return values
    shifted = np.roll(values, -1)
    shifted[-1] = last
    return shifted
