"""What the lists can be filtered by."""

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.access import allows
from serving.api.paging import OfBoard

router = APIRouter(tags=["SKUs"])

MAX_LABELS = 1000


class Labels(BaseModel):
    """Names in the catalogue, alphabetical, at most 1,000 of each; categories with those above them."""

    category: list[str]
    location: list[str]
    supplier: list[str]


@router.get("/v1/labels", **allows("viewer"))
async def labels(board: OfBoard) -> Labels:
    """Categories, locations and suppliers that have been named."""
    paths = {above for path in board.table.labels("category") for above in _with_those_above(path)}
    return Labels(
        category=sorted(paths)[:MAX_LABELS],
        location=sorted(board.table.labels("location"))[:MAX_LABELS],
        supplier=sorted(board.table.labels("supplier"))[:MAX_LABELS],
    )


def _with_those_above(path: str) -> list[str]:
    parts = path.split(":")
    return [":".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
