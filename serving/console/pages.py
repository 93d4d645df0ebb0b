"""The planner's console: static files, under headers that let a browser run nothing but them."""

import os
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_STATIC = Path(__file__).resolve().parent / "static"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
_ONE_YEAR = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"


class ConsoleFiles(StaticFiles):
    """Vendored files carry their version in the path and are kept a year; the others are asked for again."""

    def file_response(
        self,
        full_path: "str | os.PathLike[str]",
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        vendored = "vendor" in Path(full_path).relative_to(_STATIC).parts
        response.headers.update(_HEADERS | {"cache-control": _ONE_YEAR if vendored else _REVALIDATE})
        return response


def to_console() -> RedirectResponse:
    """The address without a path leads to the console."""
    return RedirectResponse("/console/")


def mount_console(http: FastAPI) -> None:
    """Serves the console under `/console/`."""
    http.add_api_route("/", to_console, include_in_schema=False)
    http.mount("/console", ConsoleFiles(directory=_STATIC, html=True), name="console")
