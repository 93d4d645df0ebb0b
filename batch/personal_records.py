"""Which archived records concern a person, and what they say once the person is erased from them.

A record concerns a person if its `user_id` is the pseudonym, if it belongs to one of the person's sessions,
or if anything outside the contract's fields names the person. Erased, `user_id` is null and each session has
a random token in place of its id, the same in all its records: distinct sessions stay as many as they were,
and no feature changes. Fields outside the contract are left out. Of a record that breaks the contract, which
no feature counts, only its place is kept.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from infra.contracts.codec import decode, encode
from infra.contracts.topics import TOPICS
from infra.errors import ContractError

Row = dict[str, Any]

_PERSONAL = {"user_id", "session_id"}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Person:
    """A person as the archive knows them.

    Attributes:
        user: the pseudonym.
        tokens: what stands for each of the person's sessions, and for the pseudonym where that is the id of
            a session, once they are erased.
    """

    user: str
    tokens: Mapping[str, str]

    @cached_property
    def _mention(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, {self.user, *self.tokens}))
        return re.compile(rf"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])")

    @cached_property
    def _trace(self) -> re.Pattern[str]:
        return re.compile(rf"\\u|{'|'.join(map(re.escape, {self.user, *self.tokens}))}")

    def is_concerned(self, dataset: str, original: bytes) -> bool:
        """Whether a record of the dataset's topic concerns the person."""
        text = original.replace(b"\0", b"").decode("latin-1")
        if not self._trace.search(text):
            return False
        record = _json_object(original)
        if record is None:
            return bool(self._mention.search(_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)))
        other = {name: value for name, value in record.items() if name not in _PERSONAL}
        return self._is_own(record) or self._is_mentioned(other, _names(dataset))

    def _is_own(self, record: Mapping[str, Any]) -> bool:
        session = record.get("session_id")
        return record.get("user_id") == self.user or (isinstance(session, str) and session in self.tokens)

    def _is_mentioned(self, value: Any, contract_names: frozenset[str]) -> bool:
        """Whether anything in a JSON value but the contract's own plain fields names the person."""
        if isinstance(value, Mapping):
            return any(
                self._mention.search(name) or self._is_mentioned(inner, contract_names)
                for name, inner in value.items()
                if isinstance(inner, Mapping | list) or name not in contract_names
            )
        if isinstance(value, list):
            return any(self._is_mentioned(inner, contract_names) for inner in value)
        return bool(self._mention.search(str(value)))

    def erased_from(self, dataset: str, row: Row) -> Row:
        """The archive's row without the person; the same row if it does not concern them."""
        original = content(row)
        if original is None or not self.is_concerned(dataset, original):
            return row
        place = {name: value for name, value in row.items() if name not in ("value", "value_base64")}
        rewritten = None if "value_base64" in row else self._rewritten(dataset, original)
        return place if rewritten is None else {**place, "value": rewritten}

    def _rewritten(self, dataset: str, original: bytes) -> str | None:
        try:
            message = decode(dataset, original)
        except ContractError:
            return None
        changes: dict[str, str | None] = {}
        if getattr(message, "user_id", None) == self.user:
            changes["user_id"] = None
        session = getattr(message, "session_id", None)
        if isinstance(session, str) and session in self.tokens:
            changes["session_id"] = self.tokens[session]
        return encode(dataset, message.model_copy(update=changes)).decode()


def session_of(user: str, original: bytes) -> str | None:
    """The session of a record, if it is the person's."""
    record = _json_object(original) or {}
    session = record.get("session_id")
    return session if record.get("user_id") == user and isinstance(session, str) else None


def content(row: Row) -> bytes | None:
    """The original bytes of an archived record; None where they were erased or are damaged."""
    if isinstance(text := row.get("value"), str):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(row["value_base64"])
    except (KeyError, TypeError, binascii.Error):
        return None


def _json_object(original: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(original)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@cache
def _names(dataset: str) -> frozenset[str]:
    """Names of the fields of a topic's messages, which mean something else than a person."""
    if dataset not in TOPICS:
        return frozenset()
    schema = TOPICS[dataset].message.json_schema()
    shapes = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for shape in shapes for name in shape.get("properties", {})) - _PERSONAL
