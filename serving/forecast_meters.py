"""What the Forecaster measures; after a restart its gauges go on from the forecasts in the log."""

from collections import Counter
from collections.abc import Sequence

from infra.contracts.demand import DemandForecast
from infra.metrics import Meters
from serving.forecast_source import ForecastSource


class ForecastMeters:
    """Counts the forecasts made, and the fallback's among the newest origin's of every location."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._newest: dict[str, tuple[int, Counter[bool]]] = {}

    def note_in_log(self, forecast: DemandForecast) -> None:
        """A forecast is in the log."""
        origin_ms, made = self._newest.get(forecast.location, (-1, Counter()))
        if forecast.origin_ms > origin_ms:
            origin_ms, made = forecast.origin_ms, Counter()
        if forecast.origin_ms == origin_ms:
            made[forecast.is_fallback] += 1
            self._newest[forecast.location] = (origin_ms, made)

    def note_made(self, forecasts: Sequence[DemandForecast], seconds: float) -> None:
        """A location's day has been forecast."""
        for forecaster, count in Counter(forecast.forecaster for forecast in forecasts).items():
            self._meters.record("stockstream_forecasts_total", count, forecaster=forecaster)
        self._meters.record("stockstream_forecast_seconds", seconds)

    def note_deadline(self) -> None:
        """A day is forecast without something that its forecasts should rest on."""
        self._meters.record("stockstream_deadlines_total", stage="forecaster")

    def record(self, source: ForecastSource, replace: bool, waiting_seconds: float) -> None:
        """Sets the gauges.

        Args:
            source: what forecasts are made with now.
            replace: whether its model is asked to be replaced.
            waiting_seconds: how long the day that waits longest has waited for its inputs.
        """
        self._meters.record("stockstream_waiting_seconds", waiting_seconds, stage="forecaster")
        self._meters.record("stockstream_open_retrain_requests", replace)
        if source.training is not None:
            source.training.record(self._meters)
        if not self._newest:
            return
        made = sum((made for _, made in self._newest.values()), Counter[bool]())
        self._meters.record("stockstream_fallback_share", made[True] / made.total())
        origin_ms = max(origin_ms for origin_ms, _ in self._newest.values())
        self._meters.record("stockstream_last_epoch_seconds", origin_ms / 1000, stage="forecaster")
