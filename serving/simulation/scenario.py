"""What a replay starts from: catalogue, calendar, policy, stock and orders, all from history before it.

Shared by the shop and the comparison planners, so that they differ in their decisions only.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

from infra.contracts.identity import decision_id
from infra.contracts.inventory import Policy
from infra.contracts.shop import Item, LocationCalendar
from serving.inventory.local_days import is_review, midnight_ms
from serving.simulation.catalogue import build_calendar, build_items, build_policy
from serving.simulation.sales_log import SalesLog
from serving.simulation.suppliers import earlier_orders, place_order
from serving.simulation.warehouse import PurchaseOrder, Warehouse

FIRST_DAY = date(2011, 9, 19)
WARM_UP_DAYS = 21
RECENT_DAYS = 56
DAYS_ON_HAND = 14
DAYS_ON_ORDER = 7
DAYS_SINCE_FIRST_ORDER = 4


@dataclass(frozen=True)
class Scenario:
    """One shop at the beginning of `first_day`; `seed` sets everything that is simulated."""

    log: SalesLog
    location: str
    first_day: date
    seed: int
    items: dict[str, Item]
    calendar: LocationCalendar
    policy: Policy

    def midnight_ms(self, day: date) -> int:
        """The instant at which the local day begins."""
        return midnight_ms(day, self.log.time_zone)

    def is_review(self, day: date) -> bool:
        """Whether the midnight at which `day` begins is a review."""
        return is_review(self.midnight_ms(day), self.calendar)

    def unit_costs(self) -> dict[str, float]:
        """Cost of one unit per SKU, in the shop's currency."""
        return {sku: float(item.unit_cost.amount) for sku, item in self.items.items()}

    def bulk_thresholds(self) -> dict[str, float]:
        """Line quantity per SKU above which a line counts as bulk."""
        return {sku: item.bulk_threshold or 0.0 for sku, item in self.items.items()}

    def mean_daily_units(self) -> dict[str, float]:
        """Mean daily demand per SKU over the last 56 days of history."""
        recent = self.log.daily_units(
            self.first_day - timedelta(days=RECENT_DAYS), self.first_day - timedelta(days=1)
        )
        return dict(zip(recent.skus, recent.units.mean(axis=1).tolist(), strict=True))

    def earlier_orders(self) -> list[PurchaseOrder]:
        """Orders received long before the first day; they teach what lead times to expect."""
        suppliers = {sku: item.supplier for sku, item in self.items.items()}
        return earlier_orders(self._days_of_demand(DAYS_ON_ORDER), suppliers, self.first_day, self.seed)

    def first_orders(self) -> list[PurchaseOrder]:
        """Seven days' mean of every SKU on order, placed four days before the first day."""
        placed = self.first_day - timedelta(days=DAYS_SINCE_FIRST_ORDER)
        return [
            place_order(f"po-first-{sku}", sku, self.items[sku].supplier, units, placed, self.seed)
            for sku, units in self._days_of_demand(DAYS_ON_ORDER).items()
        ]

    def warehouse(self) -> Warehouse:
        """Fourteen days' mean on hand and the first orders open."""
        return Warehouse(self._days_of_demand(DAYS_ON_HAND), self.first_orders())

    def order(self, sku: str, day: date, quantity: int) -> PurchaseOrder:
        """The order of the review at the beginning of `day`; SKU and day alone set its id and lead time."""
        decision = decision_id(sku, self.location, self.midnight_ms(day), "review")
        return self.order_of(decision, sku, day, quantity)

    def order_of(self, decision: str, sku: str, day: date, quantity: int) -> PurchaseOrder:
        """The one order that a decision leads to, however often it is seen."""
        supplier = self.items[sku].supplier
        return place_order(f"po-{decision}", sku, supplier, quantity, day, self.seed, decision)

    def _days_of_demand(self, days: int) -> dict[str, int]:
        return {sku: max(1, math.ceil(mean * days)) for sku, mean in self.mean_daily_units().items()}


def build_scenario(log: SalesLog, location: str, first_day: date, seed: int) -> Scenario:
    """The shop at the beginning of `first_day`, described by what was known the day before."""
    day_before = first_day - timedelta(days=1)
    event_time_ms = midnight_ms(day_before, log.time_zone)
    items = build_items(log.sales_before(first_day), location, event_time_ms, seed)
    year = log.daily_units(first_day - timedelta(days=364), day_before)
    policy = build_policy(year, items, location, event_time_ms)
    return Scenario(log, location, first_day, seed, items, build_calendar(location, event_time_ms), policy)
