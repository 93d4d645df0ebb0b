"""How well a planner kept the shop supplied, and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

COST_PER_ORDER = 5.0
"""Simulated fixed cost of one order line, in the shop's currency."""


@dataclass(frozen=True)
class StockScores:
    """Shares are of true demand, values in the shop's currency; on a stock-out day a SKU ended empty."""

    fill_rate_units: float
    fill_rate_lines: float
    fill_rate_units_without_bulk: float
    fill_rate_lines_without_bulk: float
    stock_out_sku_days: int
    sku_days: int
    average_stock_value: float
    orders: int
    ordering_cost: float
    units_unmet: int


def stock_scores(
    sku_days: pd.DataFrame, orders: pd.DataFrame, unit_costs: Mapping[str, float], days: Sequence[date]
) -> StockScores:
    """Scores over the given days.

    Args:
        sku_days: rows of `outcome.SkuDay`.
        orders: rows of `outcome.PlacedOrder`; those placed on the days count.
        unit_costs: cost of one unit per SKU.
        days: the scored days.
    """
    scored = {str(day) for day in days}
    rows = sku_days[sku_days["day"].isin(scored)]
    total = {str(name): float(value) for name, value in rows.sum(numeric_only=True).items()}
    count = int(orders["placed"].isin(scored).sum()) if len(orders) else 0
    value = float((rows["on_hand"] * rows["sku"].map(dict(unit_costs))).sum())
    return StockScores(
        fill_rate_units=_share(total["served"], total["demand"]),
        fill_rate_lines=_share(total["filled"], total["lines"]),
        fill_rate_units_without_bulk=_share(
            total["served"] - total["bulk_served"], total["demand"] - total["bulk_demand"]
        ),
        fill_rate_lines_without_bulk=_share(
            total["filled"] - total["bulk_filled"], total["lines"] - total["bulk_lines"]
        ),
        stock_out_sku_days=int((rows["on_hand"] == 0).sum()),
        sku_days=len(rows),
        average_stock_value=value / len(scored),
        orders=count,
        ordering_cost=count * COST_PER_ORDER,
        units_unmet=int(total["demand"] - total["served"]),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
