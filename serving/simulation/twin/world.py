"""What a simulation starts from: true demand, items, the stock of the first day, and how long orders take.

Rows are SKU-places, columns local days; column 0 is `first_day`. Everything before `start` is history.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from batch.forecaster.windows import Flags
from infra.contracts import identity
from infra.contracts.demand import HORIZON_DAYS
from infra.contracts.shop import Item, LocationCalendar
from serving.inventory.cover import Floats, Integers
from serving.inventory.local_days import is_review, midnight_ms

LeadTime = Callable[[Item, str], int]
"""Calendar days that the order of this id takes: a function of the id, never of a shared stream."""


@dataclass(frozen=True)
class Order:
    """An order of one row, placed at the midnight of column `placed`, on the shelf when `due` opens."""

    order_id: str
    row: int
    quantity: int
    placed: int
    due: int


@dataclass(frozen=True)
class World:
    """One shop, the same for every policy.

    Attributes:
        items: of each row.
        calendars: of each location; they share one time zone and the review days.
        first_day: the local day of column 0.
        start: the first simulated column; its midnight has no review.
        demand: (rows, days) units that customers want; in history, what was sold.
        observed: (rows, days) false where a stock-out may have cut history off.
        launched: (rows, days) from the first day that the SKU is known.
        location_open: (rows, days) open days, known ahead.
        on_hand: (rows,) units when `start` opens, orders due then not included.
        open_orders: orders under way then.
        earlier: orders received before; they teach what lead times to expect.
        panel_hash: content hash of the history.
        mean_lead_days: (rows,) of the true lead times, for planners that know them.
        lead_time: of an order.
    """

    items: tuple[Item, ...]
    calendars: tuple[LocationCalendar, ...]
    first_day: date
    start: int
    demand: Integers
    observed: Flags
    launched: Flags
    location_open: Flags
    on_hand: Integers
    open_orders: tuple[Order, ...]
    earlier: tuple[Order, ...]
    panel_hash: str
    mean_lead_days: Floats
    lead_time: LeadTime

    @property
    def days(self) -> int:
        return int(self.demand.shape[1])

    @property
    def unit_costs(self) -> Floats:
        return np.array([float(item.unit_cost.amount) for item in self.items])

    @property
    def unit_margins(self) -> Floats:
        """Price less cost, 0 where a unit sells at a loss."""
        prices = np.array([float(item.price.amount) for item in self.items])
        return np.maximum(prices - self.unit_costs, 0.0)

    def day(self, column: int) -> date:
        return self.first_day + timedelta(days=column)

    def midnight_ms(self, column: int) -> int:
        """The instant at which the column's day begins."""
        return midnight_ms(self.day(column), self.calendars[0].time_zone)

    def is_review(self, column: int) -> bool:
        """Whether orders are placed at the midnight at which the column's day begins."""
        return column > self.start and is_review(self.midnight_ms(column), self.calendars[0])

    def review_columns(self) -> list[int]:
        """Every review of the simulated days."""
        return [column for column in range(self.start, self.days) if self.is_review(column)]

    def open_ahead(self, column: int) -> Flags:
        """(rows, horizon) open days from a column on; beyond the last one, weekdays that ever sold."""
        known = self.location_open[:, column : column + HORIZON_DAYS]
        beyond = np.arange(self.days, column + HORIZON_DAYS)
        weekdays = [self.location_open[:, day % 7 :: 7].any(axis=1) for day in beyond]
        return np.concatenate([known, *(each[:, None] for each in weekdays)], axis=1)

    def order(self, row: int, column: int, quantity: int) -> Order:
        """The order of a review; row and day alone set its id, and so its lead time."""
        item = self.items[row]
        decision = identity.decision_id(item.sku, item.location, self.midnight_ms(column), "review")
        order_id = f"po-{decision}"
        return Order(order_id, row, quantity, column, column + self.lead_time(item, order_id))
