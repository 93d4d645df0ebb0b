"""The lookahead policy: the order that costs least on sample paths of demand (direct cost minimisation).

Every candidate quantity is tried on the same paths, with a fitted follow-up policy ordering afterwards. One
step of policy improvement over a policy that is already good comes close to the optimum without a table over
the states (rollout: Bertsekas & Castañón 1999; for lost sales: Temizöz et al. 2020, arXiv 2011.15122).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from serving.inventory.rollout import (
    DayCosts,
    Floats,
    FollowUpPolicy,
    Integers,
    Singles,
    Situation,
    rollout_costs,
)

_AROUND = np.arange(-2, 3)
_CHUNK_ELEMENTS = 2**16
"""Units of work that fit the processor's cache: SKUs x quantities x paths."""


@dataclass(frozen=True)
class FollowUpShape:
    """A follow-up policy in proportion to the forecast, so that it suits other days and other SKUs.

    Attributes:
        safety: standard deviations of the covered demand that the level lies above its mean.
        weight: of stock on hand, 0 to 1.
        share: of what is missing that is ordered at once, 0 to 1.
    """

    safety: float
    weight: float
    share: float


def lookahead_orders(
    situation: Situation, demand: Singles, costs: DayCosts, follow_up: FollowUpPolicy
) -> Integers:
    """The order that costs least [skus].

    Searches from the follow-up policy's own order outwards and refines, taking the cost as convex in the
    quantity. A SKU's result does not depend on the others.

    Args:
        situation: where the SKUs stand.
        demand: joint paths [skus or 1, paths, days]; a lead time, a review period and some days more.
        costs: of a day.
        follow_up: what later reviews order.
    """
    skus = len(situation.on_hand)
    orders = follow_up.orders(situation.position, situation.on_hand)
    steps = np.broadcast_to(_first_step(demand, situation.review_days), (skus,)).copy()
    open_rows = np.arange(skus)
    while len(open_rows):
        around = np.maximum(orders[open_rows, None] + steps[open_rows, None] * _AROUND, 0)
        best = _cheapest(around, open_rows, situation, demand, costs, follow_up)
        chosen = around[np.arange(len(best)), best]
        inside = ((best > 0) & (best < len(_AROUND) - 1)) | (chosen == 0)
        orders[open_rows] = chosen
        settled = inside & (steps[open_rows] == 1)
        steps[open_rows] = np.where(inside, np.maximum(steps[open_rows] // 2, 1), steps[open_rows])
        open_rows = open_rows[~settled]
    return orders


def _first_step(demand: Singles, review_days: int) -> Integers:
    """A power of two of about a quarter of the standard deviation of a review period's demand [skus or 1]."""
    deviation = demand[:, :, :review_days].sum(axis=2).std(axis=1)
    steps: Integers = 2 ** np.floor(np.log2(np.maximum(deviation / 4, 1))).astype(np.int64)
    return steps


def _cheapest(
    around: Integers,
    rows: Integers,
    situation: Situation,
    demand: Singles,
    costs: DayCosts,
    follow_up: FollowUpPolicy,
) -> Integers:
    """Index of the cheapest candidate of each of the rows."""
    best = np.empty(len(rows), dtype=np.int64)
    size = max(1, _CHUNK_ELEMENTS // (around.shape[1] * demand.shape[1]))
    for start in range(0, len(rows), size):
        chosen = rows[start : start + size]
        paths = demand if len(demand) == 1 else demand[chosen]
        total = rollout_costs(
            around[start : start + size],
            situation.rows(chosen),
            paths,
            costs.rows(chosen),
            follow_up.rows(chosen),
        )
        best[start : start + size] = total.argmin(axis=1)
    return best


def follow_up_policy(shapes: list[FollowUpShape], demand: Singles, lead: int, review: int) -> FollowUpPolicy:
    """The policies that shapes stand for, from the moments of the paths.

    An order on day t covers the demand of days t .. t + lead + review - 1, or of as many as are forecast.

    Args:
        shapes: one for each SKU, or several for one, or one for all.
        demand: units [skus or 1, paths, days].
        lead: days.
        review: days.
    """
    days = demand.shape[2]
    total = np.concatenate([np.zeros((*demand.shape[:2], 1)), np.cumsum(demand, axis=2, dtype=float)], axis=2)
    now = np.arange(days)
    reviewed, arrival, covered = (
        total[:, :, np.minimum(now + ahead, days)] - total[:, :, now]
        for ahead in (review, lead, lead + review)
    )
    safety, weights, shares = np.array([[s.safety, s.weight, s.share] for s in shapes]).T[:, :, None]
    usual = (covered - arrival).mean(axis=1)
    levels = arrival.mean(axis=1) - (1 - weights) * reviewed.mean(axis=1) + safety * covered.std(axis=1)
    rows = max(len(usual), len(levels))
    return FollowUpPolicy(
        np.broadcast_to(usual, (rows, days)),
        levels,
        np.broadcast_to(weights[:, 0], rows),
        np.broadcast_to(shares[:, 0], rows),
    )


_GRID = [
    FollowUpShape(safety, weight, share)
    for safety in np.linspace(-1, 3, 9).tolist()
    for weight in (0.4, 0.6, 0.8, 1.0)
    for share in (0.15, 0.3, 0.5, 0.75, 1.0)
]
_ROUNDS = 3
_USUAL_SEED = 1
_VARIANTS = 60


def fit_follow_up(
    demand: Singles, costs: DayCosts, lead: int, review: int = 1, warm_up: int = 30, seed: int = 1
) -> FollowUpShape:
    """The cheapest shape found by simulation on common paths: a grid, then ever closer variants of the best.

    Args:
        demand: one SKU's paths over a long time [1, paths, days].
        costs: of a day.
        lead: days.
        review: days.
        warm_up: days that are not charged.
        seed: of the variants.
    """
    rng = np.random.default_rng(seed)
    shapes, best, spread = list(_GRID), _GRID[0], np.array([0.25, 0.1, 0.1])
    for _ in range(_ROUNDS + 1):
        best = shapes[int(_shape_costs(shapes, demand, costs, lead, review, warm_up).argmin())]
        moved = np.array([best.safety, best.weight, best.share]) + spread * rng.uniform(-1, 1, (_VARIANTS, 3))
        moved[:, 1:] = np.clip(moved[:, 1:], 0.05, 1)
        shapes = [best, *(FollowUpShape(*variant) for variant in moved.tolist())]
        spread = spread / 2
    return best


@lru_cache(maxsize=1024)
def usual_shape(stockout_to_holding: float, lead: int, review: int) -> FollowUpShape:
    """The shape fitted to negative binomial demand of mean 4 and variance 12 a day, in half a second.

    Shapes are in proportion to the forecast, so this one serves SKUs whose own best one is not known.

    Args:
        stockout_to_holding: a unit of lost demand over a unit held for a day.
        lead: days.
        review: days.
    """
    demand = np.random.default_rng(_USUAL_SEED).negative_binomial(2, 1 / 3, (1, 128, 400)).astype(np.float32)
    costs = DayCosts(np.ones(1), np.array([stockout_to_holding]))
    return fit_follow_up(demand, costs, lead, review, warm_up=60)


def _shape_costs(
    shapes: list[FollowUpShape], demand: Singles, costs: DayCosts, lead: int, review: int, warm_up: int
) -> Floats:
    follow_up = follow_up_policy(shapes, demand, lead, review)
    days, count = demand.shape[2], len(shapes)
    arrivals = np.zeros((count, 1, days))
    arrivals[:, :, :lead] = np.round(demand.mean())
    on_hand = np.full(count, np.round(demand.mean() * review))
    on_order = arrivals.sum(axis=(1, 2))
    situation = Situation(on_hand, on_order, arrivals, np.array([[lead]]), lead, review)
    now = follow_up.orders(situation.position, on_hand)[:, None]
    size = max(1, _CHUNK_ELEMENTS // demand.shape[1])
    parts = [
        rollout_costs(now[part], situation.rows(part), demand, costs, follow_up.rows(part), warm_up)
        for part in (slice(start, start + size) for start in range(0, count, size))
    ]
    return np.concatenate(parts)[:, 0]
