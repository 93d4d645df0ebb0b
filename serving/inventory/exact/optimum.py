"""The least possible average cost of a lost-sales item, by value iteration over all its states."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.errors import StockstreamError
from serving.inventory.exact.lost_sales_model import Floats, LostSalesModel
from serving.inventory.exact.policy_cost import MAX_LEAD_TIME, average_cost

Integers = NDArray[np.int64]

_MAX_SWEEPS = 2000


@dataclass(frozen=True)
class Optimum:
    """What no policy can beat.

    Attributes:
        cost: average cost per period of the best policy.
        bounds: proven lower and upper bound of it, within the box of states that was searched.
        orders: the best order [on hand, next delivery, ..].
        sweeps: iterations that were needed.
    """

    cost: float
    bounds: tuple[float, float]
    orders: NDArray[np.int16]
    sweeps: int

    def decide(self, states: Integers) -> Integers:
        """The best orders in states [states, lead time] that lie within the box."""
        orders: Integers = self.orders[tuple(states.T)].astype(np.int64)
        return orders


def optimal_cost(
    model: LostSalesModel, tolerance: float = 1e-6, report: Callable[[str], None] | None = None
) -> Optimum:
    """Solves the item's dynamic programme.

    The box of states is enlarged until the best policy never touches its walls; beyond the myopic order
    (one period's critical quantile) no order pays, since a unit can still be ordered a period later.

    Args:
        model: the item.
        tolerance: relative distance of the bounds at which to stop.
        report: told how far it has come.

    Raises:
        StockstreamError: a lead time that is too long to be solved exactly.
    """
    if model.lead_time > MAX_LEAD_TIME:
        raise StockstreamError(f"lead time {model.lead_time!r}: up to {MAX_LEAD_TIME} can be solved exactly")
    highest_stock = model.critical_quantile(model.lead_time + 1) + 2
    highest_order = model.critical_quantile(1) + 1
    while True:
        found = _solve(model, highest_stock, highest_order, tolerance, report or _say_nothing)
        reached = average_cost(model, _within(found, highest_stock, highest_order))
        if reached.highest_stock <= highest_stock and reached.highest_order < highest_order:
            return found
        highest_stock, highest_order = highest_stock * 5 // 4, highest_order + 2


def _within(found: Optimum, highest_stock: int, highest_order: int) -> Callable[[Integers], Integers]:
    walls = np.array([highest_stock, *[highest_order] * (found.orders.ndim - 1)])
    return lambda states: found.decide(np.minimum(states, walls))


def _solve(
    model: LostSalesModel, stock: int, order: int, tolerance: float, report: Callable[[str], None]
) -> Optimum:
    leftover, costs = model.leftover(stock), model.period_costs(stock)
    values = np.zeros((stock + 1,) + (order + 1,) * (model.lead_time - 1))
    for sweep in range(1, _MAX_SWEEPS + 1):
        following, orders = _improve(values, leftover, order)
        updated = costs.reshape(-1, *[1] * (values.ndim - 1)) + following
        low, high = float((updated - values).min()), float((updated - values).max())
        report(f"sweep {sweep}: between {low:.4f} and {high:.4f}")
        if high - low <= tolerance * low:
            break
        values = updated - updated.flat[0]
    return Optimum((low + high) / 2, (low, high), orders, sweep)


def _improve(values: Floats, leftover: Floats, highest_order: int) -> tuple[Floats, NDArray[np.int16]]:
    """Least expected value after a period, and the order that attains it, for every state."""
    stock = np.arange(len(leftover))
    if values.ndim == 1:
        after = np.stack(
            [leftover @ values[np.minimum(stock + order, stock[-1])] for order in range(highest_order + 1)],
            axis=-1,
        )
        return after.min(axis=-1), after.argmin(axis=-1).astype(np.int16)
    best, orders = np.empty_like(values), np.empty(values.shape, dtype=np.int16)
    for arriving in range(highest_order + 1):
        next_values = values[np.minimum(stock + arriving, stock[-1])]
        after = (leftover @ next_values.reshape(len(stock), -1)).reshape(values.shape)
        best[:, arriving], orders[:, arriving] = after.min(axis=-1), after.argmin(axis=-1)
    return best, orders


def _say_nothing(_: str) -> None:
    return None
