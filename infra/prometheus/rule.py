"""What a rule is, and how its durations shrink for a stack that lives for minutes.

Expressions are PromQL with one addition: a duration may stand where PromQL of Prometheus 2 wants a number of
seconds (`time() - x > 15m`), so that a time scale reaches thresholds as well as windows.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

SHORTEST_SECONDS = 30.0
"""Windows and thresholds shrink to no less: scrapes and Ray's reports are seconds apart."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?P<window>\[|offset )?(?<![\w.:])(?P<number>\d+)(?P<unit>[smhd])(?![\w:])")


@dataclass(frozen=True)
class Recording:
    """A series computed once for alerts and panels: `level:metric:operation`."""

    name: str
    expression: str

    def rule(self, time_scale: float) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"record": self.name, "expr": scaled(self.expression, time_scale)}


@dataclass(frozen=True)
class Alert:
    """What somebody must know: at once (`page`) or the next working day (`ticket`).

    Args:
        name: heading of its section in the runbook.
        expression: holds while something is wrong.
        hold: how long it must hold before the alert fires.
        summary: for the person who reads it; `{{ $value }}` and `{{ $labels.x }}` are filled in.
    """

    name: str
    expression: str
    hold: str
    severity: Literal["page", "ticket"]
    summary: str

    def rule(self, time_scale: float) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": scaled(self.expression, time_scale),
            "for": _milliseconds(seconds(self.hold) / time_scale) if time_scale != 1 else self.hold,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "runbook_url": f"infra/runbook.md#{self.name.lower()}"},
        }


def scaled(expression: str, time_scale: float) -> str:
    """The expression in PromQL, every duration divided by the time scale."""

    def replaced(found: re.Match[str]) -> str:
        length = seconds(found["number"] + found["unit"])
        if time_scale != 1:
            length = max(length / time_scale, SHORTEST_SECONDS)
        if found["window"] is None:
            return f"{length:g}"
        return found["window"] + (
            _milliseconds(length) if time_scale != 1 else found[0][len(found["window"]) :]
        )

    return _DURATION.sub(replaced, " ".join(expression.split()))


def seconds(duration: str) -> float:
    """Seconds of a duration such as `15m`."""
    return float(duration[:-1]) * _SECONDS[duration[-1]]


def _milliseconds(length: float) -> str:
    return f"{round(length * 1000)}ms"


def growth(counter: str, window: str) -> str:
    """How much a counter has grown, its first sample included, which `increase` misses.

    A series that was not there counts from zero, but only if anything was scraped then: otherwise it is
    Prometheus that is new, not the series.
    """
    then = f"({counter} offset {window} or {counter} * 0)"
    return f"(clamp_min({counter} - {then}, 0) and on () count(up offset {window}) > 0)"
