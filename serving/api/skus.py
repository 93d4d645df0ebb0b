"""SKUs: the list, one of them, its last days and the stock it will have."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel

from infra.contracts.message import Location, Sku
from infra.contracts.shop import Item
from serving.api.access import allows
from serving.api.paging import Filter, OfBoard, Page, Part, Search, Sort, chosen, labelled_mask, sorted_rows
from serving.board.board import Board
from serving.board.day_history import DAYS
from serving.board.kept_skus import KeptSku
from serving.board.table import KINDS, Rows
from serving.inventory.projection import ProjectedStock, projected_stock

router = APIRouter(tags=["SKUs"])

Kind = Literal[
    "stock_out_ahead", "overstock", "late_supplier", "blocked_decision", "budget_cut", "model_fallback",
    "input_stale",
]  # fmt: skip
_SORTED_BY = (
    "sku", "location", "description", "category", "supplier", "on_hand", "backordered", "reserved",
    "on_order", "stock_value", "demand_28_days", "days_of_cover", "stock_out_risk", "money_at_risk",
    "quantity",
)  # fmt: skip


class SkuRow(BaseModel):
    """One SKU at one location now; null is unknown. Amounts are in `currency`."""

    sku: str
    location: str
    description: str
    category: str
    supplier: str
    currency: str
    on_hand: float | None
    backordered: float | None
    reserved: float | None
    on_order: float | None
    stock_value: float | None
    demand_28_days: float | None
    days_of_cover: float | None
    stock_out_risk: float | None
    money_at_risk: float | None
    kinds: list[Kind]
    forecaster: str | None
    decision_id: str | None
    decision_status: str | None
    quantity: float | None
    action: str | None


class SkuDetail(SkuRow):
    """A SKU with its catalogue item."""

    item: Item | None
    time_zone: str | None


class ShownDay(BaseModel):
    """A local day; on a censored one stock-outs may have hidden demand."""

    day_ms: int
    units: float | None
    views: float | None
    add_to_carts: float | None
    in_stock_share: float | None
    censored: bool
    views_out_of_stock: float | None
    promotion_on: float | None
    on_hand: int | None


class ShownDays(BaseModel):
    """Days, oldest first."""

    items: list[ShownDay]


def kept_sku(board: Board, sku: str, location: str) -> KeptSku:
    """What is kept of a SKU.

    Raises:
        HTTPException: 404, no record has named it.
    """
    kept = board.sku((sku, location))
    if kept is None:
        raise HTTPException(404, f"no SKU {sku} at {location}")
    return kept


def row_of(board: Board, row: int) -> SkuRow:
    """A row as it is shown."""
    table = board.table
    kept = board.sku(table.keys[row])
    decision_id = kept.latest_decision_id() if kept else None
    action = board.planners.actions.get(decision_id or "")
    numbers = (
        "on_hand", "backordered", "reserved", "on_order", "stock_value", "demand_28_days", "days_of_cover",
        "stock_out_risk", "money_at_risk", "quantity",
    )  # fmt: skip
    texts = ("sku", "location", "description", "category", "supplier", "currency")
    return SkuRow(
        **{name: table.text(row, name) for name in texts},
        **{name: table.number(row, name) for name in numbers},
        kinds=[kind for kind, money in zip(KINDS, table.money[row], strict=True) if money == money],
        forecaster=table.text(row, "forecaster") or None,
        decision_id=decision_id,
        decision_status=table.text(row, "status") or None,
        action=action.event_type if action else None,
    )


async def _matching(
    board: OfBoard,
    q: Search = None,
    category: Filter = None,
    location: Filter = None,
    supplier: Filter = None,
    status: Literal["order", "no_order", "blocked"] | None = None,
    kind: Kind | None = None,
    sort: Sort = "sku",
) -> Rows:
    order = sorted_rows(board, sort or "sku", _SORTED_BY)
    mask = labelled_mask(board, q, category=category, location=location, supplier=supplier, status=status)
    if kind is not None:
        money = board.table.money[: len(mask), KINDS.index(kind)]
        mask &= money == money
    return chosen(order, mask)


MatchingSkus = Annotated[Rows, Depends(_matching)]
"""Rows of the SKUs that match a request's filters, in its order; 422 where no such column is to sort by."""


@router.get("/v1/skus", **allows("viewer"))
async def skus(board: OfBoard, part: Part, rows: MatchingSkus) -> Page[SkuRow]:
    """SKUs that match; a category includes those below it."""
    items = [row_of(board, int(row)) for row in part.of(rows)]
    return Page(items=items, total=len(rows), as_of_ms=board.progress.event_time_ms)


@router.get("/v1/skus/{location}/{sku}", **allows("viewer", 404))
async def one_sku(board: OfBoard, location: Location, sku: Sku) -> SkuDetail:
    """One SKU with its catalogue item."""
    kept = kept_sku(board, sku, location)
    row = board.table.row((sku, location))
    calendar = board.calendars.get(location)
    return SkuDetail(
        **row_of(board, row).model_dump(),
        item=kept.read_item(),
        time_zone=calendar.time_zone if calendar else None,
    )


@router.get("/v1/skus/{location}/{sku}/days", **allows("viewer", 404))
async def days(
    board: OfBoard, location: Location, sku: Sku, days: Annotated[int, Query(ge=1, le=DAYS)] = 84
) -> ShownDays:
    """What was sold and seen on the last days."""
    kept_sku(board, sku, location)
    last = board.days.days((sku, location))[-days:]
    return ShownDays(items=[ShownDay(**vars(day), censored=day.censored) for day in last])


@router.get("/v1/skus/{location}/{sku}/projection", **allows("viewer", 404))
def projection(board: OfBoard, location: Location, sku: Sku) -> ProjectedStock:
    """The stock at the end of each day ahead, with open orders and the latest decision."""
    kept = kept_sku(board, sku, location)
    decision = kept.read_decision()
    reference = decision.inputs.forecast if decision else None
    forecast = kept.read_forecast(reference.origin_ms) if reference else None
    if decision is None or forecast is None or decision.inputs.on_hand is None:
        raise HTTPException(
            404, f"no decision of {sku} at {location} with stock and forecast to project from"
        )
    return projected_stock(decision, forecast)
