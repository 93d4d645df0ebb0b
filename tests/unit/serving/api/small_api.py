"""The API over a small shop: a real application, a real tokens file, records through their codecs."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from starlette.testclient import TestClient

from infra.api_tokens import ROLES, Role, token_digest
from infra.contracts.demand import DemandFeatures
from infra.contracts.topics import ACCURACY, FEATURES, STOCK_LEVELS
from infra.errors import StockstreamError
from serving.api.access import Holders
from serving.api.application import build_api
from serving.api.speaking import Publish
from serving.board.board import Board
from serving.partition_log import Entry, Outgoing
from tests.unit.serving.records import DAY_MS, EPOCH, MemoryLog, accuracy, feed, level
from tests.unit.serving.test_allocator_stage import allocated

TOKENS = {role: f"token-of-the-{role}" for role in ROLES}


def tokens_file(folder: Path) -> Path:
    holders = [
        {"name": f"some-{role}", "role": role, "sha256": token_digest(token)}
        for role, token in TOKENS.items()
    ]
    file = folder / "tokens.json"
    file.write_text(json.dumps(holders))
    return file


def signed_in(role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"}


def client(
    folder: Path,
    board: Board,
    role: Role | None = "viewer",
    reasons: Iterable[str] = (),
    publish: Publish | None = None,
) -> TestClient:
    http = build_api(board, Holders(tokens_file(folder)), lambda: list(reasons), publish or refuse)
    headers = {} if role is None else signed_in(role)
    return TestClient(http, headers=headers, raise_server_exceptions=False)


def refuse(said: Sequence[Outgoing]) -> None:
    raise StockstreamError("no broker in this test")


def board_of(entries: Iterable[Entry]) -> Board:
    board = Board()
    feed(board, entries)
    assert list(board.due(0.0)) == []
    return board


def final(sku: str, day: int, units: float, share: float | None = 1.0) -> DemandFeatures:
    start = EPOCH + day * DAY_MS
    return DemandFeatures(
        sku=sku,
        location="gb-main",
        window_start_ms=start,
        window_end_ms=start + DAY_MS,
        is_final=True,
        values={"units": units, "in_stock_share": share, "views": 2 * units},
    )


def shop_log(budget: str | None = "150.00") -> MemoryLog:
    """Four SKUs decided at the epoch under a budget, and the next day as it happened."""
    log = allocated(budget)
    log.append(STOCK_LEVELS, 0, level("A", 38, EPOCH + DAY_MS).model_copy(update={"event_type": "snapshot"}))
    log.append(FEATURES, 0, final("A", 0, 12.0))
    log.append(FEATURES, 0, final("B", 0, 0.0, share=0.25))
    log.append(ACCURACY, 0, accuracy("A", EPOCH, 0.62))
    return log
