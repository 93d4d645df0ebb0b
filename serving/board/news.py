"""Which decisions are new, for streams that tell of them as they come."""

from collections import deque

KEPT = 1000


class News:
    """The last new decisions, numbered from 1 on."""

    def __init__(self) -> None:
        self.count = 0
        self._last: deque[str] = deque(maxlen=KEPT)

    def add(self, decision_id: str) -> None:
        """Notes a new decision."""
        self._last.append(decision_id)
        self.count += 1

    def since(self, count: int) -> list[str]:
        """The decisions after the first `count`, at most the last `KEPT`."""
        new = self.count - count
        return list(self._last)[-new:] if new > 0 else []
