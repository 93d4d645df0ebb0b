"""The review policy: what one SKU wants, from its inputs and its forecast message alone.

The Planner and `stockstream replay` both call `decide`, so a decision is recomputed by the code that made it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.sampling import PathSampler, mean_demand
from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import REVIEW, Adjustment, DecisionInputs, ValueSegment
from serving.inventory.arrivals import arrival_days, arriving_units, usual_arrival_days
from serving.inventory.cover import Floats, Integers, lead_within
from serving.inventory.local_days import midnight_after
from serving.inventory.named_policies import (
    needs_whole_horizon,
    policy_group,
    policy_words,
    simulates_arrivals,
    wanted_quantities,
)
from serving.inventory.order_rules import (
    MAX_UNITS,
    Steps,
    apply_order_rules,
    hold_back,
    net_stock,
    raise_to_minimum,
)
from serving.inventory.outlook import Outlook
from serving.inventory.overrides import demand_factors, override_steps
from serving.inventory.unit_values import value_segments

POLICY = "cover-until-next-arrival.v1"
"""Part of every input digest but those below: another policy is another input."""

SIMULATED_ARRIVALS = "order-up-to.simulated-arrivals.v1"
"""The same for levels that are found by simulating the arrivals."""

_CHUNK = 16
"""Requests whose paths fit the processor's cache together."""


@dataclass(frozen=True)
class Request:
    """A decision to make: what it is for, its inputs, and the forecast message that the inputs name."""

    decision_id: str
    sku: str
    location: str
    epoch_ms: int
    cause: str
    inputs: DecisionInputs
    forecast: DemandForecast | None

    def input_digest(self) -> str:
        """Digest of everything the wanted quantity depends on.

        The policy's name, the identity of the decision (it seeds the lead-time draws) and the inputs, which
        hold the digest of the forecast message.
        """
        policy = SIMULATED_ARRIVALS if simulates_arrivals(self.inputs) else POLICY
        identified_by = [self.decision_id, self.sku, self.location, self.epoch_ms, self.cause]
        return identity.digest([policy, *identified_by, self.inputs.model_dump(mode="json")])


@dataclass(frozen=True)
class Wanted:
    """What a SKU wants before the shared budget, and why."""

    unconstrained_quantity: int
    quantity: int
    blocked: bool
    adjustments: list[Adjustment]
    segments: list[ValueSegment]
    expected_receipt_ms: int | None


def decide(requests: Sequence[Request]) -> list[Wanted]:
    """What each request wants, in their order; a request's result does not depend on the others."""
    results: dict[str, Wanted] = {}
    groups: dict[_Shape, list[Request]] = {}
    for request in requests:
        if request.forecast is not None and request.inputs.on_hand is not None:
            groups.setdefault(_shape(request, request.forecast), []).append(request)
    for group in groups.values():
        group.sort(key=_last_day)
        sampler = _sampler(_forecasts(group)[0])
        for start in range(0, len(group), _CHUNK):
            results |= _decide_together(group[start : start + _CHUNK], sampler)
    return [results.get(request.decision_id) or _blocked(request) for request in requests]


def _last_day(request: Request) -> int:
    """Until when demand counts at most; SKUs with the same last day cost least together."""
    return request.inputs.lead_times[-1].days + request.inputs.review_period_days


_Shape = tuple[str, int, int, float, float, tuple[float, ...]]


def _forecasts(requests: Sequence[Request]) -> list[DemandForecast]:
    return [request.forecast for request in requests if request.forecast is not None]


def _shape(request: Request, forecast: DemandForecast) -> _Shape:
    """What requests must share to be decided together: kind of policy, and what their paths are made with."""
    copula, levels = forecast.copula, tuple(forecast.quantile_levels)
    horizon = len(forecast.quantiles)
    return policy_group(request.inputs), forecast.paths, horizon, copula.level, copula.decay, levels


