"""Accuracy of the forecasts that served, over all SKUs and the last matured days: what the metrics show."""

from collections import defaultdict
from dataclasses import dataclass

from infra.contracts.demand import DemandAccuracy
from infra.metrics import Meters

DAYS = 28

_Series = tuple[str, int]
"""Forecaster and horizon."""


@dataclass
class _Sums:
    scored: int = 0
    inside_80: int = 0
    inside_95: int = 0
    units: float = 0.0
    pinball: float = 0.0
    bias: float = 0.0

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


class AccuracySummary:
    """Sums by forecaster, horizon and day of maturity."""

    def __init__(self) -> None:
        self._sums: dict[_Series, dict[int, _Sums]] = defaultdict(lambda: defaultdict(_Sums))

    def add(self, scored: DemandAccuracy) -> None:
        """Counts a score of a single day of a forecast that served.

        Coverage counts by the randomised PIT, censored days included; the losses leave censored days out.
        """
        if not scored.served or scored.day is None:
            return
        sums = self._sums[(scored.forecaster, scored.horizon_days)][scored.matured_ms]
        sums.scored += 1
        sums.inside_80 += 0.1 < scored.day.pit <= 0.9
        sums.inside_95 += 0.025 < scored.day.pit <= 0.975
        if scored.day.pinball is not None and scored.day.bias is not None:
            sums.units += scored.day.actual
            sums.pinball += scored.day.pinball
            sums.bias += scored.day.bias

    def record(self, meters: Meters) -> None:
        """Sets the gauges from the last matured days, and forgets the days before them."""
        for (forecaster, horizon_days), by_day in self._sums.items():
            for old in sorted(by_day)[:-DAYS]:
                del by_day[old]
            sums = sum(by_day.values(), _Sums())
            labels = {"forecaster": forecaster, "horizon_days": str(horizon_days)}
            for interval, inside in (("80", sums.inside_80), ("95", sums.inside_95)):
                share = inside / sums.scored
                meters.record("stockstream_forecast_coverage", share, interval=interval, **labels)
            if sums.units > 0:
                meters.record("stockstream_forecast_pinball_ratio", 2 * sums.pinball / sums.units, **labels)
                meters.record("stockstream_forecast_bias_ratio", sums.bias / sums.units, **labels)
