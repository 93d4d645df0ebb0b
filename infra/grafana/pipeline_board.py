"""The pipeline's dashboard: does everything run, and how old is what comes out."""

from infra.grafana.board import Board, Panel, Query
from infra.prometheus.pipeline_alerts import OURS
from infra.prometheus.recordings import DEAD_LETTERS, LATE

_NOW = (
    Panel(
        "Alerts firing",
        "How many alerts fire now. Normal: none.",
        "short",
        (Query('sum(ALERTS{alertstate="firing"}) or vector(0)', "alerts"),),
        "stat",
        ((None, "green"), (1, "red")),
        4,
    ),
    Panel(
        "Processes up",
        "Share of scraped processes that answer.",
        "percentunit",
        (Query(f"avg(up{{{OURS}}})", "up"),),
        "stat",
        ((None, "red"), (1, "green")),
        4,
        "TargetDown",
    ),
    Panel(
        "The shop's clock",
        "Newest event time that the shop or the heartbeat has told; in a replay, of the replayed days.",
        "dateTimeAsIso",
        (Query("stockstream:shop_clock:seconds * 1000", "clock"),),
        "stat",
        width=6,
        alert="ShopSilent",
    ),
    Panel(
        "Age of forecasts",
        "The shop's clock minus the newest forecast's origin. Normal: up to a day and a few minutes.",
        "s",
        (Query('stockstream:age:seconds{topic="demand.forecasts.v1"}', "age"),),
        "stat",
        ((None, "green"), (90_000, "yellow"), (93_600, "red")),
        5,
        "ForecastsOld",
    ),
    Panel(
        "Forecasts in time",
        "Share of the last day in which forecasts came within an hour of the day's close. Promised: 99 %.",
        "percentunit",
        (Query("avg_over_time(stockstream:forecasts_in_time:bool[1d])", "in time"),),
        "stat",
        ((None, "red"), (0.97, "yellow"), (0.99, "green")),
        5,
        "LateForecastsFast",
    ),
)

_STREAM = (
    Panel(
        "Records written",
        "Records a second by topic, as the brokers count them.",
        "reqps",
        (Query("stockstream:throughput:rate5m > 0", "{{topic}}"),),
    ),
    Panel(
        "Age of outputs",
        "Event time that each output is behind the shop's clock. Features: about a step; the others: a day.",
        "s",
        (Query("stockstream:age:seconds", "{{topic}}"),),
        alert="FeaturesOld",
    ),
    Panel(
        "Unread records",
        "Records that lie before each stage of serving. Normal: close to zero between bursts.",
        "short",
        (Query("stockstream:lag:records", "{{stage}}"),),
        alert="StageLag",
    ),
    Panel(
        "Waiting for inputs",
        "How long the oldest open epoch of a stage has waited for what it needs.",
        "s",
        (Query("max by (stage) (ray_stockstream_waiting_seconds)", "{{stage}}"),),
        steps=((None, "green"), (900, "red")),
        alert="StageWaiting",
    ),
    Panel(
        "Records read and published",
        "Records a second by stage.",
        "reqps",
        (
            Query("stockstream:read:rate5m", "{{stage}} reads"),
            Query("sum by (stage) (rate(ray_stockstream_published_total[5m]))", "{{stage}} publishes"),
        ),
    ),
    Panel(
        "Time since the last poll",
        "How long ago each stage asked Kafka for records.",
        "s",
        (Query("time() - max by (stage) (ray_stockstream_last_poll_seconds)", "{{stage}}"),),
        steps=((None, "green"), (300, "red")),
        alert="StageSilent",
    ),
)

_FEATURES = (
    Panel(
        "Unread by Flink",
        "Records that lie before the features job's sources.",
        "short",
        (Query("sum by (job) (flink_taskmanager_job_task_operator_pendingRecords)", "{{job}}"),),
        alert="FeaturesLag",
    ),
    Panel(
        "Age of the last checkpoint",
        "After a failure the job repeats what came since then.",
        "s",
        (
            Query(
                "time() - max by (job_name) (flink_jobmanager_job_lastCheckpointCompletedTimestamp) / 1000",
                "{{job_name}}",
            ),
        ),
        steps=((None, "green"), (900, "red")),
        alert="CheckpointOld",
    ),
    Panel(
        "Checkpoint duration",
        "How long the last checkpoint took.",
        "ms",
        (
            Query(
                "max by (job_name) (flink_jobmanager_job_lastCheckpointDuration)",
                "{{job_name}}",
            ),
        ),
    ),
    Panel(
        "Checkpoint size",
        "State of the features job.",
        "bytes",
        (Query("max by (job_name) (flink_jobmanager_job_lastCheckpointFullSize)", "{{job_name}}"),),
    ),
    Panel(
        "Busiest tasks",
        "Share of the time the five busiest tasks work. Near 100 % is the limit of this parallelism.",
        "percentunit",
        (
            Query(
                "topk(5, max by (task_name) (flink_taskmanager_job_task_busyTimeMsPerSecond)) / 1000",
                "{{task_name}}",
            ),
        ),
    ),
    Panel(
        "Restarts",
        "Restarts of the job since it was submitted; they are bounded.",
        "short",
        (Query("max by (job_name) (flink_jobmanager_job_numRestarts)", "{{job_name}}"),),
        alert="FeaturesJobRestarting",
    ),
)