def _sampler(forecast: DemandForecast) -> PathSampler:
    """Makes joint paths of forecasts of one shape, from the messages alone."""
    horizon = len(forecast.quantiles)
    return PathSampler(forecast.quantile_levels, forecast.copula, forecast.paths, horizon)


def _demand_paths(forecasts: Sequence[DemandForecast], days: int, sampler: PathSampler) -> Floats:
    """Joint paths [skus, paths, days] of forecasts of one shape."""
    quantiles = [forecast.quantiles[:days] for forecast in forecasts]
    return sampler.paths(quantiles, [forecast.seed for forecast in forecasts])


def _blocked(request: Request) -> Wanted:
    steps = Steps(0)
    if request.inputs.on_hand is None:
        steps.remark("STOCK_UNKNOWN", 0, "no stock level up to the epoch")
    if request.forecast is None:
        steps.remark("FORECAST_MISSING", 0, "no forecast with the epoch as origin")
    _remark_sources(steps, request)
    return Wanted(0, 0, True, steps.adjustments, [], None)


def _decide_together(requests: Sequence[Request], sampler: PathSampler) -> dict[str, Wanted]:
    outlook = _outlook(requests, sampler)
    forecast, days = outlook.demand, outlook.demand.shape[2]
    factors = np.stack([demand_factors(request.inputs, request.epoch_ms, days) for request in requests])
    by_forecast = wanted = sellable = wanted_quantities(outlook)
    if (factors != 1).any():
        outlook = replace(outlook, demand=forecast * factors[:, None, :])
        wanted = sellable = wanted_quantities(outlook)
    still_sold = np.stack([_still_sold(request, days) for request in requests])
    if not still_sold.all():
        outlook = replace(outlook, demand=outlook.demand * still_sold[:, None, :])
        sellable = _until_end(outlook, still_sold.all(axis=1))
    quantities = zip(by_forecast.tolist(), wanted.tolist(), sellable.tolist(), strict=True)
    return {
        request.decision_id: _wanted(request, units, required)
        for request, units, required in zip(requests, quantities, outlook.required, strict=True)
    }


def _until_end(outlook: Outlook, lasting: NDArray[np.bool_]) -> Integers:
    """What SKUs want when demand ends: no more than some path needs, whatever level or lot was asked for."""
    beyond_position = outlook.demand.sum(axis=2).max(axis=1) - outlook.position
    most = np.ceil(np.maximum(beyond_position, outlook.required[:, -1])).astype(np.int64)
    wanted = wanted_quantities(outlook)
    return np.where(lasting, wanted, np.minimum(wanted, most))


def _is_of_now(request: Request) -> bool:
    """Whether the forecast begins at the epoch, so that its first day is what is left of today."""
    return request.forecast is not None and request.forecast.origin_ms == request.epoch_ms


def _left_of_today(request: Request) -> float:
    """Share of the first day that is still to come: all of it at a review, which is at midnight.

    Demand is taken to come evenly over the day.
    """
    if request.cause == REVIEW or _is_of_now(request):
        return 1.0
    begin, end = (midnight_after(request.epoch_ms, days, request.inputs.time_zone) for days in (0, 1))
    return (end - request.epoch_ms) / (end - begin)


def _outlook(requests: Sequence[Request], sampler: PathSampler) -> Outlook:
    forecasts = _forecasts(requests)
    paths, horizon = forecasts[0].paths, len(forecasts[0].quantiles)
    inputs = [request.inputs for request in requests]
    arrives = [arrival_days(each.inputs, each.decision_id, each.epoch_ms, paths) for each in requests]
    review_days = np.array([each.review_period_days for each in inputs])
    lead_days = lead_within(np.stack([each[-1] for each in arrives]), review_days, horizon)
    days = min(horizon, int((lead_days + review_days[:, None]).max()))
    if needs_whole_horizon(inputs[0]):
        days = horizon
    demand = _demand_paths(forecasts, days, sampler)
    demand[:, :, 0] *= np.array([_left_of_today(request) for request in requests])[:, None]
    return Outlook(
        inputs,
        demand,
        np.array([float(net_stock(each)) for each in inputs]),
        arriving_units(inputs, arrives, days),
        lead_days,
        [each.decision_id for each in requests],
        [each.epoch_ms for each in requests],
    )


