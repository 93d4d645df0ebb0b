"""Why a record is refused: the twin of `infra.contracts.codec.decode`, as SQL over a parsed record.

It differs from `decode` only on messages that none of our writers sends (the tests' `click_corpus.py` lists
them): it refuses NaN and Infinity in unknown fields, structured unknown fields inside an amount of money and
heartbeats with an event's fields; it takes lone surrogates in unknown fields, and text after the object that
imitates our end mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from streaming.contract_sql import Field, closed, literal, out_of_range, required_for, wrong_shape

FUTURE_ALLOWANCE_MINUTES = 5
"""An event may be stamped this much later than its record was written; beyond, its clock is wrong."""

EPOCH = "TO_TIMESTAMP_LTZ(0, 3)"
_OF_HEARTBEATS_TOO = ("version", "event_type", "event_time_ms")


def rowtime(value: str, written: str) -> str:
    """SQL for a record's event time; 1970, which never advances a watermark, if unusable or too far ahead."""
    time = f"TO_TIMESTAMP_LTZ(TRY_CAST(JSON_VALUE(CAST({value} AS STRING), '$.event_time_ms') AS BIGINT), 3)"
    latest = f"{written} + INTERVAL '{FUTURE_ALLOWANCE_MINUTES}' MINUTE"
    return f"COALESCE(CASE WHEN {time} <= {latest} THEN {time} END, {EPOCH})"


@dataclass(frozen=True)
class Check:
    """A way to break the contract: SQL that holds when it is broken, the value's SQL, what is accepted."""

    broken: str
    field: str
    value: str
    accepted: str

    def when(self, topic: str) -> str:
        """`WHEN broken THEN reason`; the reason names field, value and what is accepted."""
        start = literal(f"{topic}: field '{self.field}' has value ")
        shown = f"LEFT(COALESCE({self.value}, 'nothing'), 80)"
        return f"WHEN {self.broken} THEN {start} || {shown} || {literal(f': {self.accepted} is accepted')}"


def problem(topic: str, model: type[BaseModel], message: Sequence[Field]) -> str:
    """SQL for the reason why a record is refused; null for an event or a heartbeat that keeps the contract.

    Reads `value`, `text`, `ts`, `event_id` (null unless the record has the shape of an event), `heartbeat_ms`
    (null unless it has that of a heartbeat) and the other extracted fields.
    """
    shape = " ".join(check.when(topic) for check in _shape(message))
    content = " ".join(check.when(topic) for check in _content(model, message))
    return f"""CASE
        WHEN ENCODE(text, 'UTF-8') = `value` AND (event_id IS NOT NULL OR heartbeat_ms IS NOT NULL)
        THEN CASE {content} END {shape} END"""


def _shape(message: Sequence[Field]) -> list[Check]:
    """What a record can get wrong before its values matter."""
    whole, array = "text", closed("text")
    more = f"NOT JSON_EXISTS({array}, '$[1]') OR JSON_EXISTS({array}, '$[2]')"
    return [
        Check("`value` IS NULL", "$", whole, "a JSON object, not a tombstone,"),
        Check("ENCODE(text, 'UTF-8') <> `value`", "$", whole, "UTF-8"),
        Check("text IS NOT JSON OBJECT", "$", whole, "a JSON object"),
        Check(more, "$", whole, "one JSON object with nothing after it"),
        *(_wrong_shape(field) for field in _of_heartbeats_too(message)),
        Check("JSON_VALUE(text, '$.event_type') = 'heartbeat'", "$", whole, "a heartbeat with a time only"),
        *(_wrong_shape(field) for field in message if field.name not in _OF_HEARTBEATS_TOO),
        Check("TRUE", "$", whole, "an event or a heartbeat"),
    ]


def _wrong_shape(field: Field) -> Check:
    broken, value = wrong_shape("text", field)
    return Check(broken, field.name, value, field.accepted)


def _of_heartbeats_too(message: Sequence[Field]) -> list[Field]:
    by_name = {field.name: field for field in message}
    kind = by_name["event_type"]
    either = replace(kind, pattern=f'(?:"heartbeat"|{kind.pattern})', accepted=f"{kind.accepted}, heartbeat")
    return [by_name["version"], either, by_name["event_time_ms"]]


def _content(model: type[BaseModel], message: Sequence[Field]) -> list[Check]:
    """What a well-formed event or heartbeat can get wrong."""
    bounded = [field for field in message if field.bounds]
    time = next(field for field in message if field.name == "event_time_ms")
    beat = replace(time, name="heartbeat_ms")
    late_clock = f"ts = {EPOCH} AND CAST(COALESCE(event_time_ms, heartbeat_ms) AS BIGINT) > 0"
    return [
        *(Check(out_of_range(field), field.name, field.name, field.accepted) for field in bounded),
        Check(out_of_range(beat), time.name, beat.name, time.accepted),
        *(
            Check(
                f"event_type IN ({', '.join(map(literal, types))}) AND {name} IS NULL", name, name, "a value"
            )
            for name, types in required_for(model)
        ),
        Check(
            late_clock,
            time.name,
            "COALESCE(event_time_ms, heartbeat_ms)",
            f"at most {FUTURE_ALLOWANCE_MINUTES} minutes after the record was written",
        ),
    ]


def read_fields(model: type[BaseModel], message: Sequence[Field]) -> list[str]:
    """Names of the fields that `problem` reads, besides `heartbeat_ms`."""
    needed = {"event_id", "event_type", "event_time_ms", *(name for name, _ in required_for(model))}
    return [field.name for field in message if field.bounds or field.name in needed]
