"""Who may do what: bearer tokens before anything else is read, then the role that the endpoint declares.

An endpoint that declares no role is refused to everybody.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.api_tokens import ROLES, Holder, Role, holder_of, read_holders
from serving.api.problems import documented, problem

MAX_BODY_BYTES = 64 * 1024
_OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/favicon.ico"})
_OPEN_FOLDER = "/console/"
_UNAUTHENTICATED = {"WWW-Authenticate": "Bearer"}


class Holders:
    """The holders of a tokens file; it is read again when it changes, so tokens rotate without a restart."""

    def __init__(self, file: Path, reread_seconds: float = 1.0) -> None:
        self._file, self._reread_seconds = file, reread_seconds
        self._holders: Sequence[Holder] = read_holders(file)
        self._modified, self._looked_at = self._modification(), time.monotonic()

    def _modification(self) -> int:
        return self._file.stat().st_mtime_ns if self._file.exists() else 0

    def find(self, token: str) -> Holder | None:
        """Whose token it is.

        Raises:
            StockstreamError: the file has become unusable.
        """
        if time.monotonic() - self._looked_at >= self._reread_seconds:
            self._looked_at = time.monotonic()
            if (modified := self._modification()) != self._modified:
                self._holders, self._modified = read_holders(self._file), modified
        return holder_of(token, self._holders)


class Guard:
    """Lets through what is open to all and what carries a known token; bounds the size of bodies."""

    def __init__(self, app: ASGIApp, holders: Holders) -> None:
        self._app, self._holders = app, holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 or 413 itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not _is_open(scope["path"]):
            holder = self._holders.find(_bearer_token(headers))
            if holder is None:
                refusal = problem(
                    401, "a known token is needed: Authorization: Bearer TOKEN", _UNAUTHENTICATED
                )
                await refusal(scope, receive, send)
                return
            scope.setdefault("state", {})["holder"] = holder
        if _declared_length(headers) > MAX_BODY_BYTES:
            await problem(413, f"a body of at most {MAX_BODY_BYTES} bytes is accepted")(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith(_OPEN_FOLDER)


def _bearer_token(headers: dict[bytes, bytes]) -> str:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _declared_length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _bounded(receive: Receive) -> Receive:
    received = 0

    async def next_message() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise HTTPException(413, f"a body of at most {MAX_BODY_BYTES} bytes is accepted")
        return message

    return next_message


def allows(role: Role, *problems: int) -> dict[str, Any]:
    """Options of a route that a role, and those above it, may use."""
    return {
        "openapi_extra": {"x-role": role, "security": [{"token": []}]},
        "responses": documented(401, 403, 422, *problems),
    }


async def authorise(request: Request) -> None:
    """Refuses a holder whose role is below the endpoint's; every endpoint depends on it."""
    if _is_open(request.url.path):
        return
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    needed, holder = extra.get("x-role"), holder_in(request)
    if needed not in ROLES or ROLES.index(holder.role) < ROLES.index(needed):
        raise HTTPException(403, f"needs the role {needed}, the token's is {holder.role}")


def holder_in(request: Request) -> Holder:
    """Who is asking."""
    holder: Holder = request.state.holder
    return holder
