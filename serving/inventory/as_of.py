"""Values that change over event time, queryable as of any instant."""

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Versions(Generic[K, V]):
    """Versions of a value per key: the latest event time wins, ties go to the later offset."""

    def __init__(self) -> None:
        self._versions: dict[K, list[tuple[int, int, V]]] = {}

    def put(self, key: K, event_time_ms: int, offset: int, value: V) -> None:
        """Takes a version; repeating one changes nothing."""
        versions = self._versions.setdefault(key, [])
        if not any(entry[:2] == (event_time_ms, offset) for entry in versions):
            insort(versions, (event_time_ms, offset, value), key=lambda entry: entry[:2])

    def get(self, key: K, as_of_ms: int) -> V | None:
        """The version valid at an instant, None before the first."""
        versions = self._versions.get(key, [])
        known = bisect_right(versions, as_of_ms, key=lambda entry: entry[0])
        return versions[known - 1][2] if known else None

    def latest(self, key: K) -> V | None:
        """The newest version."""
        versions = self._versions.get(key)
        return versions[-1][2] if versions else None

    def __iter__(self) -> Iterator[K]:
        """Every key, in the order of first appearance."""
        return iter(self._versions)
