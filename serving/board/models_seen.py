"""Which models forecast when, and which are to be replaced."""

from dataclasses import dataclass

from infra.contracts.demand import DemandForecast, RetrainRequest


@dataclass
class ModelSeen:
    """One model's forecasts, by origin."""

    model_id: str
    panel_hash: str
    first_origin_ms: int
    last_origin_ms: int
    forecasts: int
    by_fallback: int


class ModelsSeen:
    """Models by id, in the order in which they first forecast."""

    def __init__(self) -> None:
        self._models: dict[str, ModelSeen] = {}
        self.requests: dict[str, RetrainRequest] = {}

    def note(self, forecast: DemandForecast) -> None:
        """Counts a forecast."""
        origin = forecast.origin_ms
        seen = self._models.setdefault(
            forecast.model_id, ModelSeen(forecast.model_id, forecast.panel_hash, origin, origin, 0, 0)
        )
        seen.first_origin_ms = min(seen.first_origin_ms, origin)
        seen.last_origin_ms = max(seen.last_origin_ms, origin)
        seen.forecasts += 1
        seen.by_fallback += forecast.fallback_reason is not None

    def note_request(self, request: RetrainRequest) -> None:
        """Takes a request to replace a model."""
        self.requests[request.model_id] = request

    def newest_first(self) -> list[ModelSeen]:
        """Every model, the one that forecast last first."""
        return sorted(self._models.values(), key=lambda seen: -seen.last_origin_ms)
