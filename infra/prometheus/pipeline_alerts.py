"""Is the machinery running: brokers, the features job, serving, and what flows between them."""

from infra.prometheus.rule import Alert, growth

OURS = 'job=~"(stockstream-)?(broker|features.*|serving|heartbeat)"'
BROKER = 'job=~"(stockstream-)?broker"'
OTHERS = 'job=~"(stockstream-)?(features.*|serving|heartbeat)"'

_LIVE = "7 * 86400"
"""A clock further behind is a replay's, whose event times are long past."""

PIPELINE_ALERTS = (
    Alert(
        "TargetDown",
        f"up{{{OTHERS}}} == 0",
        "5m",
        "page",
        "{{ $labels.job }} at {{ $labels.instance }} answers no scrape: it is down or hangs",
    ),
    Alert(
        "TargetGone",
        f"count by (job) (up{{{OURS}}} offset 1h) unless count by (job) (up{{{OURS}}})",
        "5m",
        "page",
        "{{ $labels.job }} was there an hour ago and has no instance left",
    ),
    Alert(
        "BrokerDown",
        f"up{{{BROKER}}} == 0",
        "1m",
        "page",
        "Kafka broker {{ $labels.instance }} is down",
    ),
    Alert(
        "BrokerPartitionsOffline",
        "sum(kafka_offline_partitions) > 0",
        "1m",
        "page",
        "{{ $value }} partitions have no leader: nothing reads or writes them",
    ),
    Alert(
        "BrokerUnderMinIsr",
        "sum(kafka_under_min_isr_partitions) > 0",
        "3m",
        "page",
        "{{ $value }} partitions have too few replicas in sync: Kafka refuses writes to them",
    ),
    Alert(
        "BrokerUnderReplicated",
        "sum(kafka_under_replicated_partitions) > 0",
        "15m",
        "ticket",
        "{{ $value }} partitions lack a replica: one more failure may stop or lose them",
    ),
    Alert(
        "BrokerNoController",
        "sum(kafka_active_controllers) != 1",
        "3m",
        "page",
        "Kafka has {{ $value }} active controllers, not one: leaders cannot be elected",
    ),
    Alert(
        "FeaturesJobDown",
        "min by (job) (flink_jobmanager_numRunningJobs) == 0",
        "3m",
        "page",
        "{{ $labels.job }} runs no Flink job: no feature rows, no archive",
    ),
    Alert(
        "FeaturesJobRestarting",
        "max by (job_name) (increase(flink_jobmanager_job_numRestarts[30m])) >= 3",
        "0s",
        "page",
        "Flink job {{ $labels.job_name }} restarted {{ $value | humanize }} times in half an hour",
    ),
    Alert(
        "CheckpointOld",
        "time() - max by (job_name) (flink_jobmanager_job_lastCheckpointCompletedTimestamp) / 1000 > 15m",
        "5m",
        "page",
        "Flink job {{ $labels.job_name }} has completed no checkpoint for a quarter of an hour",
    ),
    Alert(
        "FeaturesLag",
        "sum by (job) (flink_taskmanager_job_task_operator_pendingRecords) "
        "/ scalar(sum(rate(kafka_topic_messages_in_total"
        '{topic=~"shop.+|stock.+|catalog.+",topic!~".+(dlq|late).v1"}[15m])) > 0) > 15m',
        "10m",
        "ticket",
        "{{ $labels.job }} is {{ $value | humanizeDuration }} of records behind",
    ),
    Alert(
        "FeaturesOld",
        'stockstream:age:seconds{topic="demand.features.v1"} > 3 * 3600',
        "15m",
        "page",
        "The newest feature rows are {{ $value | humanizeDuration }} older than what the shop has told",
    ),
    Alert(
        "ZoneBehind",
        "scalar(stockstream:shop_clock:seconds) - min by (job_name) "
        "(flink_taskmanager_job_task_operator_currentInputWatermark > 0) / 1000 > 3 * 3600",
        "15m",
        "page",
        "Flink job {{ $labels.job_name }} closes hours {{ $value | humanizeDuration }} late: its zone waits",
    ),
    Alert(
        "ForecastsOld",
        'stockstream:age:seconds{topic="demand.forecasts.v1"} > 26 * 3600',
        "15m",
        "page",
        "The newest forecasts are {{ $value | humanizeDuration }} older than what the shop has told",
    ),
    Alert(
        "ScoresOld",
        'stockstream:age:seconds{topic="demand.accuracy.v1"} > 3 * 86400',
        "1h",
        "ticket",
        "No forecast was scored for {{ $value | humanizeDuration }}: recalibration and fallback are blind",
    ),
    Alert(
        "StageSilent",
        "time() - max by (stage) (last_over_time(ray_stockstream_last_poll_seconds[1d])) > 5m",
        "2m",
        "page",
        "The {{ $labels.stage }} has not asked Kafka for anything for {{ $value | humanizeDuration }}",
    ),
    Alert(
        "StageLag",
        "stockstream:lag:records / stockstream:read:rate5m > 10m",
        "10m",
        "ticket",
        "The {{ $labels.stage }} needs {{ $value | humanizeDuration }} to read what lies before it",
    ),
    Alert(
        "StageWaiting",
        "max by (stage) (ray_stockstream_waiting_seconds) > 15m",
        "5m",
        "page",
        "The {{ $labels.stage }} has waited {{ $value | humanizeDuration }} for inputs of an epoch",
    ),
    Alert(
        "DeadlinePassed",
        f"sum by (stage) ({growth('ray_stockstream_deadlines_total', '1h')}) > 0",
        "0s",
        "ticket",
        "The {{ $labels.stage }} went on {{ $value }} times without inputs that had not come in time",
    ),
    Alert(
        "ReplicaUnhealthy",
        "min by (deployment) (ray_serve_deployment_replica_healthy) == 0",
        "5m",
        "page",
        "A replica of {{ $labels.deployment }} is unhealthy and does not recover",
    ),
    Alert(
        "NoDecisions",
        'max(ray_stockstream_event_time_seconds{topic="inventory.reorder-proposals.v1"}) '
        '> (max(ray_stockstream_event_time_seconds{topic="inventory.reorder-decisions.v1"}) or vector(0))',
        "15m",
        "page",
        "An epoch has proposals and no decisions: nothing is ordered",
    ),
    Alert(
        "ShopSilent",
        "time() - stockstream:shop_clock:seconds > 15m "
        f"and time() - stockstream:shop_clock:seconds < {_LIVE}",
        "5m",
        "page",
        "Neither shop nor heartbeat has told anything for {{ $value | humanizeDuration }}: no day closes",
    ),
    Alert(
        "DeadLetterBurst",
        "stockstream:dead_letters:growth15m > 20 "
        "and stockstream:dead_letters:growth15m > 0.01 * stockstream:records_in:growth15m",
        "1m",
        "page",
        "{{ $value | humanize }} records of {{ $labels.source }} were refused in 15 minutes, over 1 %",
    ),
    Alert(
        "LateBurst",
        "stockstream:late:growth15m > 100 "
        "and stockstream:late:growth15m > 0.05 * stockstream:records_in:growth15m",
        "5m",
        "ticket",
        "{{ $value | humanize }} records of {{ $labels.source }} came after their day had closed, over 5 %",
    ),
    Alert(
        "UnreadableRecords",
        f"sum by (topic) ({growth('ray_stockstream_unreadable_total', '1h')}) > 0",
        "0s",
        "ticket",
        "{{ $value }} records of {{ $labels.topic }} break their contract and were passed over",
    ),
    Alert(
        "DecisionConflict",
        f"sum by (topic) ({growth('ray_stockstream_conflicts_total', '1h')}) > 0",
        "0s",
        "page",
        "{{ $value }} records of {{ $labels.topic }} came again with another content; the first was kept",
    ),
)
