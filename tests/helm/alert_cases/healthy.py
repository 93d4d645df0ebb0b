"""A healthy day of a live shop, one sample a minute, as alerts see it."""

from tests.helm.alert_cases.case import DAY

HEALTHY_MINUTES = 2 * DAY


def _steady(value: float) -> str:
    return f"{value}x{HEALTHY_MINUTES}"


def _growing(per_minute: float) -> str:
    return f"0+{per_minute}x{HEALTHY_MINUTES}"


def _event_time(topic: str) -> str:
    return f'ray_stockstream_event_time_seconds{{topic="{topic}"}}'


_DAILY = "_x5 " + " ".join(f"{86_400 * day}x{DAY - 1}" for day in range(HEALTHY_MINUTES // DAY))
_STAGES = ("forecaster", "evaluator", "planner", "allocator", "api")

HEALTHY = {
    'up{job="broker"}': _steady(1),
    'up{job="features"}': _steady(1),
    'up{job="serving"}': _steady(1),
    "kafka_offline_partitions": _steady(0),
    "kafka_under_min_isr_partitions": _steady(0),
    "kafka_under_replicated_partitions": _steady(0),
    'kafka_active_controllers{pod="a"}': _steady(1),
    'kafka_active_controllers{pod="b"}': _steady(0),
    'kafka_topic_messages_in_total{topic="shop.clickstream.v1"}': _growing(6000),
    'kafka_topic_messages_in_total{topic="shop.clickstream.v1.dlq.v1"}': _growing(0.5),
    'kafka_topic_messages_in_total{topic="shop.clickstream.v1.late.v1"}': _growing(20),
    'flink_jobmanager_numRunningJobs{job="features"}': _steady(1),
    'flink_jobmanager_job_numRestarts{job="features"}': f"0x700 1x{HEALTHY_MINUTES - 700}",
    'flink_jobmanager_job_lastCheckpointCompletedTimestamp{job="features"}': _growing(60_000),
    'flink_taskmanager_job_task_operator_pendingRecords{job="features"}': _steady(800),
    _event_time("shop.clickstream.v1"): _growing(60),
    _event_time("demand.features.v1"): "_x5 " + " ".join(f"{3600 * hour}x59" for hour in range(48)),
    _event_time("demand.forecasts.v1"): _DAILY,
    _event_time("demand.accuracy.v1"): _DAILY,
    _event_time("inventory.reorder-proposals.v1"): _DAILY,
    _event_time("inventory.reorder-decisions.v1"): "_x2 " + _DAILY,
    'ray_serve_deployment_replica_healthy{deployment="Planner"}': _steady(1),
    'ray_serve_num_http_requests_total{route="/v1/decisions",status_code="200"}': _growing(60),
    'ray_serve_num_http_requests_total{route="/v1/decisions",status_code="500"}': _growing(0.01),
    "ray_stockstream_fallback_share": _steady(0.05),
    "ray_stockstream_model_learned_until_seconds": _steady(-100 * 86_400),
    "ray_stockstream_open_retrain_requests": _steady(0),
    'ray_stockstream_forecast_coverage{forecaster="lstm",horizon_days="1",interval="80"}': _steady(0.84),
    'ray_stockstream_forecast_bias_ratio{forecaster="lstm",horizon_days="1"}': _steady(-0.1),
    'ray_stockstream_forecast_pinball_ratio{forecaster="lstm",horizon_days="1"}': _steady(0.45),
    'ray_stockstream_model_gate_wql{forecaster="lstm"}': _steady(0.42),
    "ray_stockstream_scores_total": _growing(10),
    "ray_stockstream_fill_rate_ratio": _steady(0.96),
    'ray_stockstream_items{stock="in"}': _steady(950),
    'ray_stockstream_items{stock="out"}': _steady(45),
    'ray_stockstream_items{stock="unknown"}': _steady(5),
    'ray_stockstream_decisions_total{status="order"}': _growing(1),
    'ray_stockstream_decisions_total{status="blocked"}': _growing(0.02),
    'ray_stockstream_allocations_total{status="optimal"}': _growing(0.01),
    **{f'ray_stockstream_last_poll_seconds{{stage="{stage}"}}': _growing(60) for stage in _STAGES},
    **{f'ray_stockstream_consumer_lag_records{{stage="{stage}"}}': _steady(50) for stage in _STAGES},
    **{f'ray_stockstream_records_total{{stage="{stage}"}}': _growing(6000) for stage in _STAGES},
    **{f'ray_stockstream_waiting_seconds{{stage="{stage}"}}': _steady(3) for stage in _STAGES},
}
