"""Running forecast errors: cumulative error and tracking signal (Trigg 1964; Brown 1963)."""

from dataclasses import dataclass

_DECIMALS = 6


@dataclass(frozen=True)
class RunningError:
    """Errors of one series of forecasts so far; an error is actual minus forecast mean."""

    scored: int = 0
    cfe: float = 0.0
    mean_absolute_error: float | None = None

    def after(self, error: float) -> "RunningError":
        """With one more error; depends on this object's published values alone, so a restart goes on alike.

        >>> RunningError().after(2.0).after(-1.0).after(3.0)
        RunningError(scored=3, cfe=4.0, mean_absolute_error=2.0)
        """
        count, mean = self.scored + 1, self.mean_absolute_error or 0.0
        mean += (abs(error) - mean) / count
        return RunningError(count, round(self.cfe + error, _DECIMALS), round(mean, _DECIMALS))

    @property
    def tracking_signal(self) -> float | None:
        """Cumulative error in mean absolute errors; beyond about ±4 the forecast is biased.

        >>> RunningError().after(2.0).after(-1.0).after(3.0).tracking_signal
        2.0
        """
        return round(self.cfe / self.mean_absolute_error, _DECIMALS) if self.mean_absolute_error else None
