"""Stock of every row, its open orders and the customers who wait. Pure: no clock, no chance.

On hand at first + received = on hand + handed out + thrown away, after every call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from infra.contracts.shop import Item
from serving.inventory.cover import Integers
from serving.simulation.twin.world import Order


class Shelf:
    """The shelves of all rows.

    Args:
        on_hand: units (rows,), all of them fresh.
        open_orders: orders under way.
        items: of each row: whether its orders may overtake each other, and its customers wait.
        shelf_life_days: on how many days a unit can be sold before it is thrown away; None: they keep.
    """

    def __init__(
        self,
        on_hand: Integers,
        open_orders: Iterable[Order],
        items: Sequence[Item],
        shelf_life_days: int | None = None,
    ) -> None:
        self._batches = np.zeros((len(on_hand), shelf_life_days or 1), dtype=np.int64)
        self._batches[:, 0] = on_hand
        self._keeps = shelf_life_days is None
        self.waits = np.array([item.unmet_demand == "backordered" for item in items])
        self._fifo = [item.delivery == "fifo" for item in items]
        self._last_due = [0] * len(on_hand)
        self.backlog = np.zeros(len(on_hand), dtype=np.int64)
        self.open_orders: list[Order] = []
        self.place(open_orders)

    @property
    def on_hand(self) -> Integers:
        """Units (rows,)."""
        total: Integers = self._batches.sum(axis=1)
        return total

    @property
    def on_order(self) -> Integers:
        """Units (rows,) of all open orders."""
        units = np.zeros(len(self._batches), dtype=np.int64)
        for order in self.open_orders:
            units[order.row] += order.quantity
        return units

    def place(self, orders: Iterable[Order]) -> list[Order]:
        """Opens orders, with the days they will be due: where none may overtake, one waits for another."""
        placed = []
        for order in orders:
            due = max(order.due, self._last_due[order.row]) if self._fifo[order.row] else order.due
            self._last_due[order.row] = due
            placed.append(replace(order, due=due))
        self.open_orders += placed
        return placed

    def age(self) -> Integers:
        """A night passes; units (rows,) thrown away."""
        if self._keeps:
            return np.zeros(len(self._batches), dtype=np.int64)
        expired = self._batches[:, -1].copy()
        self._batches = np.roll(self._batches, 1, axis=1)
        self._batches[:, 0] = 0
        return expired

    def receive(self, column: int) -> list[Order]:
        """Takes in what is due by the opening of a day; those who wait are served first."""
        due = [order for order in self.open_orders if order.due <= column]
        self.open_orders = [order for order in self.open_orders if order.due > column]
        for order in due:
            self._batches[order.row, 0] += order.quantity
        self.backlog -= self._hand_out(self.backlog)
        return due

    def serve(self, demand: Integers) -> Integers:
        """Units (rows,) served on the day they are wanted; the rest is lost, or waits."""
        served = self._hand_out(demand)
        self.backlog += np.where(self.waits, demand - served, 0)
        return served

    def _hand_out(self, wanted: Integers) -> Integers:
        oldest_first = self._batches[:, ::-1]
        before = np.cumsum(oldest_first, axis=1) - oldest_first
        taken = np.clip(wanted[:, None] - before, 0, oldest_first)
        self._batches = self._batches - taken[:, ::-1]
        units: Integers = taken.sum(axis=1)
        return units
