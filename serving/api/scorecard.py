"""How well demand was met, what it cost, and how right the forecasts were."""

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel

from infra.contracts.demand import EVALUATED_DAYS
from serving.api.access import allows
from serving.api.paging import Filter, OfBoard, labelled_mask
from serving.board.board import Board
from serving.board.day_history import DAYS
from serving.board.forecast_scores import SUMS
from serving.board.service_days import ServiceDay
from serving.board.table import Mask

router = APIRouter(tags=["scorecard"])

_A_SHARE, _B_SHARE = 0.8, 0.95
_YEAR = 365


class ServedDay(BaseModel):
    """A local day, all SKUs together; `lost_units` and `fill_rate` are estimates."""

    day_ms: int
    units: float
    lost_units: float
    fill_rate: float | None
    stock_outs: int
    skus: int
    stock_value: float | None
    covered_80: float | None


class Accuracy(BaseModel):
    """Forecasts of the day `horizon_days` ahead against demand, of the SKUs of a class.

    Classes are by the value of 28 days' forecast: A the SKUs that make up the first 80 %, B the next 15 %, C
    the rest. `wql` is twice the pinball loss over demand, `bias` the mean error over demand, `covered_*` the
    share of demand in the central interval, `pit` its ten deciles' shares (0.1 each if forecasts are right).
    """

    abc_class: Literal["A", "B", "C", "all"]
    horizon_days: int
    scored: int
    wql: float | None
    bias: float | None
    covered_80: float | None
    covered_95: float | None
    pit: list[float]


class Scorecard(BaseModel):
    """The last days. `fill_rate` is estimated: lost demand is the median forecast of the time without stock.

    `cycle_service` is the share of SKU-weeks without a stock-out; `turns` a year's cost of what was sold over
    the mean stock value. Amounts are in the catalogue's `currency`.
    """

    fill_rate: float | None
    cycle_service: float | None
    cycle_service_target: float | None
    stock_out_days: int
    sku_days: int
    stock_value: float | None
    turns: float | None
    currency: str | None
    days: list[ServedDay]
    accuracy: list[Accuracy]


@router.get("/v1/scorecard", **allows("viewer"))
def scorecard(
    board: OfBoard, location: Filter = None, days: Annotated[int, Query(ge=1, le=DAYS)] = 28
) -> Scorecard:
    """Service, stock and accuracy of one location or all."""
    last = board.service.last(location, days)
    mask = labelled_mask(board, None, location=location)
    values = [day.stock_value for day in last if day.stocked_skus]
    mean_value = float(np.mean(values)) if values else None
    sold = sum(day.sold_value for day in last)
    targets = board.table.numbers("service_target")[: len(mask)][mask]
    weeks = sum(day.weeks for day in last)
    return Scorecard(
        fill_rate=_share(sum(d.units for d in last), sum(d.units + d.lost_units for d in last)),
        cycle_service=_share(weeks - sum(day.weeks_with_stock_out for day in last), weeks),
        cycle_service_target=float(np.nanmean(targets)) if (targets == targets).any() else None,
        stock_out_days=sum(day.stock_outs for day in last),
        sku_days=sum(day.skus for day in last),
        stock_value=mean_value,
        turns=_share(sold * _YEAR / max(len(last), 1), mean_value or 0.0),
        currency=_currency(board, mask),
        days=[_served(day) for day in last],
        accuracy=_accuracy(board, mask),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _served(day: ServiceDay) -> ServedDay:
    return ServedDay(
        day_ms=day.day_ms,
        units=day.units,
        lost_units=day.lost_units,
        fill_rate=_share(day.units, day.units + day.lost_units),
        stock_outs=day.stock_outs,
        skus=day.skus,
        stock_value=day.stock_value if day.stocked_skus else None,
        covered_80=_share(day.covered_80, day.scored),
    )


def _currency(board: Board, mask: Mask) -> str | None:
    row = int(np.argmax(mask)) if mask.any() else None
    return None if row is None else board.table.text(row, "currency") or None


def _accuracy(board: Board, mask: Mask) -> list[Accuracy]:
    classes = {"all": mask, **_abc(board, mask)}
    return [
        _scores_of(name, horizon, sums)
        for name, rows in classes.items()
        for horizon, sums in zip(EVALUATED_DAYS, board.scores.total(rows), strict=True)
        if sums[0]
    ]


def _abc(board: Board, mask: Mask) -> dict[str, Mask]:
    value = np.nan_to_num(board.table.numbers("demand_28_days") * board.table.numbers("price"))[: len(mask)]
    value = np.where(mask, value, 0.0)
    order = np.argsort(-value, kind="stable")
    before = (np.cumsum(value[order]) - value[order]) / max(value.sum(), 1e-12)
    share = np.empty(len(mask))
    share[order] = before
    return {
        "A": mask & (share < _A_SHARE),
        "B": mask & (share >= _A_SHARE) & (share < _B_SHARE),
        "C": mask & (share >= _B_SHARE),
    }


def _scores_of(name: str, horizon: int, sums: np.ndarray) -> Accuracy:  # type: ignore[type-arg]
    of = dict(zip(SUMS, sums.tolist(), strict=False))
    bins = sums[len(SUMS) :]
    return Accuracy.model_validate(
        {
            "abc_class": name,
            "horizon_days": horizon,
            "scored": int(of["scored"]),
            "wql": _share(2 * of["pinball"], of["units"]) if of["units"] else None,
            "bias": of["bias"] / of["units"] if of["units"] else None,
            "covered_80": _share(of["inside_80"], of["scored"]),
            "covered_95": _share(of["inside_95"], of["scored"]),
            "pit": (bins / bins.sum()).tolist(),
        }
    )
