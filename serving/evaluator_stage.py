"""Scores matured forecasts against the final rows of the days they were about."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from kafka import TopicPartition

from infra.contracts.codec import message_key
from infra.contracts.demand import (
    DemandAccuracy,
    DemandFeatures,
    DemandForecast,
    Score,
)
from infra.contracts.identity import forecaster_name
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import ACCURACY, CALENDARS, FEATURES, FORECASTS
from infra.kafka import topic_partitions
from infra.metrics import Meters
from serving.accuracy_summary import AccuracySummary
from serving.calibration.running_error import RunningError
from serving.fill_rate import FillRate
from serving.inventory.as_of import Versions
from serving.inventory.ledger import Key
from serving.matured_days import DemandDays, Outcome, midnights, opens_on
from serving.matured_forecasts import Awaited, Matured, Period, accuracy_record, scores_of, to_await
from serving.partition_log import Entry, Outgoing

BATCH = 2000
"""Records per acknowledgement."""

_NEVER = -1


def evaluator_partitions(owned: frozenset[int], partition_count: int) -> list[TopicPartition]:
    """What an Evaluator replica reads; all about a SKU lies in partitions of the same number."""
    whole = topic_partitions([CALENDARS], range(partition_count))
    return whole + topic_partitions([FEATURES, FORECASTS, ACCURACY], sorted(owned))


class EvaluatorStage:
    """Turns forecasts and final rows into accuracy records.

    A forecast matures at a horizon when a final row of its SKU comes for the last day or a later one. What is
    in the log is not scored again; the running errors go on from the last record that is there.
    """

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._calendars: Versions[str, LocationCalendar] = Versions()
        self._days = DemandDays()
        self._awaited: dict[Key, list[Awaited]] = defaultdict(list)
        self._last_origin: dict[Key, int] = {}
        self._scored: dict[tuple[Key, int, bool], int] = {}
        self._errors: dict[tuple[Key, str, int, Period], RunningError] = {}
        self._summary = AccuracySummary()
        self._fill_rate = FillRate()
        self._touched: set[Key] = set()

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        match message:
            case DemandFeatures() if message.is_final:
                self._days.add(message)
                self._fill_rate.add(message)
                self._touched.add((message.sku, message.location))
            case LocationCalendar():
                self._calendars.put(message.location, message.event_time_ms, entry.offset, message)
            case DemandForecast():
                self._await(message)
            case DemandAccuracy():
                self._note(message)

    def _await(self, forecast: DemandForecast) -> None:
        key = (forecast.sku, forecast.location)
        if forecast.origin_ms <= self._last_origin.get(key, _NEVER):
            return
        self._last_origin[key] = forecast.origin_ms
        self._awaited[key] += to_await(forecast)
        self._touched.add(key)

    def _note(self, scored: DemandAccuracy) -> None:
        """A score is in the log: it is not made again, and the next one builds on it."""
        key = (scored.sku, scored.location)
        series = (key, scored.horizon_days, scored.served)
        if scored.origin_ms <= self._scored.get(series, _NEVER):
            return
        self._scored[series] = scored.origin_ms
        self._summary.add(scored)
        name = forecaster_name(scored.forecaster, scored.model_id)
        periods: dict[Period, Score | None] = {"day": scored.day, "total": scored.total}
        for period, made in periods.items():
            if made is not None:
                running = RunningError(made.scored, made.cfe, made.mean_absolute_error)
                self._errors[(key, name, scored.horizon_days, period)] = running

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Scores of the forecasts that matured, by SKU and origin."""
        matured = [each for key in sorted(self._touched) for each in self._take_matured(key)]
        for start in range(0, len(matured), BATCH):
            records = self._score(matured[start : start + BATCH])
            yield [Outgoing(ACCURACY, message_key(each.sku, each.location), each) for each in records]
        if matured:
            self._summary.record(self._meters)
        self._fill_rate.record(self._meters)

    def _take_matured(self, key: Key) -> list[Matured]:
        closed_ms = self._days.closed_until(key)
        calendar = self._calendars.get(key[1], closed_ms)
        if calendar is None:
            return []
        self._touched.discard(key)
        matured, waiting = [], []
        for awaited in self._awaited[key]:
            if self._is_scored(awaited):
                continue
            days = midnights(awaited.origin_ms, calendar.time_zone, awaited.horizon_days)
            if days[-1] <= closed_ms:
                matured.append(Matured(awaited, days[-1], self._outcomes(awaited, days, calendar)))
            else:
                waiting.append(awaited)
        self._awaited[key] = waiting
        oldest = [awaited.origin_ms for awaited in waiting]
        self._days.forget(key, min([*oldest, self._last_origin.get(key, _NEVER)]))
        return matured

    def _is_scored(self, awaited: Awaited) -> bool:
        series = (awaited.key, awaited.horizon_days, awaited.served)
        return awaited.origin_ms <= self._scored.get(series, _NEVER)

    def _outcomes(
        self, awaited: Awaited, days: Sequence[int], calendar: LocationCalendar
    ) -> dict[Period, Outcome]:
        outcomes: dict[Period, Outcome] = {}
        if opens_on(awaited.origin_ms, awaited.horizon_days, calendar):
            outcomes["day"] = self._days.outcome(awaited.key, days[-2:-1], calendar)
        if "total" in awaited.quantiles:
            outcomes["total"] = self._days.outcome(awaited.key, days[:-1], calendar)
        return outcomes

    def _score(self, batch: Sequence[Matured]) -> list[DemandAccuracy]:
        wanted = [(each, period, outcome) for each in batch for period, outcome in each.outcomes.items()]
        made = iter(scores_of(wanted))
        records = []
        for each in batch:
            scored = {period: self._with_running(each, period, next(made)) for period in each.outcomes}
            records.append(accuracy_record(each, scored))
            self._note(records[-1])
            self._meters.record("stockstream_scores_total", forecaster=each.awaited.forecaster)
        return records

    def _with_running(self, matured: Matured, period: Period, made: Score) -> Score:
        awaited = matured.awaited
        series = (awaited.key, awaited.name, awaited.horizon_days, period)
        running = self._errors.get(series, RunningError())
        if made.bias is not None:
            running = running.after(-made.bias)
        return made.model_copy(update={**asdict(running), "tracking_signal": running.tracking_signal})