def _still_sold(request: Request, horizon: int) -> Floats:
    """1 for each day of the horizon that starts before the item's end of life, else 0."""
    if request.inputs.end_ms is None:
        return np.ones(horizon)
    zone = request.inputs.time_zone
    starts = [midnight_after(request.epoch_ms, day, zone) for day in range(horizon)]
    return np.array([float(start < request.inputs.end_ms) for start in starts])


def _wanted(request: Request, units: tuple[int, int, int], required: Floats) -> Wanted:
    by_forecast, whole, until_end = units
    steps = Steps(by_forecast)
    if request.inputs.replenishment is not None:
        steps.remark("POLICY", by_forecast, policy_words(request.inputs))
    override_steps(steps, request.inputs.overrides, whole)
    if until_end < whole:
        detail = "demand after the item's end date is not covered"
        steps.change("END_OF_LIFE", min(steps.quantity, until_end), detail)
    arrives = usual_arrival_days(request.inputs, request.epoch_ms)
    if not _is_settled_otherwise(request, arrives):
        raise_to_minimum(steps, request.inputs, request.epoch_ms)
    apply_order_rules(steps, request.inputs, _cover_units(request))
    hold_back(steps, request.inputs, request.epoch_ms)
    _remark_sources(steps, request)
    receipt_ms = None
    if steps.quantity > 0:
        receipt_ms = midnight_after(request.epoch_ms, arrives, request.inputs.time_zone)
    segments = value_segments(steps.quantity, required, request.inputs)
    return Wanted(by_forecast, steps.quantity, False, steps.adjustments, segments, receipt_ms)


def _is_settled_otherwise(request: Request, arrives: int) -> bool:
    """Whether a planner has set the quantity, or the item ends before the next review's order could serve."""
    inputs = request.inputs
    if any(each.target == "order_quantity" for each in inputs.overrides):
        return True
    last = midnight_after(request.epoch_ms, arrives + inputs.review_period_days, inputs.time_zone)
    return inputs.end_ms is not None and inputs.end_ms < last


def _cover_units(request: Request) -> int:
    """What the inventory position may cover at most: expected demand, its mean going on after the horizon."""
    limits, forecast = request.inputs.limits, request.forecast
    if forecast is None or limits is None or limits.cover_cap_days is None:
        return MAX_UNITS
    means = mean_demand(forecast.quantile_levels, forecast.quantiles)
    means = means * demand_factors(request.inputs, request.epoch_ms, len(means))
    beyond = max(0, limits.cover_cap_days - len(means)) * means.mean()
    return min(MAX_UNITS, math.ceil(float(means[: limits.cover_cap_days].sum() + beyond)))


def _remark_sources(steps: Steps, request: Request) -> None:
    if request.forecast is not None and request.forecast.fallback_reason is not None:
        steps.remark("FORECAST_FALLBACK", steps.quantity, request.forecast.fallback_reason)
    if request.inputs.input_stale:
        steps.remark("INPUT_STALE", steps.quantity, "an input had not passed the epoch at the deadline")


def joint_draws(request: Request, forecast: DemandForecast) -> tuple[Floats, Integers]:
    """What a decision of the request looks at, for showing where it leads.

    Returns:
        demand [paths, horizon] with the planners' factors, and the days until each open order, oldest first,
        and an order of now arrive [open orders + 1, paths].
    """
    horizon = len(forecast.quantiles)
    demand = _demand_paths([forecast], horizon, _sampler(forecast))[0]
    demand *= demand_factors(request.inputs, request.epoch_ms, horizon) * _still_sold(request, horizon)
    demand[:, 0] *= _left_of_today(request)
    return demand, arrival_days(request.inputs, request.decision_id, request.epoch_ms, len(demand))
