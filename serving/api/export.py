"""The lists as CSV: every row that matches, under headers that name units, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from serving.api.access import allows
from serving.api.exceptions import ExceptionRow, MatchingExceptions, shown_exception
from serving.api.paging import OfBoard
from serving.api.skus import MatchingSkus, SkuRow, row_of

router = APIRouter(tags=["export"])

Row = TypeVar("Row")
Cell = str | float | None
Columns = Mapping[str, Callable[[Row], Cell]]
"""Cells by header, in order."""

_LINES_AT_ONCE = 500
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_AS_CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}}

_SKUS: Columns[SkuRow] = {
    "SKU": lambda row: row.sku,
    "Location": lambda row: row.location,
    "Description": lambda row: row.description,
    "Category": lambda row: row.category,
    "Supplier": lambda row: row.supplier,
    "Currency": lambda row: row.currency,
    "On hand (units)": lambda row: row.on_hand,
    "Backordered (units)": lambda row: row.backordered,
    "Reserved (units)": lambda row: row.reserved,
    "On order (units)": lambda row: row.on_order,
    "Stock value (in currency)": lambda row: _rounded(row.stock_value, 2),
    "Demand of the next 28 days, median (units)": lambda row: _rounded(row.demand_28_days, 2),
    "Cover (days)": lambda row: _rounded(row.days_of_cover, 1),
    "Stock-out risk (%)": lambda row: _rounded(row.stock_out_risk, 4, 100),
    "Money at risk (in currency)": lambda row: _rounded(row.money_at_risk, 2),
    "Exceptions": lambda row: " ".join(row.kinds),
    "Forecaster": lambda row: row.forecaster,
    "Next order (units)": lambda row: row.quantity,
    "Decision": lambda row: row.decision_status,
    "Planner": lambda row: row.action,
}
_EXCEPTIONS: Columns[ExceptionRow] = {
    "Exception": lambda row: row.kind,
    "SKU": lambda row: row.sku,
    "Location": lambda row: row.location,
    "Description": lambda row: row.description,
    "Category": lambda row: row.category,
    "Currency": lambda row: row.currency,
    "Money at risk (in currency)": lambda row: _rounded(row.money_at_risk, 2),
    "Reason": lambda row: row.reason,
    "Order (units)": lambda row: row.quantity,
    "Cost of the order (in currency)": lambda row: row.cost.amount if row.cost else None,
    "Decision": lambda row: row.decision_status,
    "Planner": lambda row: row.action,
}


def _for_viewers() -> dict[str, Any]:
    options = allows("viewer")
    return options | {"response_class": StreamingResponse, "responses": options["responses"] | {200: _AS_CSV}}


@router.get("/v1/export/skus.csv", **_for_viewers())
def skus_csv(board: OfBoard, rows: MatchingSkus) -> StreamingResponse:
    """The rows of `/v1/skus` with the same filters and order, all of them."""
    return _answer("skus.csv", _SKUS, (row_of(board, int(row)) for row in rows))


@router.get("/v1/export/exceptions.csv", **_for_viewers())
def exceptions_csv(board: OfBoard, matching: MatchingExceptions) -> StreamingResponse:
    """The rows of `/v1/exceptions` with the same filters and order, all of them."""
    shown = (shown_exception(board, int(cell)) for cell in matching.listed)
    return _answer("exceptions.csv", _EXCEPTIONS, shown)


def _answer(name: str, columns: Columns[Row], rows: Iterable[Row]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    lines = ([cell(row) for cell in columns.values()] for row in rows)
    return StreamingResponse(csv_of(list(columns), lines), media_type="text/csv", headers=headers)


def csv_of(header: Sequence[str], lines: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """CSV (RFC 4180) in pieces; text that a spreadsheet would take for a formula has a `'` before it."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(header)
    for number, line in enumerate(lines, start=1):
        writer.writerow([_safe(cell) for cell in line])
        if number % _LINES_AT_ONCE == 0:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def _safe(cell: Cell) -> Cell:
    """Text cannot become a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA) else cell


def _rounded(value: float | None, digits: int, times: float = 1) -> float | None:
    return None if value is None else round(value * times, digits)
