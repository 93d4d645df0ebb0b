from tests.helm.alert_cases.case import DAY, Case

CLOCK = 'ray_stockstream_event_time_seconds{topic="shop.clickstream.v1",deployment="Planner"}'
CHECKPOINT = 'flink_jobmanager_job_lastCheckpointCompletedTimestamp{job_name="demand_features_Europe_London"}'
WATERMARK = 'flink_taskmanager_job_task_operator_currentInputWatermark{{job_name="demand_features_{zone}"}}'
DEAD = 'kafka_topic_messages_in_total{job="broker",topic="shop.clickstream.v1.dlq.v1"}'
LATE = 'kafka_topic_messages_in_total{job="broker",topic="shop.clickstream.v1.late.v1"}'
GOOD = 'kafka_topic_messages_in_total{job="broker",topic="shop.clickstream.v1"}'
UP = {'up{job="serving"}': f"1x{10 * DAY}"}


def event_time(topic: str) -> str:
    return f'ray_stockstream_event_time_seconds{{topic="{topic}"}}'


PIPELINE_CASES = (
    Case(
        "TargetDown",
        15,
        {'up{job="serving",instance="a:8080"}': "1x9 0x30"},
        "serving at a:8080 answers no scrape: it is down or hangs",
        {"job": "serving", "instance": "a:8080"},
    ),
    Case(
        "TargetGone",
        65,
        {'up{job="stockstream-features"}': "1x55 stale", 'up{job="serving"}': "1x200"},
        "stockstream-features was there an hour ago and has no instance left",
        {"job": "stockstream-features"},
    ),
    Case(
        "BrokerDown",
        11,
        {'up{job="broker",instance="b:9404"}': "1x9 0x30"},
        "Kafka broker b:9404 is down",
        {"job": "broker", "instance": "b:9404"},
    ),
    Case(
        "BrokerPartitionsOffline",
        11,
        {"kafka_offline_partitions": "0x9 3x30"},
        "3 partitions have no leader: nothing reads or writes them",
    ),
    Case(
        "BrokerUnderMinIsr",
        13,
        {
            'kafka_under_min_isr_partitions{pod="a"}': "0x9 2x30",
            'kafka_under_min_isr_partitions{pod="b"}': "0x9 1x30",
        },
        "3 partitions have too few replicas in sync: Kafka refuses writes to them",
    ),
    Case(
        "BrokerUnderReplicated",
        25,
        {"kafka_under_replicated_partitions": "0x9 4x30"},
        "4 partitions lack a replica: one more failure may stop or lose them",
    ),
    Case(
        "BrokerNoController",
        13,
        {"kafka_active_controllers": "1x9 0x30"},
        "Kafka has 0 active controllers, not one: leaders cannot be elected",
    ),
    Case(
        "FeaturesJobDown",
        13,
        {'flink_jobmanager_numRunningJobs{job="features"}': "1x9 0x30"},
        "features runs no Flink job: no feature rows, no archive",
        {"job": "features"},
    ),
    Case(
        "FeaturesJobRestarting",
        14,
        {'flink_jobmanager_job_numRestarts{job_name="demand_features_Europe_London"}': "0x9 1 1 2 2 3x30"},
        "Flink job demand_features_Europe_London restarted 3 times in half an hour",
        {"job_name": "demand_features_Europe_London"},
    ),
    Case(
        "CheckpointOld",
        31,
        {CHECKPOINT: "0+60000x10 600000x60"},
        "Flink job demand_features_Europe_London has completed no checkpoint for a quarter of an hour",
        {"job_name": "demand_features_Europe_London"},
    ),
    Case(
        "FeaturesLag",
        40,
        {
            'flink_taskmanager_job_task_operator_pendingRecords{job="features"}': "0x29 60000x60",
            GOOD: "0+600x100",
        },
        "features is 1h 40m 0s of records behind",
        {"job": "features"},
    ),
    Case(
        "FeaturesOld",
        25,
        {CLOCK: "1300000000x9 1300020000x60", event_time("demand.features.v1"): "1300000000x80"},
        "The newest feature rows are 5h 33m 20s older than what the shop has told",
        {"topic": "demand.features.v1"},
    ),
    Case(
        "ZoneBehind",
        25,
        {
            CLOCK: "1300000000x9 1300020000x60",
            WATERMARK.format(zone="Asia_Tokyo"): "1300000000000x80",
            WATERMARK.format(zone="Europe_London"): "1300000000000x9 1300020000000x60",
        },
        "Flink job demand_features_Asia_Tokyo closes hours 5h 33m 20s late: its zone waits",
        {"job_name": "demand_features_Asia_Tokyo"},
    ),
    Case(
        "ForecastsOld",
        25,
        {CLOCK: "1300000000x9 1300100000x60", event_time("demand.forecasts.v1"): "1300000000x80"},
        "The newest forecasts are 1d 3h 46m 40s older than what the shop has told",
        {"topic": "demand.forecasts.v1"},
    ),
    Case(
        "ScoresOld",
        70,
        {CLOCK: "1300000000x9 1300400000x90", event_time("demand.accuracy.v1"): "1300000000x99"},
        "No forecast was scored for 4d 15h 6m 40s: recalibration and fallback are blind",
        {"topic": "demand.accuracy.v1"},
    ),
    Case(
        "StageSilent",
        17,
        {'ray_stockstream_last_poll_seconds{stage="planner",replica="a"}': "0+60x9"},
        "The planner has not asked Kafka for anything for 8m 0s",
        {"stage": "planner"},
    ),
    Case(
        "StageLag",
        30,
        {
            'ray_stockstream_consumer_lag_records{stage="planner",topic="a"}': "0x19 50000x40",
            'ray_stockstream_consumer_lag_records{stage="planner",topic="b"}': "0x19 10000x40",
            'ray_stockstream_records_total{stage="planner"}': "0+3000x60",
        },
        "The planner needs 20m 0s to read what lies before it",
        {"stage": "planner"},
    ),
    Case(
        "StageWaiting",
        31,
        {'ray_stockstream_waiting_seconds{stage="allocator"}': "0x9 0+60x40"},
        "The allocator has waited 21m 0s for inputs of an epoch",
        {"stage": "allocator"},
    ),
    Case(
        "DeadlinePassed",
        80,
        UP | {'ray_stockstream_deadlines_total{stage="planner"}': "_x80 2x30"},
        "The planner went on 2 times without inputs that had not come in time",
        {"stage": "planner"},
    ),
    Case(
        "ReplicaUnhealthy",
        15,
        {
            'ray_serve_deployment_replica_healthy{deployment="Planner",replica="a"}': "1x9 0x30",
            'ray_serve_deployment_replica_healthy{deployment="Planner",replica="b"}': "1x40",
        },
        "A replica of Planner is unhealthy and does not recover",
        {"deployment": "Planner"},
    ),
    Case(
        "NoDecisions",
        25,
        {
            event_time("inventory.reorder-proposals.v1"): "1300000000x9 1300604800x30",
            event_time("inventory.reorder-decisions.v1"): "1300000000x40",
        },
        "An epoch has proposals and no decisions: nothing is ordered",
    ),
    Case(
        "ShopSilent",
        31,
        {CLOCK: "0+60x10 600x40"},
        "Neither shop nor heartbeat has told anything for 21m 0s: no day closes",
    ),
    Case(
        "DeadLetterBurst",
        21,
        UP | {GOOD: "0+100x60", DEAD: "_x20 50x40"},
        "50 records of shop.clickstream.v1 were refused in 15 minutes, over 1 %",
        {"source": "shop.clickstream.v1"},
    ),
    Case(
        "LateBurst",
        25,
        UP | {GOOD: "0+100x60", LATE: "_x20 300x40"},
        "300 records of shop.clickstream.v1 came after their day had closed, over 5 %",
        {"source": "shop.clickstream.v1"},
    ),
    Case(
        "UnreadableRecords",
        80,
        UP | {'ray_stockstream_unreadable_total{topic="demand.forecasts.v1"}': "0x79 1x30"},
        "1 records of demand.forecasts.v1 break their contract and were passed over",
        {"topic": "demand.forecasts.v1"},
    ),
    Case(
        "DecisionConflict",
        80,
        UP | {'ray_stockstream_conflicts_total{topic="inventory.reorder-decisions.v1"}': "_x80 1x30"},
        "1 records of inventory.reorder-decisions.v1 came again with another content; the first was kept",
        {"topic": "inventory.reorder-decisions.v1"},
    ),
)
