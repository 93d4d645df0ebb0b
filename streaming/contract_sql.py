"""Message contracts as Flink SQL: from a pydantic model to a predicate, typed columns and reasons.

Each message is parsed once: `JSON_QUERY` returns the contract's fields in alphabetical order and in one
canonical spelling, and one regular expression checks names and JSON types. Only a message that fails is
looked at field by field, to say what is wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Schema = Mapping[str, Any]

_NUMBER = r"-?\d+(?:\.\d+)?(?:E[+-]?\d+)?"
_PLAIN_VALUE = r'(?:"[^"\\]*"|[a-zA-Z0-9.+-]+)'
_END = r"(?:,|(?=\}))"
_END_MARK = '{"version":0}'
_COMPARISONS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        name: its name.
        pattern: regular expression of its value in canonical JSON.
        required: whether it may be left out.
        kind: how its text is found: between quotes, as a plain number, or as the amount of money.
        sql_type: what its text is cast to.
        bounds: comparisons that its value must pass, such as `>= 0`.
        accepted: the same for people.
    """

    name: str
    pattern: str
    required: bool
    kind: Literal["quoted", "number", "money"]
    sql_type: str
    bounds: tuple[str, ...]
    accepted: str


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def interval(seconds: int) -> str:
    """A SQL interval; only this form takes more than 99 of a unit, since Flink knows no precision."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"INTERVAL '{day} {hour:02}:{minute:02}:{second:02}' DAY TO SECOND"


def fields(model: type[BaseModel], names: Sequence[str] | None = None) -> tuple[Field, ...]:
    """The fields of a message (all, or those named), in alphabetical order."""
    schema = model.model_json_schema()
    properties: Schema = schema["properties"]
    own_name = f"(?:{'|'.join(properties)})"
    return tuple(
        _field(name, properties[name], name in schema.get("required", ()), schema.get("$defs", {}), own_name)
        for name in sorted(names or properties)
    )


def _field(name: str, schema: Schema, required: bool, definitions: Schema, own_name: str) -> Field:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    nullable = len(options) < len(schema.get("anyOf", [schema]))
    value = _resolved(options[0], definitions)
    bounds = tuple(f"{sign} {value[key]}" for key, sign in _COMPARISONS.items() if key in value)
    accepted = " and ".join([_description(value), *bounds])
    return Field(
        name=name,
        pattern=f"(?:null|{_pattern(value, own_name)})" if nullable else _pattern(value, own_name),
        required=required,
        kind=_KINDS[value["type"]],
        sql_type={"integer": "BIGINT", "number": "DOUBLE"}.get(value["type"], "STRING"),
        bounds=bounds,
        accepted=f"{accepted} or null" if nullable else accepted,
    )


_KINDS: Mapping[str, Literal["quoted", "number", "money"]] = {
    "string": "quoted",
    "integer": "number",
    "number": "number",
    "object": "money",
}


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _choices(schema: Schema) -> list[str]:
    return [str(choice) for choice in schema.get("enum", [schema["const"]] if "const" in schema else [])]


def _pattern(schema: Schema, own_name: str) -> str:
    if choices := _choices(schema):
        quote = '"' if schema["type"] == "string" else ""
        return f"{quote}(?:{'|'.join(choices)}){quote}"
    if schema["type"] == "string":
        inner: str = schema["pattern"]
        return '"' + inner.removeprefix("^").removesuffix("$").replace("(", "(?:") + '"'
    if schema["type"] == "object":
        return _money(schema["properties"], own_name)
    return r"-?\d+" if schema["type"] == "integer" else _NUMBER


def _money(properties: Schema, own_name: str) -> str:
    """An object with an amount, a currency, and possibly other plain fields, not named like the message's."""
    amount, currency = (_pattern(properties[name], own_name) for name in ("amount", "currency"))
    other = rf'"(?!{own_name}")[^"\\]*":{_PLAIN_VALUE}'
    return rf'\{{(?:{other},)*"amount":{amount},(?:{other},)*"currency":{currency}(?:,{other})*\}}'


def _description(schema: Schema) -> str:
    if choices := _choices(schema):
        return f"one of {', '.join(choices)}"
    if schema["type"] == "string":
        return f"a string like {schema['pattern']}"
    numbers = {"integer": "an integer", "number": "a number"}
    return numbers.get(schema["type"], "an amount (decimal string) with its currency")


def closed(text: str) -> str:
    """SQL for an array of the text and an end mark, which whatever follows one JSON value hides or moves."""
    return f"'[' || {text} || ',{_END_MARK}]'"


def canonical(text: str, message: Sequence[Field]) -> str:
    """SQL for the message's fields in canonical JSON, in an array with the end mark; null if not JSON."""
    names = ",".join(f"''{field.name}''" for field in message)
    return f"JSON_QUERY({closed(text)}, 'lax $[*][{names}]')"


def pattern(message: Sequence[Field]) -> str:
    """Regular expression of a canonical message, in which each field's name stands once before a colon."""
    members = (
        f'"{field.name}":{field.pattern}{_END}' if field.required
        else f'(?:"{field.name}":{field.pattern}{_END})?'
        for field in message
    )  # fmt: skip
    return rf"^\[\{{{''.join(members)}\}},{re.escape(_END_MARK)}\]$"


def extracted(document: str, field: Field) -> str:
    """SQL for the text of a field of a canonical message that has its pattern; null if absent or null.

    Splitting is far cheaper than `REGEXP_EXTRACT`, which compiles its expression anew for every row.
    """
    quoted, named = """'"', 0""", f'"{field.name}":'
    if field.kind == "number":
        rest = f"SPLIT_INDEX({document}, '{named}', 1)"
        return f"NULLIF(SPLIT_INDEX(SPLIT_INDEX({rest}, ',', 0), '}}', 0), 'null')"
    if field.kind == "money":
        money = f"SPLIT_INDEX({document}, '{named}{{', 1)"
        return f"""SPLIT_INDEX(SPLIT_INDEX({money}, '"amount":"', 1), {quoted})"""
    return f"""SPLIT_INDEX(SPLIT_INDEX({document}, '{named}"', 1), {quoted})"""


def wrong_shape(text: str, field: Field) -> tuple[str, str]:
    """SQL predicate: a field of a JSON object breaks its contract's type or spelling; and its value's SQL."""
    value = f"JSON_QUERY('[' || {text} || ']', 'lax $[*].{field.name}')"
    shape = rf"^\[{field.pattern}\]$" if field.required else rf"^\[(?:{field.pattern})?\]$"
    shown = rf"NULLIF(REGEXP_REPLACE({value}, '^\[|\]$', ''), '')"
    return f"NOT REGEXP(COALESCE({value}, ''), {literal(shape)})", shown


def out_of_range(field: Field) -> str:
    """SQL predicate that the extracted text of a field, if any, is outside its contract's range."""
    number = f"TRY_CAST({field.name} AS {field.sql_type})"
    inside = " AND ".join(f"{number} {bound}" for bound in field.bounds)
    return f"{field.name} IS NOT NULL AND ({inside}) IS NOT TRUE"


def required_for(model: type[BaseModel]) -> list[tuple[str, tuple[str, ...]]]:
    """Fields that only some event types need, as the model's schema says: (field, event types)."""
    rules: list[Schema] = model.model_json_schema().get("allOf", [])
    return [
        (rule["then"]["required"][0], tuple(rule["if"]["properties"]["event_type"]["enum"])) for rule in rules
    ]
