"""Messages to bytes and back, checked against the contract at every edge."""

from typing import Any

from pydantic import BaseModel, ValidationError

from infra.contracts.topics import TOPICS
from infra.errors import ContractError


def encode(topic: str, message: BaseModel) -> bytes:
    """UTF-8 JSON of a message of the topic; equal messages give equal bytes.

    Raises:
        ContractError: the message is not of the topic's type.
    """
    return TOPICS[topic].message.dump_json(message, warnings="error")


def decode(topic: str, value: bytes | None) -> Any:
    """The message in `value`, of the topic's type.

    Raises:
        ContractError: not UTF-8 JSON, an unknown version, or a field that breaks the contract; names the
            first such field, its value and what is accepted.
    """
    if value is None:
        raise ContractError(topic, "$", None, "a JSON object is expected, not a tombstone")
    try:
        return TOPICS[topic].message.validate_json(value)
    except ValidationError as error:
        raise _first_problem(topic, error) from None


def _first_problem(topic: str, error: ValidationError) -> ContractError:
    problem = error.errors(include_url=False, include_context=False)[0]
    path = problem["loc"][1:] if TOPICS[topic].is_union else problem["loc"]  # without the union's tag
    field = ".".join(str(part) for part in path) or "$"
    return ContractError(topic, field, problem["input"], problem["msg"])


def message_key(sku: str, location: str) -> bytes:
    """Kafka key of everything about a SKU at a location."""
    return f"{sku}|{location}".encode()
