"""Whether planners' overrides were better than the model, once it is known what happened.

A factor is scored on each day it covers, by the absolute error of the median that was forecast by the
decision's epoch, with and without the factor; days with stock-outs are left out. A quantity is scored by
what too few or too many units cost until the next review's order could arrive: the margin for each unit
short, and for each unit left over what makes the item's service level the cheapest (newsvendor: margin x (1
- level) / level).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.contracts.demand import EVALUATED_DAYS
from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import AppliedOverride
from serving.board.board import Board
from serving.board.day_history import Day, ForecastDay, day_number
from serving.inventory.lead_times import median_lead_days
from serving.inventory.ledger import Key
from serving.inventory.order_rules import position


@dataclass(frozen=True)
class Scored:
    """One override on one SKU, summed over what has happened; errors in units, or in money for a quantity."""

    override_id: str
    author: str
    reason: str
    target: Literal["forecast_factor", "order_quantity"]
    key: Key
    count: int
    model_error: float
    override_error: float


def scored_overrides(board: Board) -> Iterator[Scored]:
    """Every override that a kept decision used and that something is known of; each day counts once."""
    counted: set[tuple[str, Key, int]] = set()
    for decision in board.overridden():
        key = (decision.sku, decision.location)
        happened = {day_number(day.day_ms): day for day in board.days.days(key)}
        for override in decision.inputs.overrides:
            if override.target == "order_quantity":
                yield from _quantity(decision, override, key, happened)
            else:
                yield from _factor(board, decision, override, key, happened, counted)


def _factor(
    board: Board,
    decision: ReorderDecision,
    override: AppliedOverride,
    key: Key,
    happened: dict[int, Day],
    counted: set[tuple[str, Key, int]],
) -> Iterator[Scored]:
    epoch = day_number(decision.epoch_ms)
    medians = _medians(board, key, epoch)
    count, model_error, override_error = 0, 0.0, 0.0
    for number, day in happened.items():
        covered = number >= epoch and override.from_ms <= day.day_ms < override.to_ms
        mark = (override.override_id, key, number)
        if not covered or mark in counted or day.censored or day.units is None or number not in medians:
            continue
        counted.add(mark)
        count += 1
        model_error += abs(day.units - medians[number].q50)
        override_error += abs(day.units - medians[number].q50 * override.value)
    if count:
        yield _scored(override, key, count, model_error, override_error)


def _medians(board: Board, key: Key, epoch: int) -> dict[int, ForecastDay]:
    """For each day the newest kept forecast that was made by the epoch."""
    found: dict[int, ForecastDay] = {}
    for horizon in sorted(EVALUATED_DAYS, reverse=True):
        for each in board.days.forecasts(key, horizon):
            if day_number(each.origin_ms) <= epoch:
                found[day_number(each.day_ms)] = each
    return found


def _quantity(
    decision: ReorderDecision, override: AppliedOverride, key: Key, happened: dict[int, Day]
) -> Iterator[Scored]:
    inputs, epoch = decision.inputs, day_number(decision.epoch_ms)
    until = epoch + median_lead_days(inputs.lead_times) + inputs.review_period_days
    days = [happened.get(number) for number in range(epoch, until)]
    units = [day.units for day in days if day is not None and day.units is not None]
    if len(units) < len(days):
        return
    left_by_model = position(inputs) + decision.unconstrained_quantity - sum(units)
    left = position(inputs) + decision.quantity - sum(units)
    yield _scored(override, key, 1, _cost(decision, left_by_model), _cost(decision, left))


def _cost(decision: ReorderDecision, left: float) -> float:
    inputs = decision.inputs
    margin = max(float(inputs.price.amount) - float(inputs.unit_cost.amount), 0.0)
    level = inputs.cycle_service_level
    return -left * margin if left < 0 else left * margin * (1 - level) / level


def _scored(
    override: AppliedOverride, key: Key, count: int, model_error: float, override_error: float
) -> Scored:
    return Scored(
        override.override_id, override.author, override.reason, override.target, key, count, model_error,
        override_error,
    )  # fmt: skip
