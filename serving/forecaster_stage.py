"""Forecasts every SKU whose day has closed, once per origin.

Made from the panel, final rows, price plans and matured scores.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kafka import TopicPartition

from batch.forecaster.champions import MODEL
from batch.forecaster.kept_state import KeptStates
from infra.contracts.codec import message_key
from infra.contracts.demand import (
    HORIZON_DAYS,
    DemandAccuracy,
    DemandFeatures,
    DemandForecast,
    IntradayForecast,
    RetrainRequest,
)
from infra.contracts.identity import retrain_request_id
from infra.contracts.shop import Item, LocationCalendar, PricePlan, Promotion
from infra.contracts.topics import (
    ACCURACY,
    CALENDARS,
    FEATURES,
    FORECASTS,
    INTRADAY_FORECASTS,
    ITEMS,
    PROMOTIONS,
    RETRAIN_REQUESTS,
)
from infra.kafka import topic_partitions
from infra.metrics import Meters
from serving.calibration.evidence import Comparison
from serving.demand_context import DemandContext
from serving.event_time import EventTime
from serving.forecast_feedback import ForecastFeedback
from serving.forecast_meters import ForecastMeters
from serving.forecast_source import ForecastSource
from serving.intraday import IntradayWatch
from serving.inventory.as_of import Versions
from serving.inventory.ledger import Key
from serving.inventory.local_days import local_date, midnight_after
from serving.item_life import is_awaited, within_life
from serving.made_quantiles import learned
from serving.partition_log import Entry, Outgoing

log = logging.getLogger(__name__)


def forecaster_partitions(owned: frozenset[int], partition_count: int) -> list[TopicPartition]:
    """What a Forecaster replica reads."""
    whole = topic_partitions([CALENDARS, RETRAIN_REQUESTS], range(partition_count))
    own = [FEATURES, FORECASTS, INTRADAY_FORECASTS, ACCURACY, ITEMS, PROMOTIONS]
    return whole + topic_partitions(own, sorted(owned))


@dataclass(frozen=True)
class _Batch:
    """Series of one location and day that are to be forecast."""

    origin_ms: int
    matured_ms: int
    calendar: LocationCalendar
    keys: list[Key]

    @property
    def location(self) -> str:
        return self.calendar.location


class ForecasterStage:
    """Turns final feature rows into forecasts.

    Rows wait until their location's calendar is known, until the price plans of their partitions have passed
    the origin, and until every score has come that matured by the day before: what a forecast rests on is
    fixed by event time, not by who was faster. After the deadline they go on with what is there. An origin
    that has a forecast in the log is not forecast again, whichever model made it: decisions may rest on it.

    Args:
        context: the recent days of every series.
        source: gives what to forecast with; asked for every batch, so that a promoted model serves at once.
        meters: takes the metrics.
        deadline_seconds: how long rows wait for scores and price plans.
        out_of_orderness_ms: bound of disorder of the price plans' event times.
        intraday: forecasts again within days that outrun their forecast; None does not.
    """

    def __init__(
        self,
        context: DemandContext,
        source: Callable[[], ForecastSource],
        meters: Meters,
        deadline_seconds: float,
        out_of_orderness_ms: int,
        intraday: IntradayWatch | None = None,
    ) -> None:
        self._context, self._source, self._meters = context, source, ForecastMeters(meters)
        self._deadline_seconds = deadline_seconds
        self._calendars: Versions[str, LocationCalendar] = Versions()
        self._items: Versions[Key, Item] = Versions()
        self._published: set[tuple[Key, int]] = set()
        self._planned_until = EventTime(out_of_orderness_ms)
        self._pending: dict[tuple[int, str], dict[str, DemandFeatures]] = {}
        self._partitions: dict[tuple[int, str], set[int]] = {}
        self._waiting_since: dict[tuple[int, str], float] = {}
        self._feedback = ForecastFeedback()
        self._requested: set[str] = set()
        self._states: KeptStates | None = None
        self._unrecorded = True
        self._intraday = intraday

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        self._unrecorded |= isinstance(message, DemandForecast | RetrainRequest)
        if entry.topic == PROMOTIONS:
            self._planned_until.advance(PROMOTIONS, entry.partition, message.event_time_ms)
        match message:
            case DemandFeatures() if message.is_final:
                self._note_row(message, entry.partition)
            case DemandFeatures() if self._intraday:
                self._intraday.note_row(message)
            case IntradayForecast() if self._intraday:
                self._intraday.note_made(message)
            case PricePlan() | Promotion():
                self._context.plans.put(message, entry.offset)
            case LocationCalendar():
                self._calendars.put(message.location, message.event_time_ms, entry.offset, message)
            case Item():
                self._items.put((message.sku, message.location), message.event_time_ms, entry.offset, message)
            case DemandForecast():
                self._note_forecast(message)
            case DemandAccuracy():
                self._feedback.apply(message)
            case RetrainRequest():
                self._requested.add(message.model_id)

    def _note_row(self, row: DemandFeatures, partition: int) -> None:
        pending = (row.window_end_ms, row.location)
        self._pending.setdefault(pending, {}).setdefault(row.sku, row)
        self._partitions.setdefault(pending, set()).add(partition)
        self._feedback.note_row((row.sku, row.location), row.window_end_ms)

    def _note_forecast(self, message: DemandForecast) -> None:
        key = (message.sku, message.location)
        self._published.add((key, message.origin_ms))
        self._meters.note_in_log(message)
        self._feedback.note_forecast(key, message.origin_ms)
        if self._intraday:
            self._intraday.note_forecast(message)

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Forecasts of the days that closed, oldest origin first."""
        held: set[str] = set()
        for origin_ms, location in sorted(self._pending):
            calendar = self._calendars.get(location, origin_ms)
            if calendar is None or location in held:
                continue
            matured_ms = midnight_after(origin_ms, -1, calendar.time_zone)
            if not self._is_ready((origin_ms, location), matured_ms, calendar, now):
                held.add(location)
                continue
            rows = self._pending.pop((origin_ms, location))
            del self._partitions[(origin_ms, location)]
            new = self._unpublished(rows, origin_ms, calendar)
            if new:
                keys = sorted({*new, *self._awaited(location, origin_ms, calendar)})
                yield from self._forecast(_Batch(origin_ms, matured_ms, calendar, keys))
            self._feedback.forget(location, matured_ms, calendar)
        if self._intraday:
            made = list(self._intraday.due(self._time_zone))
            yield [Outgoing(INTRADAY_FORECASTS, message_key(each.sku, each.location), each) for each in made]
        self._record(now)

    def _time_zone(self, location: str, at_ms: int) -> str | None:
        calendar = self._calendars.get(location, at_ms)
        return None if calendar is None else calendar.time_zone

    def _is_ready(
        self, pending: tuple[int, str], matured_ms: int, calendar: LocationCalendar, now: float
    ) -> bool:
        """Whether all has come, or the deadline; rows that are published already need nothing."""
        origin_ms, location = pending
        published = all(((sku, location), origin_ms) in self._published for sku in self._pending[pending])
        lacking = None if published else self._lacking(pending, matured_ms, calendar)
        if lacking:
            if now - self._waiting_since.setdefault(pending, now) < self._deadline_seconds:
                return False
            log.warning("%s at %d: forecast without %s", location, origin_ms, lacking)
            self._meters.note_deadline()
        self._waiting_since.pop(pending, None)
        return True

    def _lacking(self, pending: tuple[int, str], matured_ms: int, calendar: LocationCalendar) -> str | None:
        """What has not come of what the forecasts of these rows rest on."""
        origin_ms, location = pending
        partitions = self._partitions[pending]
        if not all(self._planned_until.passed(PROMOTIONS, each, origin_ms) for each in partitions):
            return f"all price plans up to then: {PROMOTIONS} has no later record or heartbeat"
        if not self._feedback.is_complete(location, matured_ms, calendar):
            return "all scores of the days before"
        return None

    def _unpublished(
        self, rows: dict[str, DemandFeatures], origin_ms: int, calendar: LocationCalendar
    ) -> list[Key]:
        """The keys of rows that go into the context and still lack their forecast, by SKU."""
        added = [sku for sku in sorted(rows) if self._context.append(rows[sku], calendar)]
        keys = [(sku, calendar.location) for sku in added]
        new = [key for key in keys if (key, origin_ms) not in self._published]
        self._published -= {((sku, calendar.location), origin_ms) for sku in rows}
        return new

    def _awaited(self, location: str, origin_ms: int, calendar: LocationCalendar) -> list[Key]:
        """Items with their launch ahead, which have no rows yet and are ordered for nevertheless."""
        until_ms = midnight_after(origin_ms, HORIZON_DAYS, calendar.time_zone)
        known = ((key, self._items.get(key, origin_ms)) for key in self._items if key[1] == location)
        awaited = [key for key, item in known if item and is_awaited(item, origin_ms, until_ms)]
        return [key for key in awaited if not self._feedback.has_forecast(key, origin_ms)]

    def _forecast(self, batch: _Batch) -> Iterator[list[Outgoing]]:
        started = time.perf_counter()
        source = self._source()
        verdicts = self._feedback.verdicts(
            source.roles(batch.keys), batch.location, source.model_id, batch.matured_ms
        )
        worse = next((verdicts[pair] for pair in verdicts if pair[0] == MODEL), None)
        if worse is not None and source.model_id not in self._requested:
            yield [_retrain_request(batch, source.model_id, worse)]
            self._requested.add(source.model_id)
        day = local_date(batch.origin_ms - 1, batch.calendar.time_zone)
        items = [self._items.get(key, batch.origin_ms) for key in batch.keys]
        window = self._context.window(batch.keys, day, batch.calendar, source.horizon_days)
        window = within_life(window, items, batch.calendar.time_zone)
        suspended = {pair: verdict.reason for pair, verdict in verdicts.items()}
        correction = learned(self._feedback, source.model_id, batch.matured_ms)
        states = self._states_of(source)
        forecasts = source.forecast(window, batch.keys, batch.origin_ms, correction, suspended, states, items)
        self._meters.note_made(forecasts, time.perf_counter() - started)
        for forecast in forecasts:
            self._feedback.note_forecast((forecast.sku, forecast.location), batch.origin_ms)
        yield [Outgoing(FORECASTS, message_key(each.sku, each.location), each) for each in forecasts]

    def _states_of(self, source: ForecastSource) -> KeptStates | None:
        """The states that the source's model has kept; another model starts with none."""
        if source.predictor is None:
            return None
        if self._states is None or self._states.predictor is not source.predictor:
            self._states = KeptStates(source.predictor)
        return self._states

    def _record(self, now: float) -> None:
        """Sets the gauges if what they show may have changed."""
        if not (self._unrecorded or self._waiting_since):
            return
        self._unrecorded = bool(self._waiting_since)
        source = self._source()
        waiting = max((now - since for since in self._waiting_since.values()), default=0.0)
        self._meters.record(source, source.model_id in self._requested, waiting)


def _retrain_request(batch: _Batch, model_id: str, verdict: Comparison) -> Outgoing:
    request = RetrainRequest(
        request_id=retrain_request_id(model_id),
        event_time_ms=batch.origin_ms,
        model_id=model_id,
        location=batch.location,
        reason=verdict.reason,
        days=verdict.days,
        model_pinball=verdict.model,
        fallback_pinball=verdict.fallback,
        t_statistic=verdict.t_statistic,
    )
    return Outgoing(RETRAIN_REQUESTS, model_id.encode(), request)
