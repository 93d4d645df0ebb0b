"""What of a SKU's stock, order and forecast needs a planner, and the money at stake; all rows at once.

- `stock_out_ahead`: stock and what is due before an order of today could arrive will not last until then with
  a chance above 1 - service target; at stake is the margin of the units expected to be missing.
- `overstock`: more on hand than 28 days sell with a chance of 95 %; at stake is the cost of the excess.
- `late_supplier`: an open order older than 95 % of the supplier's receipts took; at stake is its cost.
- `blocked_decision`: the margin of the demand expected until an order of today could arrive.
- `budget_cut`: the margin of the units that the budget left out.
- `model_fallback`, `input_stale`: the cost of the order that rests on it.
"""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS
from serving.board.table import KINDS, Rows, SkuTable

_LEVELS = np.array(QUANTILE_LEVELS)
_WEIGHTS = np.gradient(np.concatenate([[0.0], _LEVELS, [1.0]]))[1:-1]
_WEIGHTS /= _WEIGHTS.sum()
_HIGH = QUANTILE_LEVELS.index(0.95)
_COLUMN = {kind: column for column, kind in enumerate(KINDS)}

Floats = NDArray[np.float64]


def assess(table: SkuTable, rows: Rows) -> None:
    """Derives the columns of some rows from what they say now."""
    if not len(rows):
        return
    of = {name: table.numbers(name)[rows] for name in _READ}
    cumulative = table.cumulative[rows].astype(np.float64)
    lead = np.clip(np.nan_to_num(of["lead_days"], nan=1), 1, HORIZON_DAYS).astype(np.int64)
    until_order = cumulative[np.arange(len(rows)), lead - 1]
    net = of["on_hand"] - of["backordered"] - of["reserved"]
    stock = net + np.nan_to_num(of["due_units"])
    margin = np.maximum(of["price"] - of["unit_cost"], 0)
    risk = 1 - _chance_within(until_order, stock)
    missing = np.maximum(until_order - stock[:, None], 0) @ _WEIGHTS
    money = np.full((len(rows), len(KINDS)), np.nan)
    for kind, there, at_stake in (
        ("stock_out_ahead", risk > 1 - of["service_target"], missing * margin),
        (
            "overstock",
            net > cumulative[:, -1, _HIGH],
            _excess(net, cumulative) * of["unit_cost"],
        ),
        ("late_supplier", of["late_units"] > 0, of["late_units"] * of["unit_cost"]),
        ("blocked_decision", of["blocked"] > 0, np.nan_to_num(until_order @ _WEIGHTS * margin)),
        ("budget_cut", of["budget_cut"] > 0, of["budget_cut"] * margin),
        ("model_fallback", of["fallback"] > 0, of["cost"]),
        ("input_stale", of["stale"] > 0, of["cost"]),
    ):
        money[:, _COLUMN[kind]] = np.where(there, np.nan_to_num(at_stake), np.nan)
    table.money[rows] = money
    means = cumulative @ _WEIGHTS
    table.numbers("stock_value")[rows] = of["on_hand"] * of["unit_cost"]
    table.numbers("demand_28_days")[rows] = means[:, -1]
    table.numbers("days_of_cover")[rows] = _days_of_cover(means, net)
    table.numbers("stock_out_risk")[rows] = risk
    table.numbers("money_at_risk")[rows] = np.nansum(money, axis=1)


_READ = (
    "on_hand", "backordered", "reserved", "due_units", "unit_cost", "price", "service_target", "lead_days",
    "late_units", "blocked", "budget_cut", "fallback", "stale", "cost",
)  # fmt: skip


def _excess(net: Floats, cumulative: Floats) -> Floats:
    excess: Floats = np.maximum(net - cumulative[:, -1, _HIGH], 0)
    return excess


def _chance_within(quantiles: Floats, stock: Floats) -> Floats:
    """Probability that demand is at most the stock, linear between the knots; NaN where either is unknown."""
    knots = np.concatenate([np.zeros((len(quantiles), 1)), quantiles], axis=1)
    levels = np.concatenate([[0.0], _LEVELS])
    below = (knots <= stock[:, None]).sum(axis=1)
    low, high = np.clip(below - 1, 0, len(levels) - 1), np.clip(below, 0, len(levels) - 1)
    row = np.arange(len(stock))
    width = knots[row, high] - knots[row, low]
    share = np.where(width > 0, (stock - knots[row, low]) / np.where(width > 0, width, 1), 0)
    chance = levels[low] + (levels[high] - levels[low]) * np.clip(share, 0, 1)
    unknown = np.isnan(stock) | np.isnan(quantiles[:, -1])
    chance = np.where(below > len(_LEVELS), 1.0, chance)
    return np.where(unknown, np.nan, chance)


def _days_of_cover(means: Floats, net: Floats) -> Floats:
    """Days that net stock lasts at the mean forecast; beyond the horizon at its average rate."""
    within = (means < net[:, None]).sum(axis=1).astype(np.float64)
    daily = means[:, -1] / HORIZON_DAYS
    beyond = np.where(daily > 0, net / np.where(daily > 0, daily, 1), np.nan)
    days = np.where(within < HORIZON_DAYS, within, beyond)
    return np.where(np.isnan(net) | np.isnan(means[:, -1]), np.nan, days)
