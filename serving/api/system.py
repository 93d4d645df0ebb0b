"""Whether the application works, and how far each topic has come."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from infra.contracts.demand import RetrainRequest
from serving.api.access import allows
from serving.api.paging import OfBoard
from serving.board.progress import TopicProgress

router = APIRouter(tags=["system"])

Readiness = Callable[[], Sequence[str]]
"""Reasons why the application is not ready; none if it is."""


class Ready(BaseModel):
    """Whether every part works, and the reasons if not."""

    ready: bool
    reasons: list[str]


class TopicState(BaseModel):
    """One topic as read here; `behind_seconds` is how far its event time is behind the newest one."""

    topic: str
    records: int
    per_second: float
    newest_ms: int | None
    behind_seconds: float | None
    silent_seconds: float | None


class System(Ready):
    """Readiness and every topic."""

    event_time_ms: int | None
    topics: list[TopicState]


class ModelRow(BaseModel):
    """A model whose forecasts were published."""

    model_id: str
    panel_hash: str
    first_origin_ms: int
    last_origin_ms: int
    forecasts: int
    by_fallback: int


class Models(BaseModel):
    """Models, the one that forecast last first; and requests to replace one."""

    items: list[ModelRow]
    retrain_requests: list[RetrainRequest]


def _reasons(request: Request) -> list[str]:
    readiness: Readiness = request.app.state.readiness
    return list(readiness())


Reasons = Annotated[list[str], Depends(_reasons)]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """This replica answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready"}})
def readyz(reasons: Reasons) -> JSONResponse:
    """200 when every deployment is healthy and nothing contradicts itself, else 503 with the reasons."""
    body = Ready(ready=not reasons, reasons=reasons)
    return JSONResponse(body.model_dump(), 503 if reasons else 200)


@router.get("/v1/system", **allows("viewer"))
def system(board: OfBoard, reasons: Reasons) -> System:
    """Readiness, and how far every topic has come."""
    now = time.time()
    return System(
        ready=not reasons,
        reasons=reasons,
        event_time_ms=board.progress.event_time_ms,
        topics=[
            _state(topic, progress, now, board.progress.event_time_ms)
            for topic, progress in sorted(board.progress.topics.items())
        ],
    )


def _state(topic: str, progress: TopicProgress, now: float, event_time_ms: int | None) -> TopicState:
    behind = None
    if event_time_ms is not None and progress.newest_ms is not None:
        behind = max(event_time_ms - progress.newest_ms, 0) / 1000
    return TopicState(
        topic=topic,
        records=progress.records,
        per_second=progress.per_second(now),
        newest_ms=progress.newest_ms,
        behind_seconds=behind,
        silent_seconds=None if progress.read_at is None else now - progress.read_at,
    )


@router.get("/v1/models", **allows("viewer"))
async def models(board: OfBoard) -> Models:
    """Which models forecast, and which are to be replaced."""
    return Models(
        items=[ModelRow(**vars(seen)) for seen in board.models.newest_first()],
        retrain_requests=list(board.models.requests.values()),
    )
