"""Which metrics a PromQL expression reads, and which ones exist."""

import re

from infra.metrics import METRICS
from infra.prometheus.objectives import BURN_RECORDINGS
from infra.prometheus.recordings import RECORDINGS

ENGINE_METRICS = frozenset(
    {
        "up",
        "flink_jobmanager_numRunningJobs",
        "flink_jobmanager_job_numRestarts",
        "flink_jobmanager_job_lastCheckpointCompletedTimestamp",
        "flink_jobmanager_job_lastCheckpointDuration",
        "flink_jobmanager_job_lastCheckpointFullSize",
        "flink_taskmanager_job_task_busyTimeMsPerSecond",
        "flink_taskmanager_job_task_operator_currentInputWatermark",
        "flink_taskmanager_job_task_operator_pendingRecords",
        "kafka_active_controllers",
        "kafka_log_size_bytes",
        "kafka_offline_partitions",
        "kafka_request_milliseconds",
        "kafka_topic_messages_in_total",
        "kafka_under_min_isr_partitions",
        "kafka_under_replicated_partitions",
        "ray_serve_deployment_replica_healthy",
        "ray_serve_http_request_latency_ms_bucket",
        "ray_serve_num_http_requests_total",
    }
)
"""What the engines export by themselves; the end-to-end test proves that they do."""

_NO_METRICS = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|ignoring|without|group_left|group_right) \([^)]*\)'
)
_NAME = re.compile(r"[a-zA-Z_:][\w:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "on"}


def names_in(expression: str) -> set[str]:
    """The metrics and recordings an expression reads."""
    bare = _NO_METRICS.sub(" ", re.sub(r"offset \w+", " ", re.sub(r'"[^"]*"', '""', expression)))
    return set(_NAME.findall(bare)) - _WORDS


def known_names() -> set[str]:
    """Every metric of the engines, of Serve (prefixed by Ray), of other processes, and every recording."""
    exported = {f"{name}{suffix}" for name in METRICS for suffix in _suffixes(METRICS[name].kind)}
    recorded = {recording.name for recording in (*RECORDINGS, *BURN_RECORDINGS)}
    return exported | {f"ray_{name}" for name in exported} | recorded | ENGINE_METRICS | {"ALERTS"}


def _suffixes(kind: str) -> tuple[str, ...]:
    return ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
