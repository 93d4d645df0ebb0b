"""Lists of SKUs while the catalogue changes."""

from pathlib import Path

from infra.contracts.topics import ITEMS
from serving.board.board import Board
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import client
from tests.unit.serving.records import item


def put(board: Board, sku: str, description: str = "A LANTERN") -> None:
    board.apply(Entry(ITEMS, 0, 0, item(sku, description=description)))


def listed(board: Board, folder: Path, **params: str) -> list[str]:
    return [row["sku"] for row in client(folder, board).get("/v1/skus", params=params).json()["items"]]


def test_a_new_sku_takes_its_place_among_those_listed_before(tmp_path: Path) -> None:
    board = Board()
    for sku in ("B", "D"):
        put(board, sku)
    assert listed(board, tmp_path, sort="-sku") == ["D", "B"]
    for sku in ("C", "A"):
        put(board, sku)
    assert listed(board, tmp_path, sort="sku") == ["A", "B", "C", "D"]


def test_a_renamed_sku_is_found_by_its_new_name_alone(tmp_path: Path) -> None:
    board = Board()
    put(board, "A", "A LANTERN")
    assert listed(board, tmp_path, q="lantern") == ["A"]
    put(board, "A", "A CANDLE")
    assert listed(board, tmp_path, q="candle") == ["A"]
    assert listed(board, tmp_path, q="lantern") == []
