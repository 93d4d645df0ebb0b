"""Message contracts as Flink SQL: from a pydantic model to a predicate, typed columns and reasons.

Each message is parsed once: `JSON_QUERY` returns the contract's fields in alphabetical order and in one
canonical spelling, and one regular expression checks names and JSON types. Only a message that fails is
looked at field by field, to say what is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]

_NUMBER = r"(-?\d+(?:\.\d+)?(?:E[+-]?\d+)?)"
_OTHER_FIELD = r'"[^"\\]*":(?:"[^"\\]*"|[a-zA-Z0-9.+-]+)'
_END = r"(?:,|(?=\}))"
_COMPARISONS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


@dataclass(frozen=True)
class Field:
    """A field of a message: `pattern` matches its canonical JSON and has one capturing group."""

    name: str
    pattern: str
    required: bool
    sql_type: str
    bounds: tuple[str, ...]
    accepted: str


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def fields(model: type[BaseModel], names: Sequence[str] | None = None) -> tuple[Field, ...]:
    """The fields of a message (all, or those named), in alphabetical order."""
    schema = model.model_json_schema()
    properties: Mapping[str, Schema] = schema["properties"]
    return tuple(
        _field(name, properties[name], name in schema.get("required", ()), schema.get("$defs", {}))
        for name in sorted(names or properties)
    )


def _field(name: str, schema: Schema, required: bool, defs: Schema) -> Field:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    nullable = len(options) < len(schema.get("anyOf", [schema]))
    value = _resolved(options[0], defs)
    pattern, sql_type, accepted = _value(value)
    bounds = tuple(f"{sign} {value[key]}" for key, sign in _COMPARISONS.items() if key in value)
    return Field(
        name=name,
        pattern=f"(?:null|{pattern})" if nullable else pattern,
        required=required,
        sql_type=sql_type,
        bounds=bounds,
        accepted=" and ".join([accepted, *bounds]) + (" or null" if nullable else ""),
    )


def _resolved(schema: Schema, defs: Schema) -> Schema:
    return defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _value(schema: Schema) -> tuple[str, str, str]:
    """Pattern with one capturing group, SQL type and description of a JSON value."""
    if "const" in schema or "enum" in schema:
        choices = [str(choice) for choice in schema.get("enum", [schema.get("const")])]
        quote = '"' if schema["type"] == "string" else ""
        return f"{quote}({'|'.join(choices)}){quote}", "STRING", f"one of {', '.join(choices)}"
    if schema["type"] == "string":
        inner = schema["pattern"].removeprefix("^").removesuffix("$")
        return f'"({_without_groups(inner)})"', "STRING", f"a string like {schema['pattern']}"
    if schema["type"] == "integer":
        return r"(-?\d+)", "BIGINT", "an integer"
    if schema["type"] == "number":
        return _NUMBER, "DOUBLE", "a number"
    return _money(schema["properties"]), "STRING", "an amount (decimal string) with its currency"


def _without_groups(pattern: str) -> str:
    return pattern.replace("(", "(?:")


def _money(properties: Mapping[str, Schema]) -> str:
    """An object with an amount, which is captured, a currency, and possibly other plain fields."""
    amount, currency = (_value(properties[name])[0] for name in ("amount", "currency"))
    before, after = f"(?:{_OTHER_FIELD},)*", f"(?:,{_OTHER_FIELD})*"
    return rf'\{{{before}"amount":{amount},{before}"currency":{_without_groups(currency)}{after}\}}'


def in_array(text: str) -> str:
    """SQL for a JSON array of the text: what follows one JSON value breaks it or makes a second element."""
    return f"'[' || {text} || ']'"


def canonical(text: str, message: Sequence[Field]) -> str:
    """SQL for the message's fields in canonical JSON, in an array; null if `text` is not JSON."""
    names = ",".join(f"''{field.name}''" for field in message)
    return f"JSON_QUERY({in_array(text)}, 'lax $[*][{names}]')"


def pattern(message: Sequence[Field]) -> str:
    """Regular expression of a canonical message; the n-th group captures the n-th field."""
    members = (
        f'"{field.name}":{field.pattern}{_END}' if field.required
        else f'(?:"{field.name}":{field.pattern}{_END})?'
        for field in message
    )  # fmt: skip
    return rf"^\[\{{{''.join(members)}\}}\]$"


def extracted(document: str, message: Sequence[Field], name: str) -> str:
    """SQL for the text of a field of a canonical message; null if absent or the message does not match."""
    number = 1 + [field.name for field in message].index(name)
    return f"REGEXP_EXTRACT({document}, {literal(pattern(message))}, {number})"


def wrong_shape(text: str, field: Field) -> tuple[str, str]:
    """SQL predicate: a field of a JSON object breaks its contract's type or spelling; and its value's SQL."""
    value = f"JSON_QUERY({in_array(text)}, 'lax $[*].{field.name}')"
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
