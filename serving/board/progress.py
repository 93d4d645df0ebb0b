"""How far each topic has come: records, their rate, and the newest event time; and what time the shop has."""

import time
from collections import deque
from dataclasses import dataclass, field

from serving.partition_log import Entry

_DAY_MS = 86_400_000
_RATE_SECONDS = 60
_EVENT_TIMES = ("event_time_ms", "window_end_ms", "matured_ms", "epoch_ms", "origin_ms", "as_of_ms")


@dataclass
class TopicProgress:
    """What has been read of one topic; times of reading are wall clock (seconds)."""

    records: int = 0
    newest_ms: int | None = None
    read_at: float | None = None
    seconds: deque[tuple[int, int]] = field(default_factory=deque)

    def note(self, event_time_ms: int | None, now: float) -> None:
        """Counts a record."""
        self.records += 1
        self.read_at = now
        if event_time_ms is not None and (self.newest_ms is None or event_time_ms > self.newest_ms):
            self.newest_ms = event_time_ms
        if self.seconds and self.seconds[-1][0] == int(now):
            self.seconds[-1] = (int(now), self.seconds[-1][1] + 1)
        else:
            self.seconds.append((int(now), 1))
            while self.seconds[0][0] < now - _RATE_SECONDS:
                self.seconds.popleft()

    def per_second(self, now: float) -> float:
        """Records a second over the last minute."""
        return (
            sum(count for second, count in tuple(self.seconds) if second >= now - _RATE_SECONDS)
            / _RATE_SECONDS
        )


class Progress:
    """Every topic read, by name."""

    def __init__(self) -> None:
        self.topics: dict[str, TopicProgress] = {}
        self._shop_ms = 0

    def note(self, entry: Entry) -> None:
        """Takes a record."""
        message = entry.message
        event_time_ms = next(
            (getattr(message, name) for name in _EVENT_TIMES if hasattr(message, name)), None
        )
        self.topics.setdefault(entry.topic, TopicProgress()).note(event_time_ms, time.time())
        if hasattr(message, "event_time_ms"):
            self._shop_ms = max(self._shop_ms, message.event_time_ms)

    @property
    def event_time_ms(self) -> int | None:
        """The newest event time that the shop or a planner has stated; None before the first."""
        return self._shop_ms or None

    def shop_time_ms(self) -> int:
        """The time to stamp on what a planner says now.

        The wall clock; but in a replay, whose events are more than a day old, the newest event time, so that
        the replay answers what is said during it.
        """
        now = round(time.time() * 1000)
        return self._shop_ms if 0 < self._shop_ms < now - _DAY_MS else now
