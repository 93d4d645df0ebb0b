"""What-if: the last plan under other conditions, beside the plan as it was made."""

from decimal import Decimal
from threading import BoundedSemaphore
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from infra.contracts.inventory import AllocationRun, ReorderDecision, TotalCost
from infra.contracts.message import Identifier, Money, Probability
from serving.api.access import allows
from serving.api.bodies import Asked
from serving.api.paging import OfBoard
from serving.board.board import Board
from serving.board.table import Mask
from serving.inventory.ledger import Key
from serving.inventory.money import total_of
from serving.what_if import Change, Live, Plan, expected, plan, spent_on

router = APIRouter(tags=["what-if"])

MAX_SCOPE = 2000
MAX_LINES = 500
CURVE = (0.8, 0.85, 0.9, 0.95, 0.975, 0.99)
_AT_ONCE = BoundedSemaphore(1)


class AskedWhatIf(Asked):
    """A scope (`all`, `sku:S`, `sku:S|L`, `location:L` or `category:C`) and what would be different there.

    `budget` is the whole group's: absent as it was, `unlimited`, or an amount. `price_factor` changes the
    margin; what it does to demand is `demand_factor`'s to say. With `curve` the same is asked at six service
    levels. At most 2,000 SKUs are in scope.
    """

    planning_group: Identifier | None = None
    scope: Annotated[str, Field(pattern=r"^(all|(sku|category|location):.{1,200})$")] = "all"
    lead_time_days_added: Annotated[int, Field(ge=-180, le=180)] = 0
    cycle_service_level: Probability | None = None
    demand_factor: Annotated[float, Field(ge=0, le=20)] = 1.0
    price_factor: Annotated[float, Field(gt=0, le=20)] = 1.0
    budget: Money | Literal["unlimited"] | None = None
    curve: bool = False


class Totals(BaseModel):
    """A plan: orders, units and cost of the scope, the group's cash, and what is expected of the scope."""

    orders: int
    units: int
    cost: TotalCost
    cash: TotalCost
    fill_rate: float | None
    cycle_service: float | None
    stock_value: float


class ChangedLine(BaseModel):
    """A SKU of the group whose order would be another."""

    sku: str
    location: str
    baseline_quantity: int
    quantity: int
    baseline_cost: TotalCost
    cost: TotalCost


class CurvePoint(BaseModel):
    """What a service level costs and brings."""

    cycle_service_level: float
    cost: TotalCost
    fill_rate: float | None
    cycle_service: float | None
    stock_value: float


class WhatIf(BaseModel):
    """Both plans of the group's last epoch, and the lines that differ, most money first."""

    planning_group: str
    epoch_ms: int
    recomputed: int
    baseline: Totals
    scenario: Totals
    changed: int
    lines: list[ChangedLine]
    curve: list[CurvePoint] | None


@router.post("/v1/what-if", **allows("viewer", 404, 409, 413, 429))
def what_if(board: OfBoard, asked: AskedWhatIf) -> WhatIf:
    """Decides again under other conditions; nothing is published."""
    if not _AT_ONCE.acquire(blocking=False):
        raise HTTPException(429, "another what-if is being computed", {"Retry-After": "5"})
    try:
        return _answer(board, asked)
    finally:
        _AT_ONCE.release()


def _answer(board: Board, asked: AskedWhatIf) -> WhatIf:
    run = _run(board, asked.planning_group)
    live = live_plan(board, run)
    scope = _in_scope(board, live, asked.scope)
    live = with_forecasts(board, live, scope)
    change = _change(asked)
    now, then = plan(live, scope, Change()), plan(live, scope, change)
    changed = sorted(
        (key for key in then.decisions if then.decisions[key].quantity != live.decisions[key].quantity),
        key=lambda key: (-abs(_difference(live, then, key)), key),
    )
    return WhatIf(
        planning_group=run.planning_group,
        epoch_ms=run.epoch_ms,
        recomputed=len(scope),
        baseline=_totals(now, scope),
        scenario=_totals(then, scope),
        changed=len(changed),
        lines=[_line(live.decisions[key], then.decisions[key]) for key in changed[:MAX_LINES]],
        curve=[_point(live, scope, asked, level) for level in CURVE] if asked.curve else None,
    )


