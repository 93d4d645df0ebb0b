"""Everything the report says, computed from the topics and the evaluation files of a finished replay."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from infra.contracts.topics import ARCHIVED
from serving.inventory.local_days import is_open
from serving.simulation.accuracy import TAU, scores
from serving.simulation.comparison_planners import COMPARISON_PLANNERS
from serving.simulation.pictures import DAYS_SHOWN_BEFORE, FanChart, PlannerHistory
from serving.simulation.policy_simulation import simulate
from serving.simulation.sales_log import DailyUnits
from serving.simulation.scenario import WARM_UP_DAYS, Scenario
from serving.simulation.stock_scores import stock_scores
from serving.simulation.topic_results import TopicResults

HISTORY_DAYS = 120
OWN_NAME = "Stockstream"


@dataclass(frozen=True)
class Replay:
    """A finished replay: its days, what came of it and what the topics hold."""

    scenario: Scenario
    days: list[date]
    sku_days: pd.DataFrame
    orders: pd.DataFrame
    closes: pd.DataFrame
    results: TopicResults
    partitions: int

    @property
    def scored_days(self) -> list[date]:
        """All days after the warm-up; of a replay not longer than that, every day."""
        return self.days[WARM_UP_DAYS:] or self.days

    @property
    def scored_origins(self) -> list[date]:
        """First scored days of forecasts whose fourteen days have passed."""
        return self.scored_days[: max(0, len(self.scored_days) - TAU + 1)]

    def demand(self) -> DailyUnits:
        """True units per SKU and day, from 120 days before the replay to its end."""
        return self.scenario.log.daily_units(self.days[0] - timedelta(days=HISTORY_DAYS), self.days[-1])


def count_section(replay: Replay) -> dict[str, Any]:
    """What went in and what came out, from the topics."""
    results, heartbeats = replay.results, len(replay.closes) * len(ARCHIVED) * replay.partitions
    return {
        "days": len(replay.days),
        "scored_days": len(replay.scored_days),
        "events_in": results.events_in - heartbeats,
        "heartbeats": heartbeats,
        "features": results.features,
        "forecasts": len(results.forecasts),
        "decisions": len(results.decisions),
        "orders": len(replay.orders),
        "late": results.late,
        "dead_letters": results.dead_letters,
        "fallback_share": results.fallback_share,
        "allocation_runs": len(results.runs),
        "epochs_bound_by_the_budget": len(results.bound_epochs),
        "seconds_waited_per_close": _spread(replay.closes["waited_seconds"]),
    }


def accuracy_section(replay: Replay) -> dict[str, Any]:
    """Scores of the published forecasts and the baselines; empty if no fourteen scored days have passed.

    The forecast for the first day of a replay is never published: the close before it was not replayed.
    """
    origins = [day for day in replay.scored_origins if day > replay.days[0]]
    if not origins:
        return {}
    demand, calendar = replay.demand(), replay.scenario.calendar
    open_days = np.array([is_open(day, calendar) for day in demand.days])
    by_name = scores(replay.results.forecasts, demand, open_days, origins)
    return {"origins": len(origins), "skus": len(demand.skus)} | {
        name: asdict(s) for name, s in by_name.items()
    }


def planner_outcomes(replay: Replay) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """SKU-days and orders of the replay itself and of the comparison planners on the same days."""
    outcomes = {OWN_NAME: (replay.sku_days, replay.orders)}
    for name, target in COMPARISON_PLANNERS.items():
        outcome = simulate(replay.scenario, replay.days, target)
        outcomes[name] = pd.DataFrame(outcome.sku_days), pd.DataFrame(outcome.orders)
    return outcomes


def planner_section(
    replay: Replay, outcomes: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
) -> dict[str, dict[str, Any]]:
    """Scores of each planner over the scored days."""
    costs = replay.scenario.unit_costs()
    return {
        name: asdict(stock_scores(sku_days, orders, costs, replay.scored_days))
        for name, (sku_days, orders) in outcomes.items()
    }


def planner_histories(
    replay: Replay, outcomes: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
) -> dict[str, PlannerHistory]:
    """What the second picture shows."""
    costs = replay.scenario.unit_costs()
    return {name: _history(sku_days, orders, costs) for name, (sku_days, orders) in outcomes.items()}


def fan_chart(replay: Replay) -> FanChart | None:
    """The busiest SKU of history at a review after a third of the scored days; None without forecasts."""
    sku = str(replay.scenario.log.sales_before(replay.days[0])["sku"].value_counts().idxmax())
    days = replay.scored_days
    origins = [day for name, day in replay.results.forecasts if name == sku]
    if not origins:
        return None
    reviews = [day for day in origins if replay.scenario.is_review(day)] or origins
    origin = min(reviews, key=lambda day: abs((day - days[len(days) // 3]).days))
    forecast = replay.results.forecasts[sku, origin]
    begin = origin - timedelta(days=DAYS_SHOWN_BEFORE)
    end = min(origin + timedelta(days=len(forecast.quantiles) - 1), replay.days[-1])
    shown = replay.scenario.log.daily_units(begin, end)
    demand = dict(zip(shown.days, shown.units[shown.skus.index(sku)], strict=True))
    empty = replay.sku_days[(replay.sku_days["sku"] == sku) & (replay.sku_days["on_hand"] == 0)]
    return FanChart(
        forecast, origin, demand, [day for day in map(date.fromisoformat, empty["day"]) if day in demand]
    )


def _history(sku_days: pd.DataFrame, orders: pd.DataFrame, costs: Mapping[str, float]) -> PlannerHistory:
    value: dict[date, float] = defaultdict(float)
    empty: dict[date, int] = defaultdict(int)
    ordered: dict[date, float] = defaultdict(float)
    for row in sku_days.to_dict("records"):
        value[date.fromisoformat(row["day"])] += row["on_hand"] * costs[row["sku"]]
        empty[date.fromisoformat(row["day"])] += row["on_hand"] == 0
    for row in orders.to_dict("records"):
        ordered[date.fromisoformat(row["placed"])] += row["cost"]
    return PlannerHistory(dict(value), dict(empty), dict(ordered))


def _spread(values: "pd.Series[float]") -> dict[str, float]:
    return {
        "median": float(values.median()),
        "p95": float(values.quantile(0.95)),
        "longest": float(values.max()),
        "sum": float(values.sum()),
    }
