"""Who may use the HTTP API: bearer tokens, of which only SHA-256 digests are kept in the tokens file.

The file is YAML or JSON: a list of holders with `name`, `role` and `sha256`. A token's digest is
`printf %s TOKEN | sha256sum`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infra.contracts.message import Identifier
from infra.errors import StockstreamError

Role = Literal["viewer", "planner", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "planner", "admin")
"""Ascending: each may do what the ones before it may."""


class Holder(BaseModel):
    """Somebody with a token; the name becomes the author of what they write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Identifier
    role: Role
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


_HOLDERS = TypeAdapter(list[Holder])


def token_digest(token: str) -> str:
    """SHA-256 of a token (hex)."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_holders(file: Path) -> list[Holder]:
    """The holders that a tokens file names; none where there is no file.

    Raises:
        StockstreamError: the file cannot be read or says something unusable; no digest is shown.
    """
    try:
        return _HOLDERS.validate_python(yaml.safe_load(file.read_text()) or [])
    except FileNotFoundError:
        return []
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "$"
        raise StockstreamError(f"tokens file {file}: {where}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StockstreamError(f"tokens file {file} cannot be read: {type(error).__name__}") from None


def holder_of(token: str, holders: Sequence[Holder]) -> Holder | None:
    """Whose token it is; takes the same time whichever holder it is, or none."""
    digest, found = token_digest(token), None
    for holder in holders:
        if hmac.compare_digest(holder.sha256, digest):
            found = holder
    return found
