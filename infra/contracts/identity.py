"""Deterministic identities: the same facts always give the same id and digest."""

import hashlib
import json
import uuid
from typing import Any

from pydantic import BaseModel

_DECISIONS = uuid.uuid5(uuid.NAMESPACE_URL, "stockstream:reorder-decision")
_MAX_IDENTIFIER = 64
_API_REQUESTS = uuid.uuid5(uuid.NAMESPACE_URL, "stockstream:api-request")
_RETRAIN_REQUESTS = uuid.uuid5(uuid.NAMESPACE_URL, "stockstream:retrain-request")


def decision_id(sku: str, location: str, epoch_ms: int, cause: str) -> str:
    """UUIDv5 of what a decision is for; `cause` is `review` or the stable id of the triggering record.

    >>> decision_id("85123A", "gb-main", 1316991600000, "review")
    '483f6152-0a96-5df2-ab03-0ec3ef39588a'
    """
    return str(uuid.uuid5(_DECISIONS, f"{sku}|{location}|{epoch_ms}|{cause}"))


def cause(kind: str, record_id: str) -> str:
    """What has led to a decision between reviews: its kind and the record's own id, as an identifier."""
    readable = f"{kind}:{record_id}"
    return readable if len(readable) <= _MAX_IDENTIFIER else f"{kind}:{uuid.uuid5(_DECISIONS, record_id)}"


def forecaster_name(forecaster: str, model_id: str) -> str:
    """Whose scores belong together: a model's by its id; the fallback's whichever model was current."""
    return model_id if forecaster == "lstm" else forecaster


def retrain_request_id(model_id: str) -> str:
    """UUIDv5 of the model that is to be replaced."""
    return str(uuid.uuid5(_RETRAIN_REQUESTS, model_id))


def request_id(author: str, path: str, key: str) -> str:
    """UUIDv5 of a request to the API: whose it is, what it is to, and the key that its sender gave it."""
    return str(uuid.uuid5(_API_REQUESTS, f"{author}|{path}|{key}"))


def digest(value: BaseModel | dict[str, Any] | list[Any]) -> str:
    """SHA-256 (hex) of the canonical JSON: sorted keys, no spaces, finite numbers only.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seed(*parts: object) -> int:
    """A 63-bit seed keyed by what the randomness is for, so that it never depends on an order of draws."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:8], "big") >> 1


def uniform(*parts: object) -> float:
    """A number in [0, 1) keyed by what the randomness is for."""
    return (seed(*parts) >> 10) / 2**53
