import asyncio
import json
from pathlib import Path
from typing import Any

from infra.contracts.topics import DECISIONS
from serving.api.events import changes
from serving.board.board import Board
from serving.board.news import KEPT, News
from tests.unit.serving.api.small_api import board_of, client, shop_log


def told(event: str) -> tuple[str, Any]:
    name, data = event.strip().splitlines()
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def streamed(board: Board, entries: list[Any]) -> list[tuple[str, Any]]:
    """What a stream tells that was open while records came."""
    stream = changes(board, seconds=0.5, look_seconds=0.05)
    events = [told(await anext(stream))]
    for entry in entries:
        board.apply(entry)
    list(board.due(0.0))
    return events + [told(event) async for event in stream]


def test_a_stream_tells_of_decisions_as_they_come_and_of_the_exceptions_they_make() -> None:
    log = shop_log()
    decided = [each for each in log.entries if each.topic == DECISIONS]
    board = board_of([each for each in log.entries if each.topic != DECISIONS])

    events = asyncio.run(streamed(board, decided))

    assert [name for name, _ in events] == ["exceptions", "decisions", "exceptions"]
    assert events[0][1]["budget_cut"] == 0
    assert events[1][1] == [each.message.decision_id for each in decided]
    assert events[2][1]["budget_cut"] > 0


def test_a_repeated_decision_is_no_news() -> None:
    log = shop_log()

    events = asyncio.run(streamed(board_of(log.entries), log.entries))

    assert "decisions" not in [name for name, _ in events]


def test_a_stream_that_fell_behind_gets_the_last_ones() -> None:
    news = News()
    for number in range(KEPT + 5):
        news.add(str(number))

    assert news.since(KEPT + 3) == (KEPT + 5, [str(KEPT + 3), str(KEPT + 4)])
    assert len(news.since(0)[1]) == KEPT
    assert news.since(news.count) == (KEPT + 5, [])


def test_events_are_an_event_stream_that_is_not_stored(tmp_path: Path) -> None:
    answer = client(tmp_path, Board()).get("/v1/events", params={"seconds": 0})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("event: exceptions\n")
