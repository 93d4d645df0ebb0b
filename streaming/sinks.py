"""What the job writes: feature rows, refused and late records, and the archive of every input topic.

A refused or late record keeps its bytes; why it was turned away is in the headers. In the archive `value` is
the original text; a record that is refused, or is not UTF-8, has its bytes in `value_base64` instead. Records
without a readable event time lie under `day=unreadable`.
"""

from pathlib import Path

from infra.contracts.features import FEATURE_NAMES
from infra.contracts.topics import FEATURES, TOPICS, WITH_LATE_EVENTS
from streaming.kafka_connection import connection_options
from streaming.sources import COMPUTED_FROM, Source
from streaming.zone import Zone, literal

ARCHIVE_IDLE_MS = 250

_REFUSED = "problem IS NOT NULL"
_LATE = "problem IS NULL AND late_ms IS NOT NULL AND event_type <> 'heartbeat'"


def kafka_options(topics: list[str], bootstrap_servers: str, transactions: str | None) -> str:
    """Options of a Kafka sink; equal keys go to the partition that every Kafka client gives them.

    Args:
        topics: where rows may go.
        bootstrap_servers: brokers, host:port, comma separated.
        transactions: prefix of transactional ids for exactly-once delivery, unique per sink; None for
            at-least-once.
    """
    options = {
        "connector": "kafka",
        "topic": ";".join(topics),
        **connection_options(bootstrap_servers),
        "properties.compression.type": "gzip",
        "properties.linger.ms": "5",
        "key.format": "raw",
        "key.fields": "key",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": "exactly-once" if transactions else "at-least-once",
    }
    if transactions:
        options["sink.transactional-id-prefix"] = transactions
        options["properties.transaction.timeout.ms"] = "900000"
    return ", ".join(f"'{name}' = {literal(value)}" for name, value in options.items())


def features_table(bootstrap_servers: str, transactions: str | None) -> str:
    """DDL of the feature rows, shaped like `infra.contracts.demand.DemandFeatures`."""
    values = ", ".join(f"`{name}` DOUBLE" for name in FEATURE_NAMES)
    return f"""CREATE TEMPORARY TABLE demand_features (
        `key` STRING, version INT, sku STRING, location STRING, window_start_ms BIGINT, window_end_ms BIGINT,
        is_final BOOLEAN, `values` ROW<{values}>
    ) WITH ({kafka_options([FEATURES], bootstrap_servers, transactions)}, 'value.format' = 'json')"""


def turned_away_table(bootstrap_servers: str, transactions: str | None) -> str:
    """DDL of the dead-letter and late topics; each row names its own."""
    topics = [TOPICS[source.topic].dead_letters for source in COMPUTED_FROM]
    topics += [TOPICS[name].late for name in WITH_LATE_EVENTS]
    return f"""CREATE TEMPORARY TABLE turned_away (
        `key` BYTES, `value` BYTES, topic STRING METADATA, headers MAP<STRING, BYTES> METADATA
    ) WITH ({kafka_options(topics, bootstrap_servers, transactions)}, 'value.format' = 'raw')"""


def archive_table(folder: Path, roll_seconds: float) -> str:
    """DDL of the archive.

    A file is closed after `roll_seconds` or a pause in its rows, and visible after the next checkpoint.
    """
    return f"""CREATE TEMPORARY TABLE archive (
        topic STRING, `partition` STRING, `offset` BIGINT, late BOOLEAN, `value` STRING, value_base64 BYTES,
        dataset STRING, `day` STRING
    ) PARTITIONED BY (dataset, `day`) WITH (
        'connector' = 'filesystem', 'path' = {literal(folder.resolve().as_uri())}, 'format' = 'json',
        'json.encode.ignore-null-fields' = 'true',
        'sink.rolling-policy.rollover-interval' = '{round(roll_seconds * 1000)} ms',
        'sink.rolling-policy.inactivity-interval' = '{ARCHIVE_IDLE_MS} ms',
        'sink.rolling-policy.check-interval' = '{ARCHIVE_IDLE_MS} ms'
    )"""


def turned_away_rows() -> str:
    """Query of all refused and late records."""
    return " UNION ALL ".join(rows for source in COMPUTED_FROM for rows in _turned_away(source))


def _turned_away(source: Source) -> list[str]:
    topic = TOPICS[source.topic]
    refused = _rejected(source, topic.dead_letters, _REFUSED, {"reason": "problem"})
    if source.closes is None:
        return [refused]
    lateness = {"reason": literal(source.late_reason), "lateness_ms": "CAST(late_ms AS STRING)"}
    return [refused, _rejected(source, topic.late, _LATE, lateness)]


def _rejected(source: Source, target: str, condition: str, headers: dict[str, str]) -> str:
    everywhere = {
        "source_topic": literal(source.topic),
        "source_partition": "CAST(`partition` AS STRING)",
        "source_offset": "CAST(`offset` AS STRING)",
    }
    pairs = ", ".join(f"'{name}', ENCODE({sql}, 'UTF-8')" for name, sql in {**headers, **everywhere}.items())
    return f"""SELECT `key`, COALESCE(`value`, x''), {literal(target)}, MAP[{pairs}]
        FROM {source.name} WHERE {condition}"""


def archive_rows(zone: Zone) -> str:
    """Query of every record of the zone in every archived topic, heartbeats apart."""
    checked = [
        f"""SELECT topic, CAST(`partition` AS STRING), `offset`, problem IS NULL AND late_ms IS NOT NULL,
            CASE WHEN problem IS NULL THEN CAST(`value` AS STRING) END,
            CASE WHEN problem IS NOT NULL THEN `value` END, topic,
            CASE WHEN problem IS NULL THEN DATE_FORMAT(ts, 'yyyy-MM-dd') ELSE 'unreadable' END
        FROM {source.name} WHERE problem IS NOT NULL OR event_type <> 'heartbeat'"""
        for source in COMPUTED_FROM
    ]
    return " UNION ALL ".join([*checked, f"{_OTHERS} AND {zone.owns(_LOCATION)}"])


_TIME = "TO_TIMESTAMP_LTZ(TRY_CAST(JSON_VALUE(CAST(`value` AS STRING), '$.event_time_ms') AS BIGINT), 3)"
_LOCATION = "JSON_VALUE(CAST(`value` AS STRING), '$.location')"
_IS_TEXT = "ENCODE(CAST(`value` AS STRING), 'UTF-8') = `value`"
_OTHERS = f"""SELECT topic, CAST(`partition` AS STRING), `offset`, FALSE,
        CASE WHEN {_IS_TEXT} THEN CAST(`value` AS STRING) END, CASE WHEN NOT {_IS_TEXT} THEN `value` END,
        topic, COALESCE(DATE_FORMAT({_TIME}, 'yyyy-MM-dd'), 'unreadable')
    FROM others_source
    WHERE COALESCE(JSON_VALUE(CAST(`value` AS STRING), '$.event_type'), '') <> 'heartbeat'"""
