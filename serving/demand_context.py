"""The recent days of every series, as the forecaster reads them: the panel first, then final feature rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.panel import FULL_DAY, DemandPanel
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import DemandFeatures
from infra.contracts.shop import LocationCalendar
from serving.inventory.ledger import Key
from serving.inventory.local_days import is_open, local_date

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass
class _Days:
    """The last days of one series, ending on `last_day`."""

    last_day: date | None
    units: Floats
    observed: Flags
    open: Flags

    def append(self, day: date, units: float, observed: bool, is_open_day: bool) -> None:
        self.last_day = day
        self.units = _shifted(self.units, units)
        self.observed = _shifted(self.observed, observed)
        self.open = _shifted(self.open, is_open_day)


class DemandContext:
    """Rolling windows by SKU and location; days before a series was first seen count as before its launch."""

    def __init__(self, days: int, panel: DemandPanel | None) -> None:
        self._length = days
        self._series: dict[Key, _Days] = {}
        if panel is not None:
            window = panel.window(panel.units.shape[1] - 1, days, 0)
            for row, key in enumerate(panel.series):
                self._series[key] = _Days(
                    window.last_day, window.units[row], window.observed[row], window.open[row]
                )

    def append(self, row: DemandFeatures, calendar: LocationCalendar) -> bool:
        """Adds the day of a final row; days in between count as not observed.

        Returns:
            False for a day that the series already has: a repetition or a row the panel covers.
        """
        day = local_date(row.window_start_ms, calendar.time_zone)
        days = self._series.setdefault((row.sku, row.location), self._unseen())
        if days.last_day is not None and day <= days.last_day:
            return False
        if days.last_day is not None:
            missing = max(days.last_day + timedelta(days=1), day - timedelta(days=self._length))
            while missing < day:
                days.append(missing, 0.0, False, is_open(missing, calendar))
                missing += timedelta(days=1)
        share = row.values.get("in_stock_share")
        observed = share is None or share >= FULL_DAY
        days.append(day, row.values.get("units") or 0.0, observed, is_open(day, calendar))
        return True

    def _unseen(self) -> _Days:
        flags = np.zeros(self._length, dtype=np.bool_)
        return _Days(None, np.zeros(self._length), flags, flags)

    def window(
        self, keys: Sequence[Key], day: date, calendar: LocationCalendar, horizon: int
    ) -> DemandWindow:
        """The window of series of one location whose last day is `day`."""
        days = [self._series.get(key) or self._unseen() for key in keys]
        ahead = [is_open(day + timedelta(days=step), calendar) for step in range(1, horizon + 1)]
        return DemandWindow(
            last_day=day,
            units=np.stack([each.units for each in days]),
            observed=np.stack([each.observed for each in days]),
            open=np.stack([each.open for each in days]),
            future_open=np.tile(np.array(ahead), (len(days), 1)),
        )


def context_digests(window: DemandWindow) -> list[str]:
    """Digest of everything a forecast reads of each series (SHA-256, hex)."""
    return [
        hashlib.sha256(
            b"|".join(
                [
                    window.last_day.isoformat().encode(),
                    window.units[row].astype("<f8").tobytes(),
                    np.packbits(window.observed[row]).tobytes(),
                    np.packbits(window.open[row]).tobytes(),
                    np.packbits(window.future_open[row]).tobytes(),
                ]
            )
        ).hexdigest()
        for row in range(len(window.units))
    ]


def _shifted(values: NDArray[Scalar], last: float | bool) -> NDArray[Scalar]:
    shifted = np.roll(values, -1)
    shifted[-1] = last
    return shifted
