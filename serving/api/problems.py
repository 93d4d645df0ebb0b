"""Errors as RFC 9457 describes them."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from infra.errors import StockstreamError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, for people and programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer that states a problem."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def state_problems(http: FastAPI) -> None:
    """Makes every error of an application a problem."""

    @http.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @http.exception_handler(StockstreamError)
    async def _unavailable(request: Request, error: StockstreamError) -> JSONResponse:
        log.error("%s", error)
        return problem(503, str(error))

    @http.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "an error that was not foreseen; the log of the API has it")

    @http.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, f"{where}: {first['msg']}")


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The problems an endpoint may answer with, for its OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }
