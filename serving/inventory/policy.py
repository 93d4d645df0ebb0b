"""The review policy: what one SKU wants, from its inputs and its forecast message alone.

The Planner and `stockstream replay` both call `decide`, so a decision is recomputed by the code that made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.sampling import sample_paths
from infra.contracts import identity
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import Adjustment, DecisionInputs, OpenOrder, ValueSegment
from serving.inventory.cover import Floats, Integers, chance_needed
from serving.inventory.lead_times import (
    draw_arrival_days,
    median_lead_days,
    stratified_uniforms,
)
from serving.inventory.local_days import days_between, midnight_after
from serving.inventory.money import decimal_of
from serving.inventory.named_policies import policy_group, policy_name, wanted_quantities
from serving.inventory.order_rules import Steps, apply_order_rules, least_order
from serving.inventory.outlook import Outlook
from serving.inventory.overrides import demand_factors, override_steps

POLICY = "cover-until-next-arrival.v1"
"""Part of every input digest: another policy is another input."""

MAX_SEGMENTS = 16
_CHUNK = 256


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
        identified_by = [self.decision_id, self.sku, self.location, self.epoch_ms, self.cause]
        return identity.digest([POLICY, *identified_by, self.inputs.model_dump(mode="json")])


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
    answerable = [r for r in requests if r.forecast is not None and r.inputs.on_hand is not None]
    for _, same_shape in groupby(sorted(answerable, key=_shape), key=_shape):
        group = list(same_shape)
        for start in range(0, len(group), _CHUNK):
            results |= _decide_together(group[start : start + _CHUNK])
    return [results.get(request.decision_id) or _blocked(request) for request in requests]


def _forecasts(requests: Sequence[Request]) -> list[DemandForecast]:
    return [request.forecast for request in requests if request.forecast is not None]


def _shape(request: Request) -> tuple[str, int, int, float, float, tuple[float, ...]]:
    """What requests must share to be decided together: kind of policy, and what their paths are made with."""
    (forecast,) = _forecasts([request])
    copula = forecast.copula
    horizon = len(forecast.quantiles)
    levels = tuple(forecast.quantile_levels)
    return policy_group(request.inputs), forecast.paths, horizon, copula.level, copula.decay, levels


def demand_paths(forecasts: Sequence[DemandForecast]) -> Floats:
    """Joint paths [skus, paths, horizon] of forecasts of one shape, from the messages alone."""
    first = forecasts[0]
    quantiles = [forecast.quantiles for forecast in forecasts]
    seeds = [forecast.seed for forecast in forecasts]
    return sample_paths(first.quantile_levels, quantiles, first.copula, seeds, first.paths)


def _blocked(request: Request) -> Wanted:
    steps = Steps(0)
    if request.inputs.on_hand is None:
        steps.remark("STOCK_UNKNOWN", 0, "no stock level up to the epoch")
    if request.forecast is None:
        steps.remark("FORECAST_MISSING", 0, "no forecast with the epoch as origin")
    _remark_sources(steps, request)
    return Wanted(0, 0, True, steps.adjustments, [], None)


def _decide_together(requests: Sequence[Request]) -> dict[str, Wanted]:
    forecast = demand_paths(_forecasts(requests))
    factors = np.stack([demand_factors(r.inputs, r.epoch_ms, forecast.shape[2]) for r in requests])
    outlook = _outlook(requests, forecast)
    by_forecast = wanted = sellable = wanted_quantities(outlook)
    if (factors != 1).any():
        outlook = replace(outlook, demand=forecast * factors[:, None, :])
        wanted = sellable = wanted_quantities(outlook)
    still_sold = np.stack([_still_sold(request, forecast.shape[2]) for request in requests])
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
    beyond_position = outlook.demand.sum(axis=2) - outlook.position[:, None]
    most = np.ceil(np.maximum(beyond_position, outlook.required).max(axis=1)).astype(np.int64)
    wanted = wanted_quantities(outlook)
    return np.where(lasting, wanted, np.minimum(wanted, most))


def _outlook(requests: Sequence[Request], demand: Floats) -> Outlook:
    paths, horizon = demand.shape[1:]
    days = [arrival_days(request, paths) for request in requests]
    return Outlook(
        [request.inputs for request in requests],
        demand,
        np.array([float(request.inputs.on_hand or 0) for request in requests]),
        np.stack([_arrivals(request, of, horizon) for request, of in zip(requests, days, strict=True)]),
        np.stack([of[-1] for of in days]),
    )


def oldest_first(request: Request) -> list[OpenOrder]:
    """The open orders, in the order in which arrival days are drawn."""
    return sorted(request.inputs.open_orders, key=lambda order: (order.placed_ms, order.order_id))


def arrival_days(request: Request, paths: int) -> Integers:
    """Days until each open order, oldest first, and an order of now arrive [open orders + 1, paths]."""
    inputs, orders = request.inputs, oldest_first(request)
    ages = [days_between(order.placed_ms, request.epoch_ms, inputs.time_zone) for order in orders]
    uniforms = [
        stratified_uniforms(paths, request.decision_id, "open-order", order.order_id) for order in orders
    ]
    uniforms.append(stratified_uniforms(paths, request.decision_id, "new-order"))
    return draw_arrival_days(inputs.lead_times, ages, inputs.delivery, np.stack(uniforms))


def _arrivals(request: Request, days: Integers, horizon: int) -> Floats:
    """Units [paths, horizon] that open orders bring before each day opens."""
    arriving = np.zeros((days.shape[1], horizon))
    for order, day in zip(oldest_first(request), days, strict=False):
        within = day < horizon
        arriving[np.flatnonzero(within), day[within]] += order.outstanding
    return arriving


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
        steps.remark("POLICY", by_forecast, policy_name(request.inputs))
    override_steps(steps, request.inputs.overrides, whole)
    if until_end < whole:
        detail = "demand after the item's end date is not covered"
        steps.change("END_OF_LIFE", min(steps.quantity, until_end), detail)
    apply_order_rules(steps, request.inputs)
    _remark_sources(steps, request)
    receipt_ms = None
    if steps.quantity > 0:
        days = median_lead_days(request.inputs.lead_times)
        receipt_ms = midnight_after(request.epoch_ms, days, request.inputs.time_zone)
    segments = value_segments(steps.quantity, required, request.inputs)
    return Wanted(by_forecast, steps.quantity, False, steps.adjustments, segments, receipt_ms)


def _remark_sources(steps: Steps, request: Request) -> None:
    if request.forecast is not None and request.forecast.forecaster != "lstm":
        reason = request.forecast.fallback_reason or request.forecast.forecaster
        steps.remark("FORECAST_FALLBACK", steps.quantity, reason)
    if request.inputs.input_stale:
        steps.remark("INPUT_STALE", steps.quantity, "an input had not passed the epoch at the deadline")


def value_segments(quantity: int, required: Floats, inputs: DecisionInputs) -> list[ValueSegment]:
    """What the units of an order are worth, best first: unit margin x chance that the unit is needed.

    The first segment is the least order, which is bought whole or not at all; the rest is cut into at most
    `MAX_SEGMENTS - 1` blocks of whole packs. Values never rise. Where price and cost are in different
    currencies no margin is known, and nothing is worth anything.

    Args:
        quantity: units wanted, whole packs.
        required: units needed per path [paths].
        inputs: gives margin, pack and minimum order.
    """
    if quantity == 0:
        return []
    comparable = inputs.price.currency == inputs.unit_cost.currency
    margin = float(decimal_of(inputs.price) - decimal_of(inputs.unit_cost)) if comparable else 0.0
    first = least_order(inputs)
    packs = (quantity - first) // inputs.case_pack
    block = max(1, -(-packs // (MAX_SEGMENTS - 1))) * inputs.case_pack
    bounds = [0, first, *range(first + block, quantity, block)]
    if quantity > first:
        bounds.append(quantity)
    return [
        ValueSegment(quantity=to - start, unit_value=max(0.0, margin) * chance_needed(required, start, to))
        for start, to in pairwise(bounds)
    ]
