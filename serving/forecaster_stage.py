"""Forecasts every SKU whose day has closed, once per origin, from the panel and the final feature rows."""

import time
from collections.abc import Iterator

from kafka import TopicPartition

from infra.contracts.codec import message_key
from infra.contracts.demand import DemandFeatures, DemandForecast
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import CALENDARS, FEATURES, FORECASTS
from infra.kafka import topic_partitions
from infra.metrics import Meters
from serving.demand_context import DemandContext
from serving.forecast_source import ForecastSource
from serving.inventory.as_of import Versions
from serving.inventory.ledger import Key
from serving.inventory.local_days import local_date
from serving.partition_log import Entry, Outgoing


def forecaster_partitions(owned: frozenset[int], partition_count: int) -> list[TopicPartition]:
    """What a Forecaster replica reads."""
    whole = topic_partitions([CALENDARS], range(partition_count))
    return whole + topic_partitions([FEATURES, FORECASTS], sorted(owned))


class ForecasterStage:
    """Turns final feature rows into forecasts.

    Rows wait until their location's calendar is known. An origin that has a forecast in the log is not
    forecast again, whichever model made it: decisions may rest on it.
    """

    def __init__(self, context: DemandContext, source: ForecastSource, meters: Meters) -> None:
        self._context, self._source, self._meters = context, source, meters
        self._calendars: Versions[str, LocationCalendar] = Versions()
        self._published: set[tuple[Key, int]] = set()
        self._pending: dict[tuple[int, str], dict[str, DemandFeatures]] = {}

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        match message:
            case DemandFeatures() if message.is_final:
                rows = self._pending.setdefault((message.window_end_ms, message.location), {})
                rows.setdefault(message.sku, message)
            case LocationCalendar():
                self._calendars.put(message.location, message.event_time_ms, entry.offset, message)
            case DemandForecast():
                self._published.add(((message.sku, message.location), message.origin_ms))

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Forecasts of the days that closed, oldest origin first."""
        for origin_ms, location in sorted(self._pending):
            calendar = self._calendars.get(location, origin_ms)
            if calendar is None:
                continue
            rows = self._pending.pop((origin_ms, location))
            added = [rows[sku] for sku in sorted(rows) if self._context.append(rows[sku], calendar)]
            new = [row for row in added if ((row.sku, location), origin_ms) not in self._published]
            self._published -= {((sku, location), origin_ms) for sku in rows}
            if new:
                yield self._forecast(new, calendar)

    def _forecast(self, rows: list[DemandFeatures], calendar: LocationCalendar) -> list[Outgoing]:
        started = time.perf_counter()
        keys = [(row.sku, row.location) for row in rows]
        origin_ms = rows[0].window_end_ms
        day = local_date(rows[0].window_start_ms, calendar.time_zone)
        window = self._context.window(keys, day, calendar, self._source.horizon_days)
        forecasts = self._source.forecast(window, keys, origin_ms)
        for forecast in forecasts:
            self._meters.record("stockstream_forecasts_total", forecaster=forecast.forecaster)
        self._meters.record("stockstream_forecast_seconds", time.perf_counter() - started)
        self._meters.record("stockstream_last_epoch_seconds", origin_ms / 1000, stage="forecaster")
        return [Outgoing(FORECASTS, message_key(each.sku, each.location), each) for each in forecasts]
