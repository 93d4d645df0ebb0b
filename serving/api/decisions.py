"""Decisions: the latest of each SKU, a SKU's history, one with the steps from wanted to ordered."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from infra.contracts.inventory import Adjustment, ReorderDecision
from infra.contracts.message import Identifier
from serving.api.access import allows
from serving.api.paging import Filter, OfBoard, Page, Part, Sort, chosen, labelled_mask, page_of, sorted_rows
from serving.api.skus import kept_sku
from serving.board.board import Board
from serving.inventory.decision_words import explain_decision

router = APIRouter(tags=["decisions"])

_SORTED_BY = ("sku", "location", "epoch_ms", "quantity", "cost", "money_at_risk")


class Steps(BaseModel):
    """The way from the quantity wanted to the one ordered; `before` equal to `after` is a remark."""

    decision_id: str
    wanted: int
    ordered: int
    steps: list[Adjustment]
    words: str


@router.get("/v1/decisions", **allows("viewer", 404))
async def decisions(
    board: OfBoard,
    part: Part,
    sku: Filter = None,
    location: Filter = None,
    status: Literal["order", "no_order", "blocked"] | None = None,
    history: Annotated[bool, Query(description="all of one SKU's that are kept, newest first")] = False,
    sort: Sort = "sku",
) -> Page[ReorderDecision]:
    """The latest decision of each SKU, or one SKU's history."""
    if history:
        if sku is None or location is None:
            raise HTTPException(422, "query.history: needs sku and location")
        made = kept_sku(board, sku, location).read_decisions()
        kept = [each for each in made if status in (None, each.status)]
        return page_of(kept, part, board, lambda each: each)
    order = sorted_rows(board, sort or "sku", _SORTED_BY)
    mask = labelled_mask(board, None, sku=sku, location=location, status=status)
    mask &= board.table.numbers("epoch_ms")[: len(mask)] > 0
    rows = chosen(order, mask)
    items = [decision for row in part.of(rows) if (decision := _latest(board, int(row)))]
    return Page(items=items, total=len(rows), as_of_ms=board.progress.event_time_ms)


def _latest(board: Board, row: int) -> ReorderDecision | None:
    kept = board.sku(board.table.keys[row])
    return kept.read_decision() if kept else None


@router.get("/v1/decisions/{decision_id}", **allows("viewer", 404))
async def decision(board: OfBoard, decision_id: Identifier) -> ReorderDecision:
    """A decision with all its inputs."""
    found = board.decision(decision_id)
    if found is None:
        raise HTTPException(404, f"no decision {decision_id}")
    return found


@router.get("/v1/decisions/{decision_id}/steps", **allows("viewer", 404))
async def steps(board: OfBoard, decision_id: Identifier) -> Steps:
    """What turned the quantity wanted into the one ordered."""
    found = await decision(board, decision_id)
    return Steps(
        decision_id=decision_id,
        wanted=found.unconstrained_quantity,
        ordered=found.quantity,
        steps=found.adjustments,
        words=explain_decision(found),
    )
