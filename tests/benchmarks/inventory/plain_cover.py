"""The default policy for one item in plain Python, path by path and day by day: what vectorising is worth."""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import DecisionInputs

_NORMAL = NormalDist()


def wanted(inputs: DecisionInputs, forecast: DemandForecast, arrival_days: Sequence[Sequence[int]]) -> int:
    """The quantity that `serving.inventory.policy.decide` wants before any rule.

    Args:
        inputs: of the decision.
        forecast: that the inputs name.
        arrival_days: of each open order, oldest first, and of an order now, per path.
    """
    paths = _paths(forecast)
    orders = sorted(inputs.open_orders, key=lambda order: (order.placed_ms, order.order_id))
    needs = []
    for number, demand in enumerate(paths):
        lead = min(arrival_days[-1][number], max(len(demand) - inputs.review_period_days, 0))
        arrivals = [0.0] * len(demand)
        for order, days in zip(orders, arrival_days, strict=False):
            if days[number] < len(demand):
                arrivals[days[number]] += order.outstanding
        needs.append(_required(demand, float(inputs.on_hand or 0), arrivals, lead, inputs.review_period_days))
    rank = ceil(inputs.cycle_service_level * len(needs) - 1e-9) - 1
    return ceil(sorted(needs)[min(max(rank, 0), len(needs) - 1)])


def _required(demand: list[float], stock: float, arrivals: list[float], lead: int, review: int) -> float:
    required = 0.0
    for day in range(min(len(demand), lead + review)):
        stock += arrivals[day] - demand[day]
        if day < lead:
            stock = max(stock, 0.0)
        else:
            required = max(required, -stock)
    return required


def _paths(forecast: DemandForecast) -> list[list[float]]:
    horizon, half = len(forecast.quantiles), (forecast.paths + 1) // 2
    level, decay = forecast.copula.level, forecast.copula.decay
    edges = [0.0, *forecast.quantile_levels, 1.0]
    knots = [_with_ends(row, forecast.quantile_levels) for row in forecast.quantiles]
    positive, negative = [], []
    for row in np.random.default_rng(forecast.seed).standard_normal((half, horizon + 1)).tolist():
        own, up, down = 0.0, [], []
        for day in range(horizon):
            own = row[1] if day == 0 else decay * own + sqrt(1 - decay**2) * row[day + 1]
            score = sqrt(level) * row[0] + sqrt(1 - level) * own
            up.append(_quantile(knots[day], edges, _NORMAL.cdf(score)))
            down.append(_quantile(knots[day], edges, _NORMAL.cdf(-score)))
        positive.append(up)
        negative.append(down)
    return [*positive, *negative][: forecast.paths]


def _with_ends(row: list[float], levels: list[float]) -> list[float]:
    slope = (row[-1] - row[-2]) / (levels[-1] - levels[-2])
    return [0.0, *row, row[-1] + slope * (1 - levels[-1])]


def _quantile(knots: list[float], edges: list[float], probability: float) -> float:
    segment = min(bisect_right(edges, probability) - 1, len(edges) - 2)
    share = (probability - edges[segment]) / (edges[segment + 1] - edges[segment])
    return knots[segment] + (knots[segment + 1] - knots[segment]) * share
