"""Which decisions are new, for streams that tell of them as they come."""

from collections import deque
from threading import Lock

KEPT = 1000


class News:
    """The last new decisions, numbered from 1 on."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()
        self._last: deque[str] = deque(maxlen=KEPT)

    def add(self, decision_id: str) -> None:
        """Notes a new decision."""
        with self._lock:
            self._last.append(decision_id)
            self.count += 1

    def since(self, count: int) -> tuple[int, list[str]]:
        """How many there are now, and those after the first `count`, at most the last `KEPT`."""
        with self._lock:
            new = self.count - count
            return self.count, list(self._last)[-new:] if new > 0 else []
