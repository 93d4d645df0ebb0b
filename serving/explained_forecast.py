"""A forecast with what moved it: the published one from the records of its series, or one over the panel."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from batch.forecaster.champions import FALLBACK, MODEL
from batch.forecaster.explanation import Explanation, explain_fallback, explain_model
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.quantile_function import mean
from batch.forecaster.windows import DemandWindow
from infra.contracts.demand import DemandFeatures, DemandForecast, Forecaster
from infra.contracts.shop import LocationCalendar, PricePlan, Promotion
from infra.errors import StockstreamError
from serving.demand_context import DemandContext, context_digests
from serving.forecast_source import FALLBACK_HISTORY_DAYS, ForecastSource
from serving.inventory.as_of import Versions
from serving.inventory.ledger import Key
from serving.inventory.local_days import local_date
from serving.made_quantiles import COLD_START


@dataclass(frozen=True)
class Explained:
    """An explanation and the forecast it is of.

    Attributes:
        origin: the first day of the horizon.
        forecaster: which forecaster is explained, and why it is the fallback if it is.
        published_mean: of the published forecast; None where the explained one was not published.
        same_context: whether the days explained are those that the published forecast read.
    """

    sku: str
    location: str
    origin: date
    forecaster: Forecaster
    model_id: str
    fallback_reason: str | None
    published_mean: float | None
    same_context: bool | None
    explanation: Explanation


@dataclass
class SeriesRecords:
    """What the topics say of one series."""

    rows: dict[int, DemandFeatures] = field(default_factory=dict)
    forecasts: dict[int, DemandForecast] = field(default_factory=dict)
    plans: list[tuple[Promotion | PricePlan, int]] = field(default_factory=list)
    calendars: Versions[str, LocationCalendar] = field(default_factory=Versions)

    def take(self, message: Any, offset: int) -> None:
        """Takes a record of the series, or the calendar of a location; of repetitions the first counts."""
        match message:
            case DemandFeatures() if message.is_final:
                self.rows.setdefault(message.window_end_ms, message)
            case DemandForecast():
                self.forecasts.setdefault(message.origin_ms, message)
            case PricePlan() | Promotion():
                self.plans.append((message, offset))
            case LocationCalendar():
                self.calendars.put(message.location, message.event_time_ms, offset, message)


def explain_published(
    records: SeriesRecords,
    panel: DemandPanel | None,
    source: ForecastSource,
    key: Key,
    origin: date | None,
    days: int,
) -> Explained:
    """Explains the published forecast of a series whose horizon begins on a day, or the latest.

    Raises:
        StockstreamError: there is no such forecast, it is a new item's, or the model in service is another
            one by now.
    """
    forecast, calendar = _published(records, key, origin)
    if forecast.forecaster == COLD_START:
        raise StockstreamError(
            f"the forecast of {key[0]} is a new item's: it follows from comparable items, not from its days"
        )
    if forecast.forecaster not in (MODEL, FALLBACK):
        raise StockstreamError(
            f"the forecast of {key[0]} is of {forecast.forecaster}, the best of segment {forecast.segment}: "
            f"only forecasts of {MODEL} and {FALLBACK} can be explained"
        )
    if forecast.forecaster != FALLBACK and forecast.model_id != source.model_id:
        raise StockstreamError(
            f"the forecast of {key[0]} is of model {forecast.model_id}, in service is {source.model_id}: "
            "only forecasts of the model in service can be explained"
        )
    context = DemandContext(max(source.history_days, FALLBACK_HISTORY_DAYS), panel)
    for plan, offset in records.plans:
        context.plans.put(plan, offset)
    for end_ms in sorted(end_ms for end_ms in records.rows if end_ms <= forecast.origin_ms):
        context.append(records.rows[end_ms], calendar)
    first = local_date(forecast.origin_ms, calendar.time_zone)
    window = context.window([key], first - timedelta(days=1), calendar, source.horizon_days)
    published = float(mean(np.array(forecast.quantiles))[:days].sum())
    same = context_digests(window) == [forecast.context_digest]
    predictor = source.predictor if forecast.forecaster == MODEL else None
    return _explained(window, source, key, days, predictor, forecast.fallback_reason, published, same)


def explain_panel(panel: DemandPanel, source: ForecastSource, key: Key, origin: date, days: int) -> Explained:
    """Explains what the model in service says at a past day of the panel; it may have learned from that day.

    Raises:
        StockstreamError: the panel does not have the series.
    """
    if key not in panel.series:
        raise StockstreamError(f"the panel has no SKU {key[0]!r} at location {key[1]!r}")
    row = panel.series.index(key)
    last, history = panel.index(origin) - 1, max(source.history_days, FALLBACK_HISTORY_DAYS)
    window = panel.rows(slice(row, row + 1)).window(last, history, source.horizon_days)
    return _explained(window, source, key, days, source.predictor, source.fallback_reason, None, None)


def _explained(
    window: DemandWindow,
    source: ForecastSource,
    key: Key,
    days: int,
    predictor: Predictor | None,
    fallback_reason: str | None,
    published_mean: float | None,
    same_context: bool | None,
) -> Explained:
    explanation = (
        explain_fallback(window, days) if predictor is None else explain_model(predictor, window, key, days)
    )
    return Explained(
        *key,
        origin=window.last_day + timedelta(days=1),
        forecaster=FALLBACK if predictor is None else MODEL,
        model_id=source.model_id,
        fallback_reason=fallback_reason,
        published_mean=published_mean,
        same_context=same_context,
        explanation=explanation,
    )


def _published(
    records: SeriesRecords, key: Key, origin: date | None
) -> tuple[DemandForecast, LocationCalendar]:
    sku, location = key
    by_day = {}
    for origin_ms, forecast in sorted(records.forecasts.items()):
        calendar = records.calendars.get(location, origin_ms)
        if calendar is not None:
            by_day[local_date(origin_ms, calendar.time_zone)] = forecast, calendar
    if not by_day:
        raise StockstreamError(f"no forecast of SKU {sku!r} at location {location!r} is published")
    wanted = max(by_day) if origin is None else origin
    if wanted not in by_day:
        raise StockstreamError(
            f"no forecast of SKU {sku!r} has the origin {wanted}: there are {min(by_day)} to {max(by_day)}"
        )
    return by_day[wanted]
