"""The declared metrics inside Ray: exported by each node's agent, prefixed `ray_`."""

from typing import Any

from ray.serve import metrics

from infra.metrics import METRICS, Metric


class RayMeters:
    """Meters of a Serve replica."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Adds to a counter, sets a gauge or observes a histogram, by the declared kind."""
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
