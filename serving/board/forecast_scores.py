"""How forecasts came out: sums per SKU and horizon, so that they can be shown by any class of SKUs."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.demand import EVALUATED_DAYS, DemandAccuracy

PIT_BINS = 10
SUMS = ("scored", "inside_80", "inside_95", "units", "pinball", "bias")

Floats = NDArray[np.float64]


class ForecastScores:
    """Sums [rows, horizons, sums and PIT bins] over every score of a forecast that served."""

    def __init__(self) -> None:
        self._sums = np.zeros((64, len(EVALUATED_DAYS), len(SUMS) + PIT_BINS))

    def add(self, row: int, scored: DemandAccuracy) -> None:
        """Counts the score of a single day; losses leave censored days out, coverage does not."""
        if not scored.served or scored.day is None or scored.horizon_days not in EVALUATED_DAYS:
            return
        while row >= len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        day, horizon = scored.day, EVALUATED_DAYS.index(scored.horizon_days)
        sums = self._sums[row, horizon]
        sums[:3] += 1, 0.1 < day.pit <= 0.9, 0.025 < day.pit <= 0.975
        if day.pinball is not None and day.bias is not None:
            sums[3:6] += day.actual, day.pinball, day.bias
        sums[len(SUMS) + min(int(day.pit * PIT_BINS), PIT_BINS - 1)] += 1

    def total(self, rows: NDArray[np.bool_]) -> Floats:
        """Sums over some rows [horizons, sums and PIT bins]."""
        known = self._sums[: len(rows)]
        total: Floats = known[rows[: len(known)]].sum(axis=0)
        return total
