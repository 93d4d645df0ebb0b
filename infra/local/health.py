"""How the running stack does: what its components expose, and what its Prometheus alarms about."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from infra.active_alerts import read_active_alerts
from infra.contracts.topics import ACCURACY, ARCHIVED, DECISIONS, FEATURES, FORECASTS
from infra.errors import StockstreamError
from infra.local.metric_page import MetricPage

STAGES = ("forecaster", "evaluator", "planner", "allocator")
OUTPUTS = {"features": FEATURES, "forecasts": FORECASTS, "scores": ACCURACY, "decisions": DECISIONS}
SILENT_SECONDS = 60.0
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class StageHealth:
    """One stage of Serve; None where it tells nothing. `last_epoch` is unix time of the event clock."""

    lag_records: float | None
    last_epoch: float | None
    waiting_seconds: float | None
    silent_seconds: float | None


@dataclass(frozen=True)
class Alert:
    """An alert of the stack's Prometheus."""

    name: str
    state: str
    severity: str


@dataclass(frozen=True)
class Health:
    """All that `stockstream status` tells; None where no component tells it.

    Attributes:
        components: process memory (bytes) by name, None for one that is down.
        stages: by name.
        clock: newest event time that the shop has told, unix time.
        behind_seconds: distance of each output from the clock, in event time.
        dead_letters: records ever sent to dead-letter topics.
        late: records ever sent to late topics.
        fallback_share: share of the newest forecasts made by the fallback.
        model_age_days: distance between the clock and the last day that the serving model learned from.
        alerts: pending and firing ones; None without a Prometheus.
        problems: why the stack is not healthy; empty if it is.
    """

    components: Mapping[str, int | None]
    stages: Mapping[str, StageHealth]
    clock: float | None
    behind_seconds: Mapping[str, float | None]
    dead_letters: float | None
    late: float | None
    fallback_share: float | None
    model_age_days: float | None
    alerts: list[Alert] | None
    problems: list[str]


def health(
    components: Mapping[str, int | None], pages: Mapping[str, MetricPage | None], alerts: list[Alert] | None
) -> Health:
    """Judges the stack.

    Args:
        components: process memory by name, None for one that is down.
        pages: the metrics of each component that has some, None where they do not answer.
        alerts: of the stack's Prometheus, None without one.
    """
    serving = pages.get("serving") or MetricPage([])
    broker = pages.get("broker") or MetricPage([])
    stages = {stage: _stage(serving, stage) for stage in STAGES}
    clock = max((told for topic in ARCHIVED if (told := _told(serving, topic)) is not None), default=None)
    learned_until = serving.largest("stockstream_model_learned_until_seconds")
    age = None if clock is None or learned_until is None else (clock - learned_until) / _DAY_SECONDS
    return Health(
        components=components,
        stages=stages,
        clock=clock,
        behind_seconds={name: _behind(clock, _told(serving, topic)) for name, topic in OUTPUTS.items()},
        dead_letters=_turned_away(broker, ".dlq.v1"),
        late=_turned_away(broker, ".late.v1"),
        fallback_share=serving.largest("stockstream_fallback_share"),
        model_age_days=age,
        alerts=alerts,
        problems=_problems(components, pages, stages, alerts or []),
    )


def _stage(serving: MetricPage, stage: str) -> StageHealth:
    polled = serving.values("stockstream_last_poll_seconds", stage=stage)
    return StageHealth(
        lag_records=serving.total("stockstream_consumer_lag_records", stage=stage),
        last_epoch=serving.largest("stockstream_last_epoch_seconds", stage=stage),
        waiting_seconds=serving.largest("stockstream_waiting_seconds", stage=stage),
        silent_seconds=time.time() - max(polled) if polled else None,
    )


def _told(serving: MetricPage, topic: str) -> float | None:
    return serving.largest("stockstream_event_time_seconds", topic=topic)


def _behind(clock: float | None, told: float | None) -> float | None:
    return None if clock is None or told is None else max(0.0, clock - told)


def _turned_away(broker: MetricPage, suffix: str) -> float | None:
    """Records in all topics with the suffix; Kafka counts them by the offsets it has given out."""
    topics = [t for t in broker.label_values("kafka_log_end_offset", "topic") if t.endswith(suffix)]
    ends = [broker.total("kafka_log_end_offset", topic=topic) or 0.0 for topic in topics]
    return sum(ends) if ends else None


def _problems(
    components: Mapping[str, int | None],
    pages: Mapping[str, MetricPage | None],
    stages: Mapping[str, StageHealth],
    alerts: list[Alert],
) -> list[str]:
    down = [name for name, memory in components.items() if memory is None]
    mute = [name for name, page in pages.items() if page is None and name not in down]
    jobs = [
        name
        for name, page in pages.items()
        if page and name.startswith("features") and page.total("flink_jobmanager_numRunningJobs") != 1
    ]
    return [
        *(f"{name} is down" for name in down),
        *(f"{name} exposes no metrics" for name in mute),
        *(f"the job of {name} does not run" for name in jobs),
        *(
            _silence(name, stage)
            for name, stage in stages.items()
            if pages.get("serving") and _is_silent(stage)
        ),
        *(f"alert {alert.name} is firing" for alert in alerts if alert.state == "firing"),
    ]


def _is_silent(stage: StageHealth) -> bool:
    return stage.silent_seconds is None or stage.silent_seconds > SILENT_SECONDS


def _silence(name: str, stage: StageHealth) -> str:
    if stage.silent_seconds is None:
        return f"{name} tells nothing"
    return f"{name} has not polled the log for {stage.silent_seconds:.0f} s"


def read_alerts(port: int) -> list[Alert] | None:
    """Pending and firing alerts of a Prometheus on a loopback port; None where none answers."""
    try:
        active = read_active_alerts(f"http://127.0.0.1:{port}")
    except StockstreamError:
        return None
    return [Alert(*each) for each in sorted({(one.name, one.state, one.severity) for one in active})]
