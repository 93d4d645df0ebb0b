"""The declared metrics inside Ray: exported by each node's agent, prefixed `ray_`."""

import time
from typing import Any

from ray.serve import metrics

from infra.metrics import METRICS, Metric

REPEAT_SECONDS = 3.0
"""Interval within which every gauge is set again."""


class RayMeters:
    """Meters of a Serve replica.

    Ray exports a gauge only while it is being set: a value that changes once a day would show for seconds.
    Every gauge is therefore set again by whatever is recorded next; a replica records each of its polls.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._repeated = time.monotonic()

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Adds to a counter, sets a gauge or observes a histogram, by the declared kind."""
        if METRICS[name].kind == "gauge":
            self._gauges[(name, tuple(sorted(labels.items())))] = value
        self._record(name, value, labels)
        if time.monotonic() - self._repeated > REPEAT_SECONDS:
            self._repeated = time.monotonic()
            for (gauge, tags), last in self._gauges.items():
                self._record(gauge, last, dict(tags))

    def _record(self, name: str, value: float, labels: dict[str, str]) -> None:
        metric = METRICS[name]
        if name not in self._made:
            self._made[name] = _make(metric)
        made = self._made[name]
        action = {"counter": "inc", "gauge": "set", "histogram": "observe"}[metric.kind]
        getattr(made, action)(value, tags=labels)


def _make(metric: Metric) -> Any:
    labels: Any = metric.labels  # annotated upstream as a tuple of one
    if metric.kind == "histogram":
        return metrics.Histogram(metric.name, metric.help, list(metric.buckets), labels)
    kind = metrics.Counter if metric.kind == "counter" else metrics.Gauge
    return kind(metric.name, metric.help, labels)
