"""The lookahead policy of an item whose demand has one distribution for ever: prepared once, then asked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infra.errors import StockstreamError
from serving.inventory.lookahead import FollowUpShape, fit_follow_up, follow_up_policy, lookahead_orders
from serving.inventory.rollout import (
    DayCosts,
    Floats,
    FollowUpPolicy,
    Integers,
    Singles,
    Situation,
    expected_cost_tables,
)

DemandSampler = Callable[[int, np.random.Generator], Integers]
"""Draws that many independent periods' demand, in whole units."""

_POOL = 2**20
_FIT_PATHS, _FIT_PERIODS = 256, 160
_TAIL_PERIODS = 12


@dataclass(frozen=True)
class StationaryLookahead:
    """All that a decision needs; nothing in it depends on a state.

    Attributes:
        lead_time: periods.
        demand: paths [1, paths, periods].
        costs: expected cost of a period.
        follow_up: what later reviews order.
        shape: of the follow-up policy.
    """

    lead_time: int
    demand: Singles
    costs: DayCosts
    follow_up: FollowUpPolicy
    shape: FollowUpShape

    def decide(self, states: Integers) -> Integers:
        """Orders in states (on hand, arriving next period, ..) [states, lead time]."""
        return lookahead_orders(self._situation(states), self.demand, self.costs, self.follow_up)

    def follow(self, states: Integers) -> Integers:
        """What the follow-up policy alone would order."""
        situation = self._situation(states)
        return self.follow_up.orders(situation.position, situation.on_hand)

    def _situation(self, states: Integers) -> Situation:
        arrivals = np.zeros((len(states), 1, self.demand.shape[2]))
        arrivals[:, 0, 1 : self.lead_time] = states[:, 1:]
        on_hand, on_order = states[:, 0].astype(float), states[:, 1:].sum(axis=1).astype(float)
        return Situation(on_hand, on_order, arrivals, np.array([[self.lead_time]]), self.lead_time)


def prepare_lookahead(
    sampler: DemandSampler,
    lead_time: int,
    holding_cost: float,
    stockout_cost: float,
    paths: int = 2048,
    seed: int = 1,
) -> StationaryLookahead:
    """Draws the paths and fits the follow-up policy.

    Each period's demand is spread evenly over the paths (Latin hypercube), from a pool of 2^20 draws.

    Args:
        sampler: of one period's demand.
        lead_time: periods, at least 1.
        holding_cost: per unit left at the end of a period.
        stockout_cost: per unit of lost demand.
        paths: more of them make decisions slower and better.
        seed: of everything drawn; the same seed gives the same decisions.

    Raises:
        StockstreamError: a lead time below 1 or a cost not above 0.
    """
    if lead_time < 1:
        raise StockstreamError(f"lead time {lead_time!r}: 1 or more periods are accepted")
    if min(holding_cost, stockout_cost) <= 0:
        raise StockstreamError(f"costs {holding_cost!r} and {stockout_cost!r}: numbers above 0 are accepted")
    rng = np.random.default_rng(seed)
    pool = np.sort(sampler(_POOL, rng)).astype(float)
    holding, stockout = np.array([holding_cost]), np.array([stockout_cost])
    costs = DayCosts(holding, stockout, expected_cost_tables(pool[None, :, None], holding, stockout))
    shape = fit_follow_up(_even_paths(pool, _FIT_PATHS, _FIT_PERIODS, rng), costs, lead_time)
    demand = _even_paths(pool, paths, 2 * lead_time + _TAIL_PERIODS, rng)
    follow_up = _constant(follow_up_policy([shape], demand, lead_time, 1), demand.shape[2])
    return StationaryLookahead(lead_time, demand, costs, follow_up, shape)


def _even_paths(pool: Floats, paths: int, periods: int, rng: np.random.Generator) -> Singles:
    strata = np.stack([rng.permutation(paths) for _ in range(periods)], axis=1)
    ranks = (strata + rng.random(strata.shape)) / paths * len(pool)
    return pool[ranks.astype(np.int64)].astype(np.float32)[None]


def _constant(policy: FollowUpPolicy, periods: int) -> FollowUpPolicy:
    """The first period's policy for all periods: the end of the paths is not the end of demand."""
    usual, levels = (np.repeat(values[:, :1], periods, axis=1) for values in (policy.usual, policy.levels))
    return FollowUpPolicy(usual, levels, policy.weights, policy.shares)
