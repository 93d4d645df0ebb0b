"""Simulated suppliers: who delivers what, and how long each order takes.

A lead time is drawn with a key made of the order's id, never from a shared stream: runs that decide
differently still have the same luck with the same order.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from infra.contracts.identity import seed
from serving.simulation.warehouse import PurchaseOrder

SUPPLIERS = tuple(f"supplier-{number:02d}" for number in range(1, 11))
LATE_SHARE = 0.15
LATE_DAYS = 14
EARLIER_ORDERS = 40


def assign_suppliers(skus: Sequence[str], shop_seed: int) -> dict[str, str]:
    """Deals the SKUs evenly to the suppliers, in an order set by the seed."""
    shuffled = sorted(skus, key=lambda sku: seed(shop_seed, "supplier", sku))
    return {sku: SUPPLIERS[i % len(SUPPLIERS)] for i, sku in enumerate(shuffled)}


def usual_lead_time(supplier: str) -> int:
    """Calendar days, 5 to 9, that the supplier has agreed to and mostly keeps."""
    return 5 + SUPPLIERS.index(supplier) % 5


def lead_time(supplier: str, order_id: str, shop_seed: int) -> int:
    """Calendar days this order takes: 14 for 15 % of orders, else the usual time."""
    late = np.random.default_rng(seed(shop_seed, "lead-time", order_id)).random() < LATE_SHARE
    return LATE_DAYS if late else usual_lead_time(supplier)


def expected_lead_time(supplier: str) -> float:
    """Mean of the lead times in calendar days."""
    return LATE_SHARE * LATE_DAYS + (1 - LATE_SHARE) * usual_lead_time(supplier)


def place_order(
    order_id: str,
    sku: str,
    supplier: str,
    quantity: int,
    day: date,
    shop_seed: int,
    decision: str | None = None,
) -> PurchaseOrder:
    """An order placed at the beginning of `day`, with the due date that chance has set for its id."""
    due = day + timedelta(days=lead_time(supplier, order_id, shop_seed))
    return PurchaseOrder(order_id, sku, supplier, quantity, day, due, decision)


def earlier_orders(
    quantities: dict[str, int], suppliers: dict[str, str], first_day: date, shop_seed: int
) -> list[PurchaseOrder]:
    """Orders of the past, all received before `first_day`: two a week per supplier, its SKUs in turn."""
    orders = []
    for supplier in SUPPLIERS:
        skus = sorted(sku for sku, name in suppliers.items() if name == supplier)
        for number in range(EARLIER_ORDERS if skus else 0):
            sku = skus[number % len(skus)]
            placed = first_day - timedelta(days=LATE_DAYS + 1 + 7 * (number // 2))
            order_id = f"po-earlier-{supplier}-{number:02d}"
            orders.append(place_order(order_id, sku, supplier, quantities[sku], placed, shop_seed))
    return orders
