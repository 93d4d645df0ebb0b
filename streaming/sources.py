"""The topics the job reads: Kafka tables with event time and watermarks, and views of what was read.

Each topic the job computes from has three relations:

    <name>_source  records as bytes, with the rowtime `ts`
    <name>_read    and `record`: its fields, or why it is refused
    <name>         without it, `problem` (why it is refused; else null), `late_ms` (by how much it came too
                   late; else null), `event_type` and the other typed columns
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from infra.contracts.topics import ARCHIVED, CLICKSTREAM, ITEMS, STOCK_LEVELS, TOPICS
from streaming.kafka_connection import connection_options
from streaming.zone import Zone, literal

FUTURE_ALLOWANCE_MINUTES = 5
"""An event may be stamped this much later than its record was written; beyond, its clock is wrong."""

FUNCTIONS = MappingProxyType(
    {
        "read_record": "stockstream.ReadRecord",
        "event_time": "stockstream.EventTime",
        "stock_state": "stockstream.StockState",
    }
)
"""SQL functions of `streaming/java`, by name."""

EPOCH = "TO_TIMESTAMP_LTZ(0, 3)"
_RECORD = "`key`, `value`, topic, `partition`, `offset`, ts, seen"
_DAY_CLOSES = "CAST(CAST(ts AS DATE) + INTERVAL '1' DAY AS TIMESTAMP_LTZ(3))"


@dataclass(frozen=True)
class Source:
    """A topic the job computes from.

    Attributes:
        name: prefix of its relations.
        columns: typed columns of its view, as contract field name to SQL type; of money, the amount.
        closes: SQL of the instant from which on an event comes too late, or None if it never does.
        late_reason: why it is too late then.
    """

    name: str
    topic: str
    columns: Mapping[str, str]
    closes: str | None = None
    late_reason: str = ""


_KEY_COLUMNS = {
    "event_type": "STRING",
    "event_id": "STRING",
    "event_time_ms": "BIGINT",
    "sku": "STRING",
    "location": "STRING",
}

CLICKS = Source(
    name="clicks",
    topic=CLICKSTREAM,
    columns={
        **_KEY_COLUMNS,
        "session_id": "STRING",
        "quantity": "DECIMAL(13, 6)",
        "unit_price": "DECIMAL(16, 4)",
        "list_price": "DECIMAL(16, 4)",
        "promotion_id": "STRING",
    },
    closes=_DAY_CLOSES,
    late_reason="the event's local day has closed",
)
STOCK = Source(
    name="stock",
    topic=STOCK_LEVELS,
    columns={**_KEY_COLUMNS, "on_hand": "BIGINT"},
    closes="ts",
    late_reason="later changes of this stock have been counted",
)
CATALOGUE = Source(name="catalogue", topic=ITEMS, columns={**_KEY_COLUMNS, "bulk_threshold": "DOUBLE"})
COMPUTED_FROM = (CLICKS, STOCK, CATALOGUE)
ONLY_ARCHIVED = tuple(topic for topic in ARCHIVED if topic not in {s.topic for s in COMPUTED_FROM})


def kafka_options(topics: Sequence[str], group: str, bootstrap_servers: str, bounded: bool) -> str:
    """Options of a Kafka source that starts at the beginning unless it is restored from a checkpoint."""
    options = {
        "connector": "kafka",
        "topic": ";".join(topics),
        **connection_options(bootstrap_servers),
        "properties.isolation.level": "read_committed",
        "properties.group.id": group,
        "properties.client.id": f"{group}-{topics[0]}",
        "scan.startup.mode": "earliest-offset",
        "key.format": "raw",
        "key.fields": "key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
    }
    if bounded:
        options["scan.bounded.mode"] = "latest-offset"
    return ", ".join(f"'{name}' = {literal(value)}" for name, value in options.items())


def source_table(
    source: Source, group: str, bootstrap_servers: str, disorder_seconds: int, bounded: bool
) -> str:
    """DDL of the records of a topic with event time and a watermark per partition."""
    allowance_ms = FUTURE_ALLOWANCE_MINUTES * 60_000
    return f"""CREATE TEMPORARY TABLE {source.name}_source (
        `key` BYTES, `value` BYTES,
        topic STRING METADATA VIRTUAL, `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL,
        written TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
        ts AS event_time(`value`, {_schema(source.topic)}, written, {allowance_ms}),
        seen AS PROCTIME(),
        WATERMARK FOR ts AS ts - {interval(disorder_seconds)}
    ) WITH ({kafka_options([source.topic], group, bootstrap_servers, bounded)})"""


def archived_table(group: str, bootstrap_servers: str, bounded: bool) -> str:
    """DDL of the records of all topics that the job only archives."""
    return f"""CREATE TEMPORARY TABLE others_source (
        `key` BYTES, `value` BYTES,
        topic STRING METADATA VIRTUAL, `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL
    ) WITH ({kafka_options(ONLY_ARCHIVED, group, bootstrap_servers, bounded)})"""


def views(source: Source, zone: Zone) -> list[str]:
    """DDL of the views from a zone's records as bytes to typed events; each is parsed and checked once."""
    columns = {"problem": "STRING", **source.columns}
    read = literal(", ".join(f"{name} {sql_type}" for name, sql_type in columns.items()))
    fields = ", ".join(f"record.{name} AS {name}" for name in columns)
    return [
        f"""CREATE TEMPORARY VIEW {source.name}_read AS SELECT {_RECORD},
        read_record(`value`, {_schema(source.topic)}, {read}) AS record FROM {source.name}_source""",
        f"""CREATE TEMPORARY VIEW {source.name} AS SELECT {_RECORD},
        {_evaluated_once(f"{literal(source.topic + ': ')} || {_problem(zone)}")} AS problem,
        {_evaluated_once(_late_ms(source))} AS late_ms, {", ".join(source.columns)}
        FROM (SELECT {_RECORD}, {fields} FROM {source.name}_read) WHERE {zone.owns("location")}""",
    ]


