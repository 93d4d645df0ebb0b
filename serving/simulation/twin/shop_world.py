"""The demo's shop as a world: the same days, stock, orders under way and luck with lead times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from infra.contracts.shop import Item
from serving.inventory.local_days import is_open
from serving.simulation.sales_log import days_between
from serving.simulation.scenario import Scenario
from serving.simulation.suppliers import expected_lead_time, lead_time
from serving.simulation.twin.world import Order, World
from serving.simulation.warehouse import PurchaseOrder


@dataclass(frozen=True)
class SupplierLuck:
    """What a seed has for each order of the demo's suppliers."""

    seed: int

    def __call__(self, item: Item, order_id: str) -> int:
        """Days of the order."""
        return lead_time(item.supplier, order_id, self.seed)


def shop_world(scenario: Scenario, last_day: date, panel_hash: str, luck: int) -> World:
    """The scenario until a day.

    Args:
        scenario: gives everything, the luck of orders under way included.
        last_day: the last simulated one.
        panel_hash: names the history.
        luck: seed of the lead times of the orders to come.
    """
    first_sale = min(scenario.log.lines["day"])
    history = scenario.log.daily_units(first_sale, last_day)
    demand = history.units.astype(np.int64)
    opened = np.array([is_open(day, scenario.calendar) for day in days_between(first_sale, last_day)])
    row_of = {sku: row for row, sku in enumerate(history.skus)}
    start = scenario.warehouse()
    return World(
        items=tuple(scenario.items[sku] for sku in history.skus),
        calendars=(scenario.calendar,),
        first_day=first_sale,
        start=(scenario.first_day - first_sale).days,
        demand=demand,
        observed=np.ones(demand.shape, dtype=np.bool_),
        launched=np.maximum.accumulate(demand > 0, axis=1),
        location_open=np.tile(opened, (len(demand), 1)),
        on_hand=np.array([start.on_hand[sku] for sku in history.skus]),
        open_orders=_orders(scenario.first_orders(), row_of, first_sale),
        earlier=_orders(scenario.earlier_orders(), row_of, first_sale),
        panel_hash=panel_hash,
        mean_lead_days=np.array([expected_lead_time(scenario.items[sku].supplier) for sku in history.skus]),
        lead_time=SupplierLuck(luck),
    )


def _orders(orders: Sequence[PurchaseOrder], row_of: dict[str, int], first: date) -> tuple[Order, ...]:
    return tuple(
        Order(
            order.order_id,
            row_of[order.sku],
            order.quantity,
            (order.placed - first) // timedelta(days=1),
            (order.due - first) // timedelta(days=1),
        )
        for order in orders
    )
