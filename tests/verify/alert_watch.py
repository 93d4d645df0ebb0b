"""Watches the alerts of a Prometheus, and keeps a ledger of what was induced and what came of it."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.local.health import read_alerts
from infra.local.processes import wait_until

REACTION_SECONDS = 60.0
"""What an alert may take beyond its own wait: scrapes, reports, evaluations and its threshold of age."""
RESOLUTION_SECONDS = 300.0
_POLL_SECONDS = 0.5


@dataclass
class Induced:
    """One alert that was brought about; times in seconds, of which `limit` is what it may take to fire."""

    alert: str
    cause: str
    limit: float
    fired_after: float | None = None
    resolved_after: float | None = None

    @property
    def in_time(self) -> bool:
        return self.fired_after is not None and self.fired_after <= self.limit


@dataclass
class AlertWatch:
    """The alerts of one Prometheus, seen twice a second.

    Attributes:
        port: loopback port of the Prometheus.
        holds: seconds of each alert's own wait.
        ledger: what was induced.
    """

    port: int
    holds: dict[str, float]
    ledger: list[Induced] = field(default_factory=list)
    _firing: set[str] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            alerts = read_alerts(self.port)
            if alerts is not None:
                self._firing = {alert.name for alert in alerts if alert.state == "firing"}

    def induce(
        self, cause: str, act: Callable[[], object], cure: Callable[[], object], alerts: dict[str, float]
    ) -> None:
        """Acts until the alerts fire, then cures until they are silent; both go into the ledger.

        Args:
            cause: what is done, for the ledger.
            act: does it.
            cure: ends it.
            alerts: the alerts that it brings about, and after how many seconds what they are about begins.
        """
        rows = [
            Induced(name, cause, delay + self.holds[name] + REACTION_SECONDS)
            for name, delay in alerts.items()
        ]
        self.ledger += rows
        act()
        self._follow(rows, "fired_after", max(row.limit for row in rows) + REACTION_SECONDS, firing=True)
        cure()
        self._follow(rows, "resolved_after", RESOLUTION_SECONDS, firing=False)

    def _follow(self, rows: list[Induced], when: str, timeout_seconds: float, firing: bool) -> None:
        """Notes when each alert came or went; what does neither in time stays None."""
        began = time.monotonic()

        def all_noted() -> bool:
            for row in rows:
                if getattr(row, when) is None and (row.alert in self._firing) == firing:
                    setattr(row, when, round(time.monotonic() - began, 1))
            waiting = [row for row in rows if getattr(row, when) is None]
            return not waiting or time.monotonic() - began > timeout_seconds

        wait_until(all_noted, 2 * timeout_seconds, f"{when} of {rows[0].cause}")

    def write(self, file: Path) -> None:
        """Writes the ledger."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            json.dumps([{**asdict(row), "in_time": row.in_time} for row in self.ledger], indent=2)
        )
