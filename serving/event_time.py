"""How far event time has come on each partition, by the rule that Flink's watermarks follow too."""


class EventTime:
    """The latest event time per topic and partition; records may be out of order by a bound."""

    def __init__(self, out_of_orderness_ms: int) -> None:
        self._bound_ms = out_of_orderness_ms
        self._latest: dict[tuple[str, int], int] = {}
        self._first: dict[tuple[str, int], int] = {}

    def advance(self, topic: str, partition: int, event_time_ms: int) -> None:
        """Takes the event time of a record or heartbeat."""
        key = (topic, partition)
        self._first.setdefault(key, event_time_ms)
        self._latest[key] = max(self._latest.get(key, 0), event_time_ms)

    def first_seen(self, topic: str, partition: int) -> int | None:
        """Event time of the first record of a partition."""
        return self._first.get((topic, partition))

    def latest(self, topic: str, partition: int) -> int:
        """The latest event time of a partition; -1 before the first."""
        return self._latest.get((topic, partition), -1)

    def complete_until(self, topic: str, partition: int) -> int:
        """The instant up to which (inclusive) every record has come; -1 before the first."""
        latest = self._latest.get((topic, partition))
        return -1 if latest is None else latest - self._bound_ms - 1

    def passed(self, topic: str, partition: int, instant_ms: int) -> bool:
        """Whether every record with an event time up to the instant has come."""
        return self.complete_until(topic, partition) >= instant_ms
