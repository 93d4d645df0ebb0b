"""What needs a planner's attention, by the money at stake."""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from fastapi import APIRouter, Depends, HTTPException
from numpy.typing import NDArray
from pydantic import BaseModel

from infra.contracts.inventory import ReorderDecision, TotalCost
from serving.api.access import allows
from serving.api.paging import Filter, OfBoard, Part, Search, Sort, labelled_mask
from serving.api.skus import Kind
from serving.board.board import Board
from serving.board.reasons import reason
from serving.board.table import KINDS, Mask, Rows

router = APIRouter(tags=["exceptions"])


class ExceptionRow(BaseModel):
    """One SKU's exception of one kind; `money_at_risk` is in `currency`."""

    exception_id: str
    kind: Kind
    sku: str
    location: str
    description: str
    category: str
    currency: str
    money_at_risk: float
    reason: str
    decision_id: str | None
    decision_status: str | None
    quantity: int | None
    cost: TotalCost | None
    epoch_ms: int | None
    action: Literal["approve", "hold", "reject"] | None


class Exceptions(BaseModel):
    """A page of exceptions; counts and money are of the whole list before `kind` filters it."""

    items: list[ExceptionRow]
    total: int
    as_of_ms: int | None
    counts: dict[Kind, int]
    money: dict[Kind, float]


class Matching(NamedTuple):
    """Cells of the exceptions of every kind that match, and of those of the kind in the order asked for."""

    of_every_kind: Rows
    listed: Rows


async def _matching(
    board: OfBoard,
    kind: Kind | None = None,
    q: Search = None,
    category: Filter = None,
    location: Filter = None,
    sort: Sort = "-money_at_risk",
) -> Matching:
    if (sort or "-money_at_risk") not in ("money_at_risk", "-money_at_risk"):
        raise HTTPException(422, "query.sort: money_at_risk or -money_at_risk is accepted")
    found = _cells(board, labelled_mask(board, q, category=category, location=location))
    cells = found[found % len(KINDS) == KINDS.index(kind)] if kind else found
    return Matching(found, cells[::-1] if sort == "money_at_risk" else cells)


MatchingExceptions = Annotated[Matching, Depends(_matching)]
"""What matches a request's filters; 422 where no such column is to sort by."""


@router.get("/v1/exceptions", **allows("viewer"))
async def exceptions(board: OfBoard, part: Part, matching: MatchingExceptions) -> Exceptions:
    """Exceptions of the SKUs that match, by default the most money first."""
    found, cells = matching
    kinds, money = found % len(KINDS), np.nan_to_num(board.table.money.ravel()[found])
    return Exceptions(
        items=[shown_exception(board, int(cell)) for cell in part.of(cells)],
        total=len(cells),
        as_of_ms=board.progress.event_time_ms,
        counts=_by_kind(np.bincount(kinds, minlength=len(KINDS))),
        money=_by_kind(np.bincount(kinds, money, len(KINDS)).round(2)),
    )


def _by_kind(sums: NDArray[Any]) -> dict[Any, Any]:
    return dict(zip(KINDS, sums.tolist(), strict=True))


def _cells(board: Board, mask: Mask) -> Rows:
    """Cells of the money table with an exception (row × kinds + kind), the most money first."""
    cells = board.orderings.kept("exceptions", lambda: _ranked(board))
    if mask.all():
        return cells
    cells = cells[cells < len(mask) * len(KINDS)]
    masked: Rows = cells[mask[cells // len(KINDS)]]
    return masked


def _ranked(board: Board) -> Rows:
    money = board.table.money.ravel()
    cells = np.flatnonzero(money == money)
    ranked: Rows = cells[np.argsort(-money[cells], kind="stable")]
    return ranked


def shown_exception(board: Board, cell: int) -> ExceptionRow:
    """The exception of a cell (row x kinds + kind) as it is shown."""
    row, kind = cell // len(KINDS), KINDS[cell % len(KINDS)]
    table = board.table
    kept = board.sku(table.keys[row])
    decision: ReorderDecision | None = kept.read_decision() if kept else None
    action = board.planners.actions.get(decision.decision_id) if decision else None
    sku, location = table.keys[row]
    return ExceptionRow.model_validate(
        {
            "exception_id": f"{kind}:{location}:{sku}",
            "kind": kind,
            **{
                name: table.text(row, name)
                for name in ("sku", "location", "description", "category", "currency")
            },
            "money_at_risk": table.money_at_risk(row, kind),
            "reason": reason(table, row, kind, decision),
            "decision_id": decision.decision_id if decision else None,
            "decision_status": decision.status if decision else None,
            "quantity": decision.quantity if decision else None,
            "cost": decision.cost if decision else None,
            "epoch_ms": decision.epoch_ms if decision else None,
            "action": action.event_type if action else None,
        }
    )
