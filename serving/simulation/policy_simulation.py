"""A planner run on the shop's days without Kafka: same stock, same demand, same luck with the same order."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from serving.simulation.comparison_planners import WINDOW_DAYS, StockView, Target, order_quantity
from serving.simulation.outcome import PlacedOrder, SkuDay, placed_order, sku_days
from serving.simulation.scenario import Scenario
from serving.simulation.suppliers import expected_lead_time
from serving.simulation.warehouse import PurchaseOrder, Warehouse, sell


@dataclass
class Outcome:
    """What a planner's decisions led to."""

    sku_days: list[SkuDay] = field(default_factory=list)
    orders: list[PlacedOrder] = field(default_factory=list)


def simulate(scenario: Scenario, days: Sequence[date], target: Target) -> Outcome:
    """Runs a planner over the days; its orders have no budget."""
    warehouse, sold, outcome = scenario.warehouse(), _sold_before(scenario), Outcome()
    thresholds, costs = scenario.bulk_thresholds(), scenario.unit_costs()
    for day in days:
        rows = sku_days(day, sell(warehouse, scenario.log.lines_of(day)), warehouse, thresholds)
        outcome.sku_days += rows
        for row in rows:
            sold[row.sku].append(row.served)
        next_day = day + timedelta(days=1)
        warehouse.receive(next_day)
        if scenario.is_review(next_day):
            orders = review(scenario, warehouse, sold, next_day, target)
            outcome.orders += [placed_order(order, costs[order.sku]) for order in orders]
    return outcome


def review(
    scenario: Scenario, warehouse: Warehouse, sold: dict[str, deque[int]], day: date, target: Target
) -> list[PurchaseOrder]:
    """Places what the planner orders at the beginning of `day`."""
    orders = []
    for sku, item in sorted(scenario.items.items()):
        lead_time = expected_lead_time(item.supplier)
        view = StockView(tuple(sold[sku]), warehouse.on_hand[sku], warehouse.on_order(sku), lead_time, item)
        if quantity := order_quantity(target(view), view):
            orders.append(scenario.order(sku, day, quantity))
            warehouse.place(orders[-1])
    return orders


def _sold_before(scenario: Scenario) -> dict[str, deque[int]]:
    first, last = scenario.first_day - timedelta(days=WINDOW_DAYS), scenario.first_day - timedelta(days=1)
    history = scenario.log.daily_units(first, last)
    sold = history.units.astype(int).tolist()
    return {sku: deque(units, maxlen=WINDOW_DAYS) for sku, units in zip(history.skus, sold, strict=True)}
