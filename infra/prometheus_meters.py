"""The declared metrics of a process outside Ray, exposed for Prometheus on the loopback interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from infra.errors import StockstreamError
from infra.metrics import METRICS, Metric


class PrometheusMeters:
    """Meters of one process; a metric is exposed from its first record on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Adds to a counter, sets a gauge or observes a histogram, by the declared kind."""
        metric = METRICS[name]
        if name not in self._made:
            self._made[name] = self._make(metric)
        child = self._made[name].labels(**labels) if metric.labels else self._made[name]
        action = {"counter": "inc", "gauge": "set", "histogram": "observe"}[metric.kind]
        getattr(child, action)(value)

    def _make(self, metric: Metric) -> Any:
        if metric.kind == "histogram":
            return Histogram(
                metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=self.registry
            )
        kind = Counter if metric.kind == "counter" else Gauge
        return kind(metric.name, metric.help, metric.labels, registry=self.registry)


@contextmanager
def exposed(meters: PrometheusMeters, address: str, port: int) -> Iterator[None]:
    """Answers Prometheus at the address and port while the context lasts.

    Raises:
        StockstreamError: the port is taken, or the address is not of this machine.
    """
    try:
        server, thread = start_http_server(port, address, meters.registry)
    except OSError as error:
        raise StockstreamError(f"metrics cannot be exposed at {address}:{port}: {error.strerror}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
