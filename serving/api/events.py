"""What changes, as it changes: server-sent events of new decisions and of the numbers of exceptions."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from serving.api.access import allows
from serving.api.paging import OfBoard
from serving.board.board import Board
from serving.board.table import KINDS

router = APIRouter(tags=["events"])

MAX_STREAMS = 50
LONGEST_SECONDS = 600
_LOOK_SECONDS = 1.0
_BEAT_SECONDS = 15.0


class Streams:
    """How many are open."""

    def __init__(self) -> None:
        self.open = 0


_streams = Streams()


@router.get("/v1/events", **allows("viewer", 429), response_class=StreamingResponse)
async def events(
    board: OfBoard, seconds: Annotated[int, Query(ge=0, le=LONGEST_SECONDS)] = LONGEST_SECONDS
) -> StreamingResponse:
    """`decisions` with the ids of new ones, `exceptions` with their numbers by kind; ends after `seconds`."""
    if _streams.open >= MAX_STREAMS:
        raise HTTPException(429, f"{MAX_STREAMS} streams are open", {"Retry-After": "30"})
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(_counted(board, seconds), media_type="text/event-stream", headers=headers)


async def _counted(board: Board, seconds: float) -> AsyncIterator[str]:
    _streams.open += 1
    try:
        async for event in changes(board, seconds):
            yield event
    finally:
        _streams.open -= 1


async def changes(board: Board, seconds: float, look_seconds: float = _LOOK_SECONDS) -> AsyncIterator[str]:
    """Events from now on; the numbers of exceptions as they are come first."""
    until, told_at = time.monotonic() + seconds, time.monotonic()
    seen, counts = board.news.count, _counts(board)
    yield _event("exceptions", counts)
    while time.monotonic() < until:
        await asyncio.sleep(look_seconds)
        seen, new = board.news.since(seen)
        if new:
            told_at = time.monotonic()
            yield _event("decisions", new)
        if (now := _counts(board)) != counts:
            counts, told_at = now, time.monotonic()
            yield _event("exceptions", counts)
        if time.monotonic() - told_at > _BEAT_SECONDS:
            told_at = time.monotonic()
            yield ": nothing new\n\n"


def _counts(board: Board) -> dict[str, int]:
    money = board.table.money
    return dict(zip(KINDS, (money == money).sum(axis=0).tolist(), strict=True))


def _event(name: str, told: object) -> str:
    return f"event: {name}\ndata: {json.dumps(told)}\n\n"
