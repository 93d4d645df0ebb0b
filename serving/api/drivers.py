"""What moved a forecast, in units of demand, worked out on request."""

from collections.abc import Callable
from datetime import date
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from infra.contracts.demand import HORIZON_DAYS
from infra.contracts.message import Location, Sku
from infra.errors import StockstreamError
from serving.api.access import allows
from serving.api.paging import OfBoard
from serving.api.skus import kept_sku
from serving.explained_forecast import Explained
from serving.inventory.ledger import Key

router = APIRouter(tags=["forecasts"])

Explain = Callable[[Key, int], Explained]
"""Explains the latest forecast of a SKU over so many days ahead."""

_AT_ONCE = BoundedSemaphore(1)


class Driver(BaseModel):
    """What a driver adds to the mean demand of the days, in units."""

    name: str
    units: float


class Drivers(BaseModel):
    """From the usual level on the usual open days to the mean of a forecast, summed over days from `origin`.

    The drivers, largest first, add up to `forecast` minus `reference`; `published` differs from `forecast` by
    the recalibration. `same_context` is false where the days read now are not those that the forecast read.
    """

    origin: date
    days: int
    forecaster: str
    model_id: str
    reference: float
    drivers: list[Driver]
    forecast: float
    published: float | None
    same_context: bool | None


@router.get("/v1/forecasts/{location}/{sku}/drivers", **allows("viewer", 404, 409, 429))
def drivers(
    request: Request,
    board: OfBoard,
    location: Location,
    sku: Sku,
    days: Annotated[int, Query(ge=1, le=HORIZON_DAYS)] = HORIZON_DAYS,
) -> Drivers:
    """Reads the SKU's days from the topics again, which takes seconds; 409 where nothing can be explained."""
    kept_sku(board, sku, location)
    explain: Explain | None = request.app.state.explain
    if explain is None:
        raise HTTPException(409, "this API has no model to explain forecasts with")
    if not _AT_ONCE.acquire(blocking=False):
        raise HTTPException(429, "another forecast is being explained", {"Retry-After": "5"})
    try:
        return _shown(explain((sku, location), days))
    except StockstreamError as error:
        raise HTTPException(409, str(error)) from error
    finally:
        _AT_ONCE.release()


def _shown(found: Explained) -> Drivers:
    explanation = found.explanation
    moved = sorted(explanation.contributions.items(), key=lambda each: -abs(each[1]))
    return Drivers(
        origin=found.origin,
        days=explanation.days,
        forecaster=found.forecaster,
        model_id=found.model_id,
        reference=explanation.reference,
        drivers=[Driver(name=name, units=units) for name, units in moved],
        forecast=explanation.forecast,
        published=found.published_mean,
        same_context=found.same_context,
    )
