"""When open orders and an order of now come in, drawn for each path."""

from collections.abc import Sequence

import numpy as np

from infra.contracts.inventory import DecisionInputs, OpenOrder
from serving.inventory.cover import Floats, Integers
from serving.inventory.lead_times import draw_arrival_days, median_lead_days, stratified_uniforms
from serving.inventory.local_days import days_between
from serving.inventory.order_up_to import LeadTimes
from serving.inventory.supplier_days import days_until_taken, delivery_days


def oldest_first(inputs: DecisionInputs) -> list[OpenOrder]:
    """The open orders in the order in which they were placed."""
    return sorted(inputs.open_orders, key=lambda order: (order.placed_ms, order.order_id))


def arrival_days(inputs: DecisionInputs, decision_id: str, epoch_ms: int, paths: int) -> Integers:
    """Days until each open order, oldest first, and an order of now arrive [open orders + 1, paths].

    The supplier's calendar puts off what would arrive on a day without deliveries, and an order past its
    cut-off.
    """
    orders = oldest_first(inputs)
    ages = [days_between(order.placed_ms, epoch_ms, inputs.time_zone) for order in orders]
    keys = [*(("open-order", order.order_id) for order in orders), ("new-order",)]
    uniforms = np.zeros((len(keys), paths))
    for of_order, key, age in zip(uniforms, keys, [*ages, -1], strict=True):
        if _is_random(inputs, age):
            of_order[:] = stratified_uniforms(paths, decision_id, *key)
    days = draw_arrival_days(inputs.lead_times, ages, inputs.delivery, uniforms)
    return _by_calendar(days, inputs, epoch_ms)


def _is_random(inputs: DecisionInputs, age_days: int) -> bool:
    """Whether an order's day depends on a draw; first in, first out draws lead times whatever the age."""
    least = age_days if inputs.delivery == "independent" else -1
    return sum(count.days > least for count in inputs.lead_times) > 1


def usual_arrival_days(inputs: DecisionInputs, epoch_ms: int) -> int:
    """Days until an order of now arrives if it takes the median lead time."""
    days = np.array([[median_lead_days(inputs.lead_times)]])
    return int(_by_calendar(days, inputs, epoch_ms)[0, 0])


def lead_times_of_now(inputs: DecisionInputs, decision_id: str, epoch_ms: int) -> LeadTimes:
    """How long orders like one of now may take, and how many receipts say so."""
    days = np.array([[count.days for count in inputs.lead_times]])
    receipts = np.array([count.receipts for count in inputs.lead_times])
    return LeadTimes(_by_calendar(days, inputs, epoch_ms)[0], receipts, decision_id)


def _by_calendar(days: Integers, inputs: DecisionInputs, epoch_ms: int) -> Integers:
    calendar = inputs.supplier_calendar
    if calendar is None:
        return days
    days = days.copy()
    days[-1] += days_until_taken(epoch_ms, calendar, inputs.time_zone)
    return delivery_days(epoch_ms, int(days.max()), calendar, inputs.time_zone)[days]


def arriving_units(inputs: Sequence[DecisionInputs], arrives: Sequence[Integers], days: int) -> Floats:
    """Units [skus, paths, days] that open orders bring before each day opens."""
    each_path = np.arange(arrives[0].shape[1])
    arriving = np.zeros((days + 1, len(inputs), len(each_path)))
    for of_sku, each, arrive in zip(arriving.swapaxes(0, 1), inputs, arrives, strict=True):
        for order, day in zip(oldest_first(each), np.minimum(arrive, days), strict=False):
            of_sku[day, each_path] += order.outstanding
    return arriving[:days].transpose(1, 2, 0)
