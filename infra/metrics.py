"""Every metric's name, kind, labels and meaning, declared once. No label names a SKU."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol


@dataclass(frozen=True)
class Metric:
    """A declared metric; counters end in `_total`, times are in seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("stockstream_forecasts_total", "counter", ("forecaster",), "Forecasts published"),
            Metric("stockstream_fallback_share", "gauge", (), "Share of the last forecasts by the fallback"),
            Metric("stockstream_open_retrain_requests", "gauge", (), "Requests to replace the current model"),
            Metric(
                "stockstream_forecast_coverage",
                "gauge",
                ("forecaster", "horizon_days", "interval"),
                "Share of demand in the central interval, by randomised PIT, last 28 matured days",
            ),
            Metric(
                "stockstream_forecast_pinball_ratio",
                "gauge",
                ("forecaster", "horizon_days"),
                "Twice the mean pinball loss over demand, last 28 matured days",
            ),
            Metric(
                "stockstream_forecast_bias_ratio",
                "gauge",
                ("forecaster", "horizon_days"),
                "Forecast mean minus demand, over demand, last 28 matured days",
            ),
            Metric("stockstream_scores_total", "counter", ("forecaster",), "Matured forecasts scored"),
            Metric("stockstream_forecast_seconds", "histogram", (), "Time to forecast one day", _SECONDS),
            Metric("stockstream_proposals_total", "counter", ("outcome",), "Proposals: wanted or blocked"),
            Metric("stockstream_epoch_seconds", "histogram", (), "Time to decide one epoch", _SECONDS),
            Metric("stockstream_decisions_total", "counter", ("status",), "Reorder decisions published"),
            Metric("stockstream_decision_reasons_total", "counter", ("reason",), "Adjustments of decisions"),
            Metric("stockstream_allocations_total", "counter", ("status",), "Allocation runs"),
            Metric("stockstream_allocation_seconds", "histogram", (), "Time to share one budget", _SECONDS),
            Metric("stockstream_last_epoch_seconds", "gauge", ("stage",), "Last epoch done, unix time"),
            Metric("stockstream_conflicts_total", "counter", ("topic",), "Same id with another content"),
            Metric(
                "stockstream_unexplained_gains_total",
                "counter",
                (),
                "Days on which a SKU's stock rose by more than its movements brought",
            ),
            Metric("stockstream_dead_letters_total", "counter", ("topic",), "Records sent to dead letters"),
            Metric("stockstream_unreadable_total", "counter", ("topic",), "Invalid records passed over"),
            Metric("stockstream_records_total", "counter", ("topic",), "Records read"),
            Metric("stockstream_last_poll_seconds", "gauge", ("stage",), "Last poll of the log, unix time"),
        )
    }
)


class Meters(Protocol):
    """Where a component records its metrics."""

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Adds to a counter, sets a gauge or observes a histogram, by the declared kind."""
        ...
