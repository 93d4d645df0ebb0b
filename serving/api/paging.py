"""Pages of lists that are filtered and sorted by column."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import numpy as np
from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel

from serving.board.board import Board
from serving.board.table import Mask, Rows

Shown = TypeVar("Shown")
Listed = TypeVar("Listed")
MAX_LIMIT = 500
MAX_OFFSET = 10_000_000

Search = Annotated[str | None, Query(max_length=100, description="text in SKU or description, any case")]
Filter = Annotated[str | None, Query(max_length=200)]
Sort = Annotated[str | None, Query(max_length=50, description="a column, with `-` before it descending")]


class Page(BaseModel, Generic[Shown]):
    """Some of a list. `total` counts all of it; `as_of_ms` is the newest event time the list knows."""

    items: list[Shown]
    total: int
    as_of_ms: int | None


class Slice(BaseModel):
    """Which part of a list is asked for."""

    limit: int
    offset: int

    def of(self, rows: Rows) -> Rows:
        """The rows of the page."""
        return rows[self.offset : self.offset + self.limit]


async def _slice(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Slice:
    return Slice(limit=limit, offset=offset)


async def _board(request: Request) -> Board:
    board: Board = request.app.state.board
    return board


Part = Annotated[Slice, Depends(_slice)]
OfBoard = Annotated[Board, Depends(_board)]


def page_of(
    listed: Sequence[Listed], part: Slice, board: Board, show: Callable[[Listed], Shown]
) -> Page[Shown]:
    """The page of a list that is in order already."""
    shown = [show(each) for each in listed[part.offset : part.offset + part.limit]]
    return Page(items=shown, total=len(listed), as_of_ms=board.progress.event_time_ms)


def sorted_rows(board: Board, sort: str, columns: Sequence[str]) -> Rows:
    """All rows in an order.

    Raises:
        HTTPException: 422, no such column to sort by.
    """
    column = sort.removeprefix("-")
    if column not in columns:
        raise HTTPException(422, f"query.sort: one of {', '.join(columns)} is accepted")
    return board.orderings.by(column, descending=sort.startswith("-"))


def labelled_mask(board: Board, text: str | None, **labels: str | None) -> Mask:
    """Which rows have the given labels and match the text."""
    mask = np.ones(len(board.table), dtype=np.bool_)
    for name, label in labels.items():
        if label is not None:
            of = board.table.under if name == "category" else board.table.labelled
            mask = _both(mask, of(name, label))
    return mask if not text else _both(mask, board.orderings.matching(text))


def _both(mask: Mask, other: Mask) -> Mask:
    """Rows of both; a row that one of them does not know yet is left out."""
    length = min(len(mask), len(other))
    return mask[:length] & other[:length]


def chosen(rows: Rows, mask: Mask) -> Rows:
    """The rows that a mask chooses, in their order."""
    known = rows[rows < len(mask)]
    chosen_rows: Rows = known[mask[known]]
    return chosen_rows
