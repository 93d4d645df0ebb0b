"""The topics the job reads: Kafka tables with event time and watermarks, and views of what was read.

Each topic the job computes from has three relations:

    <name>_source    records as bytes, with the rowtime `ts`
    <name>_parsed    and `text`, and `document`: the contract's fields in canonical JSON, parsed once
    <name>_extracted and the contract's fields as text
    <name>           and `event_type`, `problem` (why it is refused; else null), `late_ms` (by how much it
                     came too late; else null) and typed columns
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from infra.contracts.message import Heartbeat
from infra.contracts.shop import ClickEvent, Item, StockLevel
from infra.contracts.topics import ARCHIVED, CLICKSTREAM, ITEMS, STOCK_LEVELS
from streaming.contract_sql import Field, canonical, extracted, fields, interval, literal, pattern
from streaming.record_checks import EPOCH, problem, read_fields, rowtime

_DAY_CLOSES = "CAST(CAST(ts AS DATE) + INTERVAL '1' DAY AS TIMESTAMP_LTZ(3))"
_RECORD = "`key`, `value`, topic, `partition`, `offset`, ts, seen"


@dataclass(frozen=True)
class Source:
    """A topic the job computes from.

    Attributes:
        name: prefix of its relations.
        model: the contract of its events.
        columns: typed columns of its view, as contract field name to SQL type.
        closes: SQL of the instant from which on an event comes too late, or None if it never does.
        late_reason: why it is too late then.
        checked: the fields whose contract is checked, or None for all.
    """

    name: str
    topic: str
    model: type[BaseModel]
    columns: Mapping[str, str]
    closes: str | None = None
    late_reason: str = ""
    checked: Sequence[str] | None = None


_KEY_COLUMNS = {"event_id": "STRING", "event_time_ms": "BIGINT", "sku": "STRING", "location": "STRING"}

CLICKS = Source(
    name="clicks",
    topic=CLICKSTREAM,
    model=ClickEvent,
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
    model=StockLevel,
    columns={**_KEY_COLUMNS, "on_hand": "BIGINT"},
    closes="ts",
    late_reason="later changes of this stock have been counted",
)
CATALOGUE = Source(
    name="catalogue",
    topic=ITEMS,
    model=Item,
    columns={**_KEY_COLUMNS, "bulk_threshold": "DOUBLE"},
    checked=(*_KEY_COLUMNS, "version", "event_type", "bulk_threshold"),
)
COMPUTED_FROM = (CLICKS, STOCK, CATALOGUE)
ONLY_ARCHIVED = tuple(topic for topic in ARCHIVED if topic not in {s.topic for s in COMPUTED_FROM})


def kafka_options(topics: Sequence[str], bootstrap_servers: str, bounded: bool) -> str:
    """Options of a Kafka source that starts at the beginning unless it is restored from a checkpoint."""
    options = {
        "connector": "kafka",
        "topic": ";".join(topics),
        "properties.bootstrap.servers": bootstrap_servers,
        "properties.isolation.level": "read_committed",
        "properties.client.id": f"features-{topics[0]}",
        "scan.startup.mode": "earliest-offset",
        "key.format": "raw",
        "key.fields": "key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
    }
    if bounded:
        options["scan.bounded.mode"] = "latest-offset"
    return ", ".join(f"'{name}' = {literal(value)}" for name, value in options.items())


def source_table(source: Source, bootstrap_servers: str, disorder_seconds: int, bounded: bool) -> str:
    """DDL of the records of a topic with event time and a watermark per partition."""
    return f"""CREATE TEMPORARY TABLE {source.name}_source (
        `key` BYTES, `value` BYTES,
        topic STRING METADATA VIRTUAL, `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL,
        written TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
        ts AS {rowtime("`value`", "written")},
        seen AS PROCTIME(),
        WATERMARK FOR ts AS ts - {interval(disorder_seconds)}
    ) WITH ({kafka_options([source.topic], bootstrap_servers, bounded)})"""


def archived_table(bootstrap_servers: str, bounded: bool) -> str:
    """DDL of the records of all topics that the job only archives."""
    return f"""CREATE TEMPORARY TABLE others_source (
        `key` BYTES, `value` BYTES,
        topic STRING METADATA VIRTUAL, `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL
    ) WITH ({kafka_options(ONLY_ARCHIVED, bootstrap_servers, bounded)})"""


def views(source: Source) -> list[str]:
    """DDL of the views from records as bytes to typed events."""
    message = fields(source.model, source.checked)
    return [_parsed_view(source, message), _extracted_view(source, message), _typed_view(source, message)]


def _evaluated_once(expression: str) -> str:
    """The same value, but for the planner not deterministic.

    The planner inlines an expression into every place that uses it, which would parse each record ten times
    over; it leaves those apart whose value might then differ.
    """
    return f"CASE WHEN RAND() >= 0 THEN {expression} END"


def _parsed_view(source: Source, message: Sequence[Field]) -> str:
    text = "CAST(`value` AS STRING)"
    return f"""CREATE TEMPORARY VIEW {source.name}_parsed AS SELECT {_RECORD},
        {text} AS text, {_evaluated_once(canonical(text, message))} AS document
        FROM {source.name}_source"""


def _extracted_view(source: Source, message: Sequence[Field]) -> str:
    """View of fields as text.

    `event_id` is null unless the record has the shape of an event, `heartbeat_ms` unless that of a heartbeat.
    """
    wanted = {*source.columns, *read_fields(source.model, message)}
    values = {field.name: extracted("document", field) for field in message if field.name in wanted}
    values["event_id"] = _evaluated_once(_if_matching(message, values["event_id"]))
    heartbeat = fields(Heartbeat)
    (time,) = (field for field in heartbeat if field.name == "event_time_ms")
    values["heartbeat_ms"] = _if_matching(heartbeat, extracted("document", time))
    return f"""CREATE TEMPORARY VIEW {source.name}_extracted AS SELECT {_RECORD}, text,
        {", ".join(f"{sql} AS {name}" for name, sql in values.items())}
        FROM {source.name}_parsed"""


def _if_matching(message: Sequence[Field], expression: str) -> str:
    return f"CASE WHEN REGEXP(document, {literal(pattern(message))}) THEN {expression} END"


def _typed_view(source: Source, message: Sequence[Field]) -> str:
    typed = [f"TRY_CAST({name} AS {sql_type}) AS {name}" for name, sql_type in source.columns.items()]
    return f"""CREATE TEMPORARY VIEW {source.name} AS SELECT {_RECORD}, text,
        CASE WHEN heartbeat_ms IS NOT NULL THEN 'heartbeat' ELSE event_type END AS event_type,
        {problem(source.topic, source.model, message)} AS problem,
        {_late_ms(source)} AS late_ms,
        {", ".join(typed)}
        FROM {source.name}_extracted"""


def _late_ms(source: Source) -> str:
    if source.closes is None:
        return "CAST(NULL AS BIGINT)"
    late = f"{milliseconds('CURRENT_WATERMARK(ts)')} - {milliseconds(source.closes)}"
    return f"CASE WHEN {source.closes} <= CURRENT_WATERMARK(ts) THEN {late} END"


def milliseconds(instant: str) -> str:
    """SQL for the milliseconds since 1970 UTC of a TIMESTAMP_LTZ."""
    seconds = f"CAST(TIMESTAMPDIFF(SECOND, {EPOCH}, {instant}) AS BIGINT)"
    return f"({seconds} * 1000 + EXTRACT(MILLISECOND FROM {instant}))"
