"""The planners that the production policy is compared with; each has one parameter.

But for the clairvoyant they see their own sales, and know the true mean lead times.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from serving.inventory.cover import Floats, Integers, required_quantities
from serving.inventory.local_days import review_period_days
from serving.inventory.policies import base_stock, newsvendor
from serving.simulation.comparison_planners import WINDOW_DAYS
from serving.simulation.twin.loop import Review
from serving.simulation.twin.order_sizes import order_sizes
from serving.simulation.twin.world import World

NEWSVENDOR_DAYS = 112


@dataclass(frozen=True)
class OrderUpTo:
    """A planner that orders up to a level of its own making, on the inventory position."""

    world: World
    parameter: float

    def order(self, review: Review) -> Integers:
        """Units (rows,)."""
        level = np.ceil(self.level(review)).astype(np.int64)
        return order_sizes(base_stock(review.on_hand + review.on_order - review.backlog, level), self.world)

    def level(self, review: Review) -> Floats:
        """Up to how many units (rows,)."""
        raise NotImplementedError

    def protected_days(self, review: Review) -> Floats:
        """Mean lead time and review period (rows,)."""
        epoch_ms = self.world.midnight_ms(review.column)
        return self.world.mean_lead_days + review_period_days(epoch_ms, self.world.calendars[0])


class MovingAverage(OrderUpTo):
    """Mean of the last so many days x (L + R)."""

    def level(self, review: Review) -> Floats:
        mean: Floats = review.sold[:, -round(self.parameter) :].mean(axis=1)
        return mean * self.protected_days(review)


class SigmaRootL(OrderUpTo):
    """The textbook's: mean28 x (L + R) + z x s28 x sqrt(L + R)."""

    def level(self, review: Review) -> Floats:
        recent, days = review.sold[:, -WINDOW_DAYS:], self.protected_days(review)
        safety = self.parameter * recent.std(axis=1, ddof=1) * np.sqrt(days)
        level: Floats = recent.mean(axis=1) * days + safety
        return level


class DaysOfCover(OrderUpTo):
    """So many days of the mean of the last 28."""

    def level(self, review: Review) -> Floats:
        mean: Floats = review.sold[:, -WINDOW_DAYS:].mean(axis=1)
        return self.parameter * mean


class NaiveNewsvendor(OrderUpTo):
    """A quantile of past sales over L + R days, taken as if they were demand."""

    def level(self, review: Review) -> Floats:
        levels = np.empty(len(self.world.items))
        protected = np.round(self.protected_days(review)).astype(np.int64)
        recent = review.sold[:, -NEWSVENDOR_DAYS:]
        for days in np.unique(protected):
            rows = np.flatnonzero(protected == days)
            sums = sliding_window_view(recent[rows], min(int(days), recent.shape[1]), axis=1).sum(axis=2)
            levels[rows] = newsvendor(sums, np.full(len(rows), self.parameter))
        return levels


@dataclass(frozen=True)
class Clairvoyant:
    """Knows all demand and every lead time, and orders what lasts until the next review's order comes.

    With a share below 1 it plans for that share of demand only: less service, less stock.
    """

    world: World
    share: float

    def order(self, review: Review) -> Integers:
        """Units (rows,)."""
        world, column = self.world, review.column
        period = review_period_days(world.midnight_ms(column), world.calendars[0])
        lead = self._arrivals(column) - column
        covered = np.maximum(self._arrivals(column + period) - column - lead, 0)
        days, owned = int((lead + covered).max()) + 1, (review.on_hand - review.backlog).astype(float)
        future, coming = self._future(column, days), self._coming(review, days)
        waits = np.array([item.unmet_demand == "backordered" for item in world.items])
        required = required_quantities(future, owned, coming, lead[:, None], covered, waits)[:, 0]
        return order_sizes(np.ceil(required - 1e-9), world)

    def _arrivals(self, column: int) -> Integers:
        """When an order placed at a column's midnight comes (rows,)."""
        return np.array([self.world.order(row, column, 1).due for row in range(len(self.world.items))])

    def _future(self, column: int, days: int) -> Floats:
        """Demand (rows, 1, days) it plans for."""
        known = self.world.demand[:, column : column + days] * self.share
        return np.pad(known, ((0, 0), (0, days - known.shape[1])))[:, None, :]

    def _coming(self, review: Review, days: int) -> Floats:
        """Units of open orders (rows, 1, days) received before each day opens."""
        coming = np.zeros((len(self.world.items), 1, days))
        for order in review.open_orders:
            if order.due - review.column < days:
                coming[order.row, 0, order.due - review.column] += order.quantity
        return coming
