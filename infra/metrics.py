"""Every metric's name, kind, labels and meaning, declared once. No label names a SKU."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol


@dataclass(frozen=True)
class Metric:
    """A declared metric; counters end in `_total`, times are in seconds.

    Instants are event times unless they say otherwise, so that their differences mean the same in a replay of
    an old year: a stage's freshness is the newest event time of the shop's topics minus that of its output.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_LOG = (
    Metric("stockstream_consumer_lag_records", "gauge", ("stage", "topic"), "Records not yet read"),
    Metric("stockstream_event_time_seconds", "gauge", ("topic",), "Newest event time read, unix time"),
    Metric("stockstream_last_poll_seconds", "gauge", ("stage",), "Last poll of the log, by the wall clock"),
    Metric("stockstream_rebuild_seconds", "gauge", ("stage",), "Time the last start took to rebuild state"),
    Metric("stockstream_records_total", "counter", ("stage", "topic"), "Records read"),
    Metric("stockstream_published_total", "counter", ("stage", "topic"), "Records published"),
    Metric("stockstream_dead_letters_total", "counter", ("topic",), "Records sent to dead letters"),
    Metric("stockstream_unreadable_total", "counter", ("topic",), "Invalid records passed over"),
    Metric("stockstream_conflicts_total", "counter", ("topic",), "Same id with another content"),
)

_EPOCHS = (
    Metric("stockstream_last_epoch_seconds", "gauge", ("stage",), "Last epoch done, unix time"),
    Metric("stockstream_waiting_seconds", "gauge", ("stage",), "Longest wait of an epoch for its inputs"),
    Metric(
        "stockstream_deadlines_total", "counter", ("stage",), "Epochs done at the deadline, inputs missing"
    ),
)

_FORECASTS = (
    Metric("stockstream_forecasts_total", "counter", ("forecaster",), "Forecasts published"),
    Metric("stockstream_fallback_share", "gauge", (), "Share of the newest forecasts by the fallback"),
    Metric("stockstream_open_retrain_requests", "gauge", (), "Requests to replace the current model"),
    Metric("stockstream_forecast_seconds", "histogram", (), "Time to forecast one day", _SECONDS),
    Metric(
        "stockstream_model_learned_until_seconds",
        "gauge",
        (),
        "End of the last day the current model learned from, unix time",
    ),
    Metric("stockstream_model_step_seconds", "gauge", (), "Median training step of the current model"),
    Metric("stockstream_model_series", "gauge", (), "Series scored at the current model's gate"),
    Metric(
        "stockstream_model_gate_ratio",
        "gauge",
        ("score",),
        "Score of the current model over the better baseline's at its gate",
    ),
    Metric("stockstream_model_gate_wql", "gauge", ("forecaster",), "Weighted quantile loss at the gate"),
    Metric(
        "stockstream_model_gate_coverage",
        "gauge",
        ("forecaster",),
        "Share of 14-day sums in the central 80 % interval at the gate",
    ),
)

_ACCURACY = (
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
    Metric(
        "stockstream_fill_rate_ratio",
        "gauge",
        (),
        "Units sold over the estimate of what full shelves had sold, last 28 days",
    ),
    Metric("stockstream_in_stock_ratio", "gauge", (), "Share of SKU-days in stock, last 28 days"),
)

_DECISIONS = (
    Metric(
        "stockstream_decision_actions_total",
        "counter",
        ("outcome",),
        "Planners' actions: recorded, stopped, released; in vain: already_placed, not_current, no_budget",
    ),
    Metric("stockstream_items", "gauge", ("stock",), "Items of the catalogue: in, out of or unknown stock"),
    Metric("stockstream_stock_value", "gauge", ("currency",), "Stock on hand at unit cost"),
    Metric(
        "stockstream_unexplained_gains_total",
        "counter",
        (),
        "Days on which a SKU's stock rose by more than its movements brought",
    ),
    Metric("stockstream_proposals_total", "counter", ("outcome",), "Proposals: wanted or blocked"),
    Metric("stockstream_epoch_seconds", "histogram", (), "Time to decide one epoch", _SECONDS),
    Metric("stockstream_decisions_total", "counter", ("status",), "Reorder decisions published"),
    Metric("stockstream_decision_reasons_total", "counter", ("reason",), "Adjustments of decisions"),
    Metric(
        "stockstream_triggers_total",
        "counter",
        ("outcome",),
        "What called for a revision: proposed, or why not (moot, frozen, placed, small)",
    ),
    Metric("stockstream_revisions_total", "counter", ("cause",), "Decisions that supersede an earlier one"),
    Metric("stockstream_allocations_total", "counter", ("status",), "Allocation runs"),
    Metric("stockstream_allocation_seconds", "histogram", (), "Time to share one budget", _SECONDS),
)

_HEARTBEATS = (
    Metric("stockstream_heartbeats_total", "counter", (), "Heartbeats sent to every topic"),
    Metric("stockstream_last_heartbeat_seconds", "gauge", (), "Event time of the last heartbeat, unix time"),
)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*_LOG, *_EPOCHS, *_FORECASTS, *_ACCURACY, *_DECISIONS, *_HEARTBEATS)}
)


class Meters(Protocol):
    """Where a component records its metrics."""

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Adds to a counter, sets a gauge or observes a histogram, by the declared kind."""
        ...
