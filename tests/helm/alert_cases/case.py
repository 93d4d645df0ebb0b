"""What makes an alert fire, in promtool's notation: one sample a minute; and the minute at which it does."""

from dataclasses import dataclass, field

DAY = 1440


@dataclass(frozen=True)
class Case:
    """An alert's series, and the first minute at which it fires.

    Args:
        alert: its name.
        fires_at: minutes after the start; the minute before it must be silent.
        series: samples by series, such as `{'up{job="broker"}': "1x9 0x20"}`.
        summary: what the person is told.
        labels: besides name and severity.
    """

    alert: str
    fires_at: int
    series: dict[str, str]
    summary: str
    labels: dict[str, str] = field(default_factory=dict)
