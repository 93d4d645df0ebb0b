"""Service level objectives over 30 days, and alerts on how fast their error budgets burn.

Windows and factors: Google, The Site Reliability Workbook, chapter 5 (multiwindow, multi-burn-rate alerts). A
page means that 2 % of a month's budget went in one hour or 5 % in six; a ticket, 10 % in one day or in three.
The short window of each pair ends the alert soon after the cause has ended.
"""

from dataclasses import dataclass
from typing import Literal

from infra.prometheus.recordings import DEAD_LETTERS, LATE
from infra.prometheus.rule import Alert, Recording

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAGE = (("1h", "5m", 14.4), ("6h", "30m", 6.0))
TICKET = (("1d", "2h", 3.0), ("3d", "6h", 1.0))


@dataclass(frozen=True)
class Objective:
    """A share of good events that is promised.

    Args:
        name: begins the names of its alerts.
        record: middle part of the names of its recordings.
        target: the promised share.
        bad_share: share of bad events in a window; `WINDOW` stands for it.
        enough: holds where a window has events enough to tell one failure from many.
        summary: what suffers, for the person who reads it.
    """

    name: str
    record: str
    target: float
    bad_share: str
    enough: str
    summary: str

    def recordings(self) -> list[Recording]:
        """The share of bad events in every window."""
        return [
            Recording(self._recorded(window), self.bad_share.replace("WINDOW", window)) for window in WINDOWS
        ]

    def alerts(self) -> list[Alert]:
        """One that pages on a fast burn and one that opens a ticket on a slow one."""
        return [
            self._alert("Fast", PAGE, "2m", "page", "a month's allowance would be gone within five days"),
            self._alert("Slow", TICKET, "15m", "ticket", "a month's allowance will not last the month"),
        ]

    def _alert(
        self,
        speed: str,
        pairs: tuple[tuple[str, str, float], ...],
        hold: str,
        severity: Literal["page", "ticket"],
        meaning: str,
    ) -> Alert:
        expression = " or ".join(self._burns(*pair) for pair in pairs)
        summary = f"{self.summary} ({{{{ $value | humanizePercentage }}}}): {meaning}"
        return Alert(f"{self.name}{speed}", expression, hold, severity, summary)

    def _burns(self, long: str, short: str, factor: float) -> str:
        limit = f"{factor * (1 - self.target):.6g}"
        enough = self.enough.replace("WINDOW", long)
        return f"({self._recorded(long)} > {limit} and {self._recorded(short)} > {limit} and {enough})"

    def _recorded(self, window: str) -> str:
        return f"stockstream:{self.record}:ratio{window}"


_REQUESTS = 'ray_serve_num_http_requests_total{route!~"/(healthz|readyz)"}'
_FAILED = 'ray_serve_num_http_requests_total{route!~"/(healthz|readyz)",status_code=~"5.."}'
_IN = f'kafka_topic_messages_in_total{{topic!~"__.+|{DEAD_LETTERS}|{LATE}"}}'
_DEAD = f'kafka_topic_messages_in_total{{topic=~"{DEAD_LETTERS}"}}'

OBJECTIVES = (
    Objective(
        "ApiErrors",
        "api_errors",
        0.999,
        f"(sum(rate({_FAILED}[WINDOW])) or vector(0)) / sum(rate({_REQUESTS}[WINDOW]))",
        f"sum(increase({_REQUESTS}[WINDOW])) > 100",
        "API requests fail",
    ),
    Objective(
        "RefusedRecords",
        "refused_records",
        0.999,
        f"(sum(rate({_DEAD}[WINDOW])) or vector(0)) / sum(rate({_IN}[WINDOW]))",
        f"sum(increase({_IN}[WINDOW])) > 1000",
        "Records are refused as unusable",
    ),
    Objective(
        "LateForecasts",
        "late_forecasts",
        0.99,
        "1 - avg_over_time(stockstream:forecasts_in_time:bool[WINDOW])",
        "stockstream:forecasts_in_time:bool == 0",
        "Forecasts come later than an hour after the day's close",
    ),
)

BURN_RECORDINGS = (
    Recording(
        "stockstream:forecasts_in_time:bool",
        'max(stockstream:age:seconds{topic="demand.forecasts.v1"}) <= bool 90000',
    ),
    *(recording for objective in OBJECTIVES for recording in objective.recordings()),
)
BURN_ALERTS = tuple(alert for objective in OBJECTIVES for alert in objective.alerts())