_REFUSED = (
    Panel(
        "Dead letters",
        "Records a second that were refused, by topic. Kept with the reason; they do not count as demand.",
        "reqps",
        (
            Query(
                f'sum by (topic) (rate(kafka_topic_messages_in_total{{topic=~"{DEAD_LETTERS}"}}'
                "[$__rate_interval])) or vector(0)",
                "{{topic}}",
            ),
        ),
        alert="DeadLetterBurst",
    ),
    Panel(
        "Late events",
        "Events a second whose local day had closed. They correct the next history.",
        "reqps",
        (
            Query(
                f'sum by (topic) (rate(kafka_topic_messages_in_total{{topic=~"{LATE}"}}'
                "[$__rate_interval])) or vector(0)",
                "{{topic}}",
            ),
        ),
        alert="LateBurst",
    ),
    Panel(
        "Contradictions",
        "Since serving started: the same id with another content, and records that break their contract.",
        "short",
        (
            Query("sum(ray_stockstream_conflicts_total) or vector(0)", "conflicts"),
            Query("sum(ray_stockstream_unreadable_total) or vector(0)", "unreadable"),
            Query("sum(ray_stockstream_deadlines_total) or vector(0)", "deadlines passed"),
        ),
        alert="DecisionConflict",
    ),
)

_BROKERS = (
    Panel(
        "Partitions in trouble",
        "Without a leader, with too few replicas to be written, or with a replica missing. Normal: none.",
        "short",
        (
            Query("sum(kafka_offline_partitions)", "offline"),
            Query("sum(kafka_under_min_isr_partitions)", "not writable"),
            Query("sum(kafka_under_replicated_partitions)", "replica missing"),
        ),
        steps=((None, "green"), (1, "red")),
        alert="BrokerUnderReplicated",
    ),
    Panel(
        "Kafka's answers",
        "99th percentile of what writers and readers wait for. Readers wait for new records on purpose.",
        "ms",
        (Query('max by (request) (kafka_request_milliseconds{percentile="99"})', "{{request}}"),),
    ),
    Panel(
        "Size of the topics",
        "Bytes on the brokers' disks, the ten largest topics.",
        "bytes",
        (Query("topk(10, sum by (topic) (kafka_log_size_bytes))", "{{topic}}"),),
    ),
)

_SERVING = (
    Panel(
        "Healthy replicas",
        "Replicas of each deployment that pass their health check.",
        "short",
        (Query("sum by (deployment) (ray_serve_deployment_replica_healthy)", "{{deployment}}"),),
        alert="ReplicaUnhealthy",
    ),
    Panel(
        "API requests",
        "Requests a second by status.",
        "reqps",
        (
            Query(
                "sum by (status_code) (rate(ray_serve_num_http_requests_total[$__rate_interval]))",
                "{{status_code}}",
            ),
        ),
        alert="ApiErrorsFast",
    ),
    Panel(
        "API latency",
        "95th percentile of the last five minutes with requests.",
        "ms",
        (
            Query(
                "histogram_quantile(0.95, sum by (le) (rate(ray_serve_http_request_latency_ms_bucket[5m])))",
                "p95",
            ),
        ),
    ),
    Panel(
        "Work per epoch",
        "Mean time to forecast a location's day, to propose a partition's epoch, to share a budget.",
        "s",
        (
            Query(
                "sum(ray_stockstream_forecast_seconds_sum) / sum(ray_stockstream_forecast_seconds_count)",
                "forecast",
            ),
            Query(
                "sum(ray_stockstream_epoch_seconds_sum) / sum(ray_stockstream_epoch_seconds_count)", "propose"
            ),
            Query(
                "sum(ray_stockstream_allocation_seconds_sum) / sum(ray_stockstream_allocation_seconds_count)",
                "allocate",
            ),
        ),
    ),
    Panel(
        "Rebuilding",
        "How long each stage's last start took to read its state back from the topics.",
        "s",
        (Query("max by (stage) (ray_stockstream_rebuild_seconds)", "{{stage}}"),),
    ),
)

PIPELINE = Board(
    "stockstream-pipeline",
    "Stockstream: pipeline",
    "Does everything run, and how old is what comes out.",
    (
        ("Now", _NOW),
        ("The stream", _STREAM),
        ("Features (Flink)", _FEATURES),
        ("Refused, late, contradictory", _REFUSED),
        ("Kafka", _BROKERS),
        ("Serving (Ray)", _SERVING),
    ),
)
