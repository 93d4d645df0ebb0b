"""Forecasts, past forecasts against what happened, and positions."""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import Position
from infra.contracts.message import Location, Sku
from serving.api.access import allows
from serving.api.paging import OfBoard
from serving.api.skus import kept_sku
from serving.board.day_history import day_number

router = APIRouter(tags=["forecasts"])


class PastForecast(BaseModel):
    """What was forecast for a day, and what was sold on it; null while its row is missing."""

    origin_ms: int
    day_ms: int
    forecaster: str
    q10: float
    q50: float
    q90: float
    actual: float | None
    censored: bool


class PastForecasts(BaseModel):
    """Forecasts of one day ahead, oldest origin first."""

    items: list[PastForecast]


@router.get("/v1/forecasts/{location}/{sku}", **allows("viewer", 404))
async def forecast(board: OfBoard, location: Location, sku: Sku) -> DemandForecast:
    """The newest forecast: quantiles per day and of the sum up to each day."""
    found = kept_sku(board, sku, location).read_forecast()
    if found is None:
        raise HTTPException(404, f"no forecast of {sku} at {location}")
    return found


@router.get("/v1/skus/{location}/{sku}/history", **allows("viewer", 404))
async def history(
    board: OfBoard, location: Location, sku: Sku, horizon_days: Literal["1", "7", "14", "28"] = "1"
) -> PastForecasts:
    """What was forecast so many days ahead, against what happened."""
    kept_sku(board, sku, location)
    happened = {day_number(day.day_ms): day for day in board.days.days((sku, location))}
    shown = []
    for each in board.days.forecasts((sku, location), int(horizon_days)):
        day = happened.get(day_number(each.day_ms))
        shown.append(
            PastForecast(
                **vars(each) | ({"day_ms": day.day_ms} if day else {}),
                actual=day.units if day else None,
                censored=day is None or day.censored,
            )
        )
    return PastForecasts(items=shown)


@router.get("/v1/positions/{location}/{sku}", **allows("viewer", 404))
async def position(board: OfBoard, location: Location, sku: Sku) -> Position:
    """Stock and open orders at the last day close."""
    found = kept_sku(board, sku, location).read_position()
    if found is None:
        raise HTTPException(404, f"no position of {sku} at {location}")
    return found
