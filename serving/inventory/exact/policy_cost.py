"""What a policy costs on average, exactly: the chain of its own decisions in every reachable state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from infra.errors import StockstreamError
from serving.inventory.exact.lost_sales_model import Floats, LostSalesModel

Integers = NDArray[np.int64]
Decide = Callable[[Integers], Integers]
"""Orders [states] of a policy in states [states, lead time]."""

_DIGIT = 1024
"""No quantity reaches this; it is the base in which a state is one number."""
MAX_STATES = 3_000_000
MAX_LEAD_TIME = 6
"""So that a state fits 63 bits; longer ones have too many states anyway."""
_MAX_SWEEPS = 20_000


@dataclass(frozen=True)
class PolicyCost:
    """A policy's exact average.

    Attributes:
        cost: per period.
        states: how many states the policy can come to from an empty shelf.
        highest_stock: the most that is ever on hand.
        highest_order: the largest order.
    """

    cost: float
    states: int
    highest_stock: int
    highest_order: int


def average_cost(model: LostSalesModel, decide: Decide, tolerance: float = 1e-7) -> PolicyCost:
    """Follows a policy through every state it can come to and solves its chain.

    The average lies between the least and the largest change of the relative values in a sweep (MacQueen
    1967); sweeps end when these are within the relative tolerance.

    Args:
        model: the item.
        decide: asked once for each state that can be reached from an empty shelf.
        tolerance: relative.

    Raises:
        StockstreamError: a lead time above `MAX_LEAD_TIME`, more than `MAX_STATES` states, or a quantity of
            1024 or more.
    """
    if model.lead_time > MAX_LEAD_TIME:
        raise StockstreamError(f"lead time {model.lead_time!r}: up to {MAX_LEAD_TIME} can be solved exactly")
    keys, orders = _reachable(model.lead_time, decide)
    states = _states(keys, model.lead_time)
    highest = int(states[:, 0].max())
    chain = _chain(keys, orders, model.leftover(highest), model.lead_time)
    cost = _average(chain, model.period_costs(highest)[states[:, 0]], tolerance)
    return PolicyCost(cost, len(keys), highest, int(orders.max()))


def _weights(lead_time: int) -> Integers:
    return np.int64(_DIGIT) ** np.arange(lead_time, dtype=np.int64)[::-1]


def _states(keys: Integers, lead_time: int) -> Integers:
    return keys[:, None] // _weights(lead_time) % _DIGIT


def _reachable(lead_time: int, decide: Decide) -> tuple[Integers, Integers]:
    """Every state from the empty one on, as sorted keys, and the policy's order in it."""
    seen = frontier = np.zeros(1, dtype=np.int64)
    parts: list[tuple[Integers, Integers]] = []
    while len(frontier):
        states = _states(frontier, lead_time)
        orders = decide(states)
        if max(states.max(), orders.max()) >= _DIGIT:
            raise StockstreamError(
                f"a policy holds or orders {_DIGIT} units or more: too many for this solver"
            )
        parts.append((frontier, orders))
        rows, left = _outcomes(states[:, 0])
        reached = np.unique(_next_base(states, orders)[rows] + left * _weights(lead_time)[0])
        frontier = np.setdiff1d(reached, seen, assume_unique=True)
        seen = np.union1d(seen, frontier)
        if len(seen) > MAX_STATES:
            raise StockstreamError(f"a policy reaches more than {MAX_STATES} states")
    keys, orders = (np.concatenate(part) for part in zip(*parts, strict=True))
    return keys[np.argsort(keys)], orders[np.argsort(keys)]


def _outcomes(on_hand: Integers) -> tuple[Integers, Integers]:
    """All that can be left of each stock: row numbers, and the units left."""
    counts = on_hand + 1
    starts = np.cumsum(counts) - counts
    return np.repeat(np.arange(len(on_hand)), counts), np.arange(counts.sum()) - np.repeat(starts, counts)


def _next_base(states: Integers, orders: Integers) -> Integers:
    """Keys of the next states if nothing were left."""
    return np.column_stack([states[:, 1:], orders]) @ _weights(states.shape[1])


def _chain(keys: Integers, orders: Integers, leftover: Floats, lead_time: int) -> csr_matrix:
    states = _states(keys, lead_time)
    rows, left = _outcomes(states[:, 0])
    columns = np.searchsorted(keys, _next_base(states, orders)[rows] + left * _weights(lead_time)[0])
    starts = np.concatenate([[0], np.cumsum(states[:, 0] + 1)])
    return csr_matrix((leftover[states[rows, 0], left], columns, starts), shape=(len(keys), len(keys)))


def _average(chain: csr_matrix, costs: Floats, tolerance: float) -> float:
    values = np.zeros(len(costs))
    for _ in range(_MAX_SWEEPS):
        updated = costs + chain @ values
        low, high = float((updated - values).min()), float((updated - values).max())
        values = updated - updated[0]
        if high - low <= tolerance * low:
            return (low + high) / 2
    raise StockstreamError(f"no average within {tolerance} after {_MAX_SWEEPS} sweeps: the chain is periodic")
