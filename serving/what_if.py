"""What a group's last plan would have been under other conditions, by the functions that made it.

Nothing is published and nothing that is kept is changed. With no change the answer is the live plan, exactly.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import AllocationRun, DecisionInputs, Proposal, ReorderDecision
from infra.contracts.message import Money
from serving.inventory.decisions import allocation_run, decisions_of
from serving.inventory.lead_times import MAX_LEAD_DAYS, median_lead_days
from serving.inventory.ledger import Key
from serving.inventory.policy import Request, decide, joint_draws
from serving.inventory.projection import arriving_units, stock_paths
from serving.inventory.proposals import proposal_of, request_of


@dataclass(frozen=True)
class Live:
    """A group's last allocation run, its decisions at the review, and what they were made from."""

    run: AllocationRun
    decisions: Mapping[Key, ReorderDecision]
    proposals: Mapping[Key, Proposal]
    forecasts: Mapping[Key, DemandForecast]
    """Of the keys in scope."""


@dataclass(frozen=True)
class Change:
    """Other conditions for the SKUs in scope; a budget is for the whole group."""

    lead_time_days_added: int = 0
    cycle_service_level: float | None = None
    demand_factor: float = 1.0
    price_factor: float = 1.0
    budget: Money | None = None
    keeps_budget: bool = True


@dataclass(frozen=True)
class Plan:
    """What would be decided, by key, and from which requests (those in scope)."""

    run: AllocationRun
    decisions: Mapping[Key, ReorderDecision]
    requests: Mapping[Key, Request]


@dataclass(frozen=True)
class Expected:
    """What a plan leads to for the SKUs in scope, over the days that their orders must last.

    Means over joint paths of demand and lead times; unmet demand is lost, or waits. `fill_rate` is what is
    served on the day it is wanted, `stock_value` the mean of free stock at the day's end at unit cost.
    """

    fill_rate: float | None
    cycle_service: float | None
    stock_value: float


def plan(live: Live, scope: Collection[Key], change: Change) -> Plan:
    """Decides the SKUs in scope under the change, then shares the budget among all of the group."""
    keys = sorted(scope)
    requests = {key: _request(live, key, change) for key in keys}
    wanted = decide(list(requests.values()))
    proposals = dict(live.proposals)
    for (key, request), each in zip(requests.items(), wanted, strict=True):
        proposals[key] = proposal_of(request, each, live.proposals[key].partition)
    run = allocation_run(
        list(proposals.values()),
        (live.run.planning_group, live.run.epoch_ms),
        live.run.budget if change.keeps_budget else change.budget,
        live.run.missing_partitions,
        live.run.solver,
    )
    decided = dict(zip(proposals, decisions_of(proposals.values(), run), strict=True))
    return Plan(run, decided, requests)


def _request(live: Live, key: Key, change: Change) -> Request:
    decision, forecast = live.decisions[key], live.forecasts.get(key)
    changed = decision.model_copy(update={"inputs": _changed(decision.inputs, change)})
    return request_of(changed, None if forecast is None else _scaled(forecast, change.demand_factor))


def _changed(inputs: DecisionInputs, change: Change) -> DecisionInputs:
    update: dict[str, object] = {}
    if change.lead_time_days_added:
        update["lead_times"] = [
            each.model_copy(
                update={"days": int(np.clip(each.days + change.lead_time_days_added, 0, MAX_LEAD_DAYS))}
            )
            for each in inputs.lead_times
        ]
    if change.cycle_service_level is not None:
        update["cycle_service_level"] = change.cycle_service_level
    if change.price_factor != 1:
        price = Decimal(inputs.price.amount) * Decimal(str(change.price_factor))
        update["price"] = Money(amount=f"{price:.4f}", currency=inputs.price.currency)
    return inputs.model_copy(update=update)


def _scaled(forecast: DemandForecast, factor: float) -> DemandForecast:
    if factor == 1:
        return forecast
    tables = {
        name: [[value * factor for value in row] for row in getattr(forecast, name)]
        for name in ("quantiles", "cumulative")
    }
    return forecast.model_copy(update=tables)


def expected(decisions: Mapping[Key, ReorderDecision], requests: Mapping[Key, Request]) -> Expected:
    """What decisions lead to in the world that the requests describe."""
    outcomes = [
        _outcome(request, decisions[key].quantity, request.forecast)
        for key, request in requests.items()
        if request.forecast is not None and request.inputs.on_hand is not None
    ]
    sold, demand, served, value = (
        (sum(each) for each in zip(*outcomes, strict=True)) if outcomes else (0,) * 4
    )
    return Expected(
        fill_rate=sold / demand if demand > 0 else None,
        cycle_service=served / len(outcomes) if outcomes else None,
        stock_value=float(value),
    )


def _outcome(request: Request, quantity: int, forecast: DemandForecast) -> tuple[float, float, float, float]:
    """Units sold and demanded, the chance of no unmet demand until the next order's arrival, stock value."""
    demand, days = joint_draws(request, forecast)
    horizon = demand.shape[1]
    lead = min(median_lead_days(request.inputs.lead_times), horizon - 1)
    until = min(lead + request.inputs.review_period_days, horizon)
    arriving = arriving_units(request, days, quantity, horizon)
    ends, sold = stock_paths(demand, arriving, request.inputs)
    in_time = slice(0, until)
    served = (sold[:, lead:until] >= demand[:, lead:until]).all(axis=1).mean()
    value = np.maximum(ends[:, in_time], 0).mean() * float(request.inputs.unit_cost.amount)
    paths = len(demand)
    return (
        float(sold[:, in_time].sum()) / paths,
        float(demand[:, in_time].sum()) / paths,
        float(served),
        float(value),
    )


def spent_on(decisions: Sequence[ReorderDecision]) -> Decimal:
    """What decisions cost together."""
    return sum((Decimal(each.cost.amount) for each in decisions), Decimal(0))