def _evaluated_once(expression: str) -> str:
    """The same value, but for the planner not deterministic, so that it is not copied to every use."""
    return f"CASE WHEN RAND() >= 0 THEN {expression} END"


def _problem(zone: Zone) -> str:
    """SQL for why a record is refused: its contract, its clock, or a place that nobody knows."""
    written = f": at most {FUTURE_ALLOWANCE_MINUTES} minutes after the record was written is accepted"
    clock = f"'field ''event_time_ms'' has value ' || CAST(event_time_ms AS STRING) || {literal(written)}"
    place = "'field ''location'' has value ' || location || ': a location of the setting zones is accepted'"
    return f"""CASE WHEN problem IS NOT NULL THEN problem
             WHEN ts = {EPOCH} AND event_time_ms > 0 THEN {clock}
             WHEN {zone.is_unknown("location")} THEN {place} END"""


def _schema(topic: str) -> str:
    """The topic's JSON Schema as a SQL literal."""
    return literal(json.dumps(TOPICS[topic].message.json_schema(), separators=(",", ":")))


def _late_ms(source: Source) -> str:
    if source.closes is None:
        return "CAST(NULL AS BIGINT)"
    late = f"{milliseconds('CURRENT_WATERMARK(ts)')} - {milliseconds(source.closes)}"
    return f"CASE WHEN {source.closes} <= CURRENT_WATERMARK(ts) THEN {late} END"


def milliseconds(instant: str) -> str:
    """SQL for the milliseconds since 1970 UTC of a TIMESTAMP_LTZ."""
    seconds = f"CAST(TIMESTAMPDIFF(SECOND, {EPOCH}, {instant}) AS BIGINT)"
    return f"({seconds} * 1000 + EXTRACT(MILLISECOND FROM {instant}))"


def interval(seconds: int) -> str:
    """A SQL interval; only this form takes more than 99 of a unit, since Flink knows no precision."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"INTERVAL '{day} {hour:02}:{minute:02}:{second:02}' DAY TO SECOND"
