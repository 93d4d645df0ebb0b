"""The stock that a decision leads to: demand paths and arrivals as the decision saw them, day by day."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import DecisionInputs, OpenOrder, ReorderDecision
from serving.inventory.cover import Floats, Integers
from serving.inventory.local_days import midnight_after
from serving.inventory.order_rules import net_stock
from serving.inventory.policy import Request, joint_draws
from serving.inventory.proposals import request_of

_BAND = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


class StockDay(BaseModel):
    """Stock at a day's end; the chance that its demand was not met, on a closed day the last open one's."""

    day_ms: int
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    stock_out_probability: float


class Arrival(BaseModel):
    """Units that come, at the start of their median day; of an open order or of the decision."""

    day_ms: int
    quantity: int
    order_id: str | None = None
    decision_id: str | None = None


class ProjectedStock(BaseModel):
    """From the decision's epoch over the forecast's horizon; demand that finds no stock is lost, or waits.

    Reserved units are not counted, and stock below 0 is owed to customers who wait.
    """

    origin_ms: int
    items: list[StockDay]
    arrivals: list[Arrival]


def stock_paths(demand: Floats, arrivals: Floats, inputs: DecisionInputs) -> tuple[Floats, Floats]:
    """Net stock at each day's end and what was sold from the shelf on it.

    Args:
        demand: units [paths, horizon].
        arrivals: units received before each day opens [paths, horizon]; what is owed is served first.
        inputs: say what is there and owed at the epoch, and what becomes of unmet demand.

    Returns:
        both [paths, horizon].
    """
    stock, waits = np.full(len(demand), float(net_stock(inputs))), inputs.unmet_demand == "backordered"
    ends, sold = np.empty_like(demand), np.empty_like(demand)
    for day in range(demand.shape[1]):
        stock = stock + arrivals[:, day]
        sold[:, day] = np.clip(stock, 0, demand[:, day])
        stock = stock - (demand if waits else sold)[:, day]
        ends[:, day] = stock
    return ends, sold


def oldest_first(request: Request) -> list[OpenOrder]:
    """The open orders, in the order of their arrival days."""
    return sorted(request.inputs.open_orders, key=lambda order: (order.placed_ms, order.order_id))


def arriving_units(request: Request, days: Integers, quantity: int, horizon: int) -> Floats:
    """Units [paths, horizon] that open orders and an order of `quantity` bring before each day opens."""
    units = [order.outstanding for order in oldest_first(request)] + [quantity]
    arriving = np.zeros((days.shape[1], horizon))
    for outstanding, day in zip(units, days, strict=True):
        within = day < horizon
        arriving[np.flatnonzero(within), day[within]] += outstanding
    return arriving


def projected_stock(decision: ReorderDecision, forecast: DemandForecast) -> ProjectedStock:
    """Projects a decision that has stock and the forecast it names."""
    request = request_of(decision, forecast)
    demand, days = joint_draws(request, forecast)
    horizon = demand.shape[1]
    arriving = arriving_units(request, days, decision.quantity, horizon)
    ends, sold = stock_paths(demand, arriving, decision.inputs)
    out = _over_closed_days((sold < demand).mean(axis=0), demand.any(axis=0))
    bands = {name: np.quantile(ends, level, axis=0) for name, level in _BAND.items()}
    return ProjectedStock(
        origin_ms=decision.epoch_ms,
        items=[
            StockDay(
                day_ms=_start(decision, day),
                stock_out_probability=float(out[day]),
                **{name: float(values[day]) for name, values in bands.items()},
            )
            for day in range(horizon)
        ],
        arrivals=_arrivals(request, decision, days),
    )


def _over_closed_days(chances: Floats, is_open: NDArray[np.bool_]) -> Floats:
    """A day without demand says nothing about the shelf: the chance of the last day with some."""
    last = np.maximum.accumulate(np.where(is_open, np.arange(len(chances)), -1))
    carried: Floats = np.where(last < 0, 0.0, chances[last])
    return carried


def _start(decision: ReorderDecision, day: int) -> int:
    return midnight_after(decision.epoch_ms, day, decision.inputs.time_zone)


def _arrivals(request: Request, decision: ReorderDecision, days: Integers) -> list[Arrival]:
    medians = [int(np.median(each)) for each in days]
    found = [
        Arrival(day_ms=_start(decision, day), quantity=order.outstanding, order_id=order.order_id)
        for order, day in zip(oldest_first(request), medians, strict=False)
    ]
    if decision.quantity:
        day_ms = _start(decision, medians[-1])
        found.append(Arrival(day_ms=day_ms, quantity=decision.quantity, decision_id=decision.decision_id))
    return found