def _run(board: Board, planning_group: str | None) -> AllocationRun:
    groups = sorted(board.runs)
    if planning_group is None and len(groups) > 1:
        raise HTTPException(422, f"body.planning_group: one of {', '.join(groups)[:200]} is accepted")
    run = board.runs.get(planning_group or (groups[0] if groups else ""))
    if run is None:
        raise HTTPException(404, "no plan has been made yet")
    return run


def live_plan(board: Board, run: AllocationRun) -> Live:
    """The decisions and proposals of a run.

    Raises:
        HTTPException: 409, not all of them have come.
    """
    decisions, proposals = {}, {}
    for line in run.lines:
        key = board.key_of(line.decision_id)
        kept = board.sku(key) if key else None
        decision = kept.read_decision(line.decision_id) if kept else None
        proposal = kept.read_proposal(line.decision_id) if kept else None
        if key is None or decision is None or proposal is None:
            raise HTTPException(409, f"the plan of {run.planning_group} is being made; ask again")
        decisions[key], proposals[key] = decision, proposal
    return Live(run, decisions, proposals, {})


def with_forecasts(board: Board, live: Live, scope: list[Key]) -> Live:
    """The same with the forecasts that the decisions in scope name."""
    forecasts = {}
    for key in scope:
        kept, reference = board.sku(key), live.decisions[key].inputs.forecast
        forecast = kept.read_forecast(reference.origin_ms) if kept and reference else None
        if forecast is not None:
            forecasts[key] = forecast
        elif reference is not None:
            raise HTTPException(409, f"the forecast of {key[0]} at {key[1]} has not come; ask again")
    return Live(live.run, live.decisions, live.proposals, forecasts)


def _in_scope(board: Board, live: Live, scope: str) -> list[Key]:
    kind, _, name = scope.partition(":")
    mask = np.ones(len(board.table), dtype=np.bool_) if kind == "all" else _mask(board, kind, name)
    keys = [board.table.keys[row] for row in np.flatnonzero(mask)]
    chosen = [key for key in keys if key in live.decisions]
    if not chosen:
        raise HTTPException(422, f"body.scope: {scope} has no SKU in the last plan")
    if len(chosen) > MAX_SCOPE:
        raise HTTPException(422, f"body.scope: {len(chosen)} SKUs, at most {MAX_SCOPE} are accepted")
    return chosen


def _mask(board: Board, kind: str, name: str) -> Mask:
    if kind == "category":
        return board.table.under("category", name)
    if kind == "location":
        return board.table.labelled("location", name)
    sku, _, location = name.partition("|")
    mask = board.table.labelled("sku", sku)
    return mask & board.table.labelled("location", location) if location else mask


def _change(asked: AskedWhatIf, cycle_service_level: float | None = None) -> Change:
    return Change(
        lead_time_days_added=asked.lead_time_days_added,
        cycle_service_level=cycle_service_level or asked.cycle_service_level,
        demand_factor=asked.demand_factor,
        price_factor=asked.price_factor,
        budget=asked.budget if isinstance(asked.budget, Money) else None,
        keeps_budget=asked.budget is None,
    )


def _totals(made: Plan, scope: list[Key]) -> Totals:
    outcome = expected(made.decisions, made.requests)
    decisions = [made.decisions[key] for key in scope]
    currency = made.run.spent.currency
    return Totals(
        orders=sum(each.quantity > 0 for each in decisions),
        units=sum(each.quantity for each in decisions),
        cost=total_of(spent_on(decisions), currency),
        cash=made.run.spent,
        **vars(outcome),
    )


def _difference(live: Live, then: Plan, key: Key) -> Decimal:
    return Decimal(then.decisions[key].cost.amount) - Decimal(live.decisions[key].cost.amount)


def _line(before: ReorderDecision, after: ReorderDecision) -> ChangedLine:
    return ChangedLine(
        sku=before.sku,
        location=before.location,
        baseline_quantity=before.quantity,
        quantity=after.quantity,
        baseline_cost=before.cost,
        cost=after.cost,
    )


def _point(live: Live, scope: list[Key], asked: AskedWhatIf, level: float) -> CurvePoint:
    made = plan(live, scope, _change(asked, level))
    outcome = expected(made.decisions, made.requests)
    cost = total_of(spent_on([made.decisions[key] for key in scope]), made.run.spent.currency)
    return CurvePoint(cycle_service_level=level, cost=cost, **vars(outcome))
