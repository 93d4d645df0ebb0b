"""Which epochs await a decision: reviews that a partition's stock levels have passed, or forecast origins."""

from collections.abc import Mapping

from infra.contracts.demand import DemandForecast
from infra.contracts.topics import STOCK_LEVELS
from serving.inventory.local_days import is_review, review_instants
from serving.planner_state import PlannerState

EpochOfPartition = tuple[int, int]
"""Epoch (ms) and partition."""


class OpenEpochs:
    """Epochs from their first sign until they are closed.

    A review counts from the first stock level of its partition on; what lies before is not decided after
    the event. Where another partition has completed an epoch, it is an epoch of every partition.
    """

    def __init__(self, owned: frozenset[int]) -> None:
        self._owned = sorted(owned)
        self._first_sign: dict[EpochOfPartition, float] = {}
        self._closed: set[EpochOfPartition] = set()
        self._scanned: dict[tuple[int, str], int] = {}
        self._origins: set[tuple[int, int, str]] = set()
        self._completed: set[int] = set()

    def note_forecast(self, forecast: DemandForecast, partition: int) -> None:
        """A forecast has come; if its origin is a review, that is the epoch's first sign."""
        if (forecast.origin_ms, partition) not in self._closed:
            self._origins.add((forecast.origin_ms, partition, forecast.location))

    def note_completion(self, epoch_ms: int) -> None:
        """Some partition has completed the epoch."""
        self._completed.add(epoch_ms)

    def scan(self, state: PlannerState, now: float) -> Mapping[EpochOfPartition, float]:
        """The open epochs, earliest first, with the time (seconds) of their first sign."""
        for partition in self._owned:
            for location in state.calendars:
                self._scan_levels(state, partition, location, now)
        for origin in sorted(self._origins):
            self._scan_origin(state, origin, now)
        for partition in self._owned:
            for epoch in self._completed:
                self._open((epoch, partition), now)
        self._completed.clear()
        return dict(sorted(self._first_sign.items()))

    def _scan_levels(self, state: PlannerState, partition: int, location: str, now: float) -> None:
        first = state.event_time.first_seen(STOCK_LEVELS, partition)
        until = state.event_time.complete_until(STOCK_LEVELS, partition)
        after = self._scanned.get((partition, location), first)
        calendar = state.calendars.get(location, until)
        if after is None or calendar is None or until <= after:
            return
        for epoch in review_instants(after, until, calendar):
            self._open((epoch, partition), now)
        self._scanned[(partition, location)] = until

    def _scan_origin(self, state: PlannerState, origin: tuple[int, int, str], now: float) -> None:
        epoch, partition, location = origin
        calendar = state.calendars.get(location, epoch)
        if calendar is None:
            return
        self._origins.discard(origin)
        if is_review(epoch, calendar):
            self._open((epoch, partition), now)

    def _open(self, epoch: EpochOfPartition, now: float) -> None:
        if epoch not in self._closed:
            self._first_sign.setdefault(epoch, now)

    def close(self, epoch: EpochOfPartition) -> None:
        """The epoch is decided; later signs of it are ignored."""
        self._first_sign.pop(epoch, None)
        self._closed.add(epoch)

    def waiting_seconds(self, now: float) -> float:
        """How long the epoch that waits longest has waited; 0 where none does."""
        return max((now - first_sign for first_sign in self._first_sign.values()), default=0.0)

    def earliest(self) -> int | None:
        """The earliest open epoch."""
        return min((epoch for epoch, _ in self._first_sign), default=None)
