"""What calls for a decision between reviews, until every input has passed its instant."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from infra.contracts import identity
from infra.contracts.demand import IntradayForecast
from infra.contracts.planning import Override
from infra.contracts.shop import StockLevel, StockMovement
from serving.partition_log import Entry

WATCHED_MS = 8 * 24 * 3600 * 1000
"""Every location reviews at least weekly: a stock level older than this has been reviewed."""


INTRADAY: Final = "intraday"
"""The kind of a forecast made within a day."""


@dataclass(frozen=True, order=True)
class Trigger:
    """The instant, the kind and the stable id of a record that may call for a decision, and its scope."""

    epoch_ms: int
    kind: Literal["override", "stock_count", "stock_level", "intraday"]
    record_id: str
    scope: str

    @property
    def by_planner(self) -> bool:
        """Whether a person asks for the decision."""
        return self.kind == "override"

    @property
    def cause(self) -> str:
        """What a decision that it leads to names as its cause."""
        return identity.cause(self.kind, self.record_id)


class Triggers:
    """Records that are still to be judged, by their instants.

    Args:
        deadline_seconds: how long an override or a stock count waits for inputs to pass its instant. Stock
            levels have no deadline: the next review has one, and takes in whatever they stood for.
        watch: forecasts made within the day are triggers too, and stock levels: each day's snapshot, and a
            level of nothing that is free.
    """

    def __init__(self, deadline_seconds: float, watch: bool) -> None:
        self._deadline_seconds, self._watch = deadline_seconds, watch
        self._first_sign: dict[Trigger, float] = {}
        self._records: list[Trigger] = []
        self._levels: list[Trigger] = []

    def __bool__(self) -> bool:
        return bool(self._records or self._levels)

    def apply(self, entry: Entry) -> None:
        """Takes a record, which a repetition makes another trigger of the same decision."""
        match entry.message:
            case Override() as override:
                scope, record_id = override.scope, override.override_id
                heapq.heappush(self._records, Trigger(override.event_time_ms, "override", record_id, scope))
            case StockMovement(event_type="stock_count") as count:
                made = Trigger(count.event_time_ms, "stock_count", count.event_id, _scope(count))
                heapq.heappush(self._records, made)
            case StockLevel() as level if self._watch and _is_watched(level):
                made = Trigger(level.event_time_ms, "stock_level", level.event_id, _scope(level))
                heapq.heappush(self._levels, made)
                self._drop_before(level.event_time_ms - WATCHED_MS)

            case IntradayForecast() as made if self._watch:
                origin_ms, scope = made.forecast.origin_ms, f"sku:{made.sku}|{made.location}"
                heapq.heappush(self._levels, Trigger(origin_ms, INTRADAY, str(origin_ms), scope))
                self._drop_before(origin_ms - WATCHED_MS)

    def _drop_before(self, time_ms: int) -> None:
        while self._levels[0].epoch_ms < time_ms:
            heapq.heappop(self._levels)

    def passed(self, has_passed: Callable[[int], bool], now: float) -> Iterator[tuple[Trigger, bool]]:
        """Takes out those due at `now` (seconds), the earliest first, and whether an input is stale."""
        while self._levels and has_passed(self._levels[0].epoch_ms):
            yield heapq.heappop(self._levels), False
        for trigger in self._records:
            self._first_sign.setdefault(trigger, now)
        while self._records and (due := self._is_due(self._records[0], has_passed, now)):
            self._first_sign.pop(self._records[0], None)
            yield heapq.heappop(self._records), due == "stale"

    def _is_due(
        self, trigger: Trigger, has_passed: Callable[[int], bool], now: float
    ) -> Literal["passed", "stale"] | None:
        if has_passed(trigger.epoch_ms):
            return "passed"
        waited = now - self._first_sign.get(trigger, now)
        return "stale" if waited >= self._deadline_seconds else None

    def earliest(self) -> int | None:
        """The earliest instant of all."""
        return min((heap[0].epoch_ms for heap in (self._records, self._levels) if heap), default=None)


def _is_watched(level: StockLevel) -> bool:
    return level.event_type == "snapshot" or level.on_hand <= level.reserved


def _scope(record: StockLevel | StockMovement) -> str:
    return f"sku:{record.sku}|{record.location}"
