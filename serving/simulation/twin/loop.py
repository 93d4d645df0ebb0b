"""The closed loop, day by day and vectorised over rows: receive, review, sell, see what was sold.

A planner sees sales, never demand: what customers wanted of an empty shelf is unknown to it, and a day that
ends with an empty shelf counts as not observed. Customers who wait for a backordered unit are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from batch.forecaster.windows import Flags
from serving.inventory.cover import Floats, Integers
from serving.simulation.twin.shelf import Shelf
from serving.simulation.twin.world import Order, World


@dataclass(frozen=True)
class Review:
    """What a planner knows at a review.

    Attributes:
        column: the day that begins now.
        sold: (rows, column) units of every day before.
        observed: (rows, column) false where a stock-out may have cut sales off.
        on_hand, backlog, on_order: units (rows,); the backlog is owed to customers.
        open_orders: with the days they are due, which the clairvoyant alone may look at.
        placed, received: orders since the review before, in order.
    """

    column: int
    sold: Floats
    observed: Flags
    on_hand: Integers
    backlog: Integers
    on_order: Integers
    open_orders: Sequence[Order]
    placed: Sequence[Order]
    received: Sequence[Order]


class Planner(Protocol):
    """Whoever decides what is ordered."""

    def order(self, review: Review) -> Integers:
        """Units to order of each row (rows,)."""
        ...


@dataclass(frozen=True)
class Trace:
    """What happened on each simulated day, (rows, simulated days) units.

    Attributes:
        demand: wanted. served: of it, on the day itself.
        on_hand, backlog: at the close.
        ordered: at the review at which the day begins.
        wasted: thrown away at its opening.
        received: on the shelf from its opening on.
    """

    demand: Integers
    served: Integers
    on_hand: Integers
    backlog: Integers
    ordered: Integers
    wasted: Integers
    received: Integers


def run(world: World, planner: Planner, shelf_life_days: int | None = None) -> Trace:
    """Runs a planner over the simulated days."""
    shelf = Shelf(world.on_hand, world.open_orders, world.items, shelf_life_days)
    sold, observed = world.demand.astype(float), world.observed.copy()
    rows, simulated = len(world.items), world.days - world.start
    trace = Trace(*(np.zeros((rows, simulated), dtype=np.int64) for _ in range(7)))
    placed, received = [*world.earlier, *world.open_orders], list(world.earlier)
    for day, column in enumerate(range(world.start, world.days)):
        if day > 0:
            trace.wasted[:, day] = shelf.age()
        arrivals = shelf.receive(column)
        if world.is_review(column):
            seen = Review(
                column, sold[:, :column], observed[:, :column], shelf.on_hand, shelf.backlog.copy(),
                shelf.on_order, shelf.open_orders, placed, [*received, *arrivals],
            )  # fmt: skip
            trace.ordered[:, day] = planner.order(seen)
            placed = shelf.place(orders_of(world, column, trace.ordered[:, day]))
            received = shelf.receive(column)
            arrivals = arrivals + received
        else:
            received = received + arrivals
        for order in arrivals:
            trace.received[order.row, day] += order.quantity
        demand = world.demand[:, column]
        trace.demand[:, day], trace.served[:, day] = demand, shelf.serve(demand)
        trace.on_hand[:, day], trace.backlog[:, day] = shelf.on_hand, shelf.backlog
        sold[:, column] = np.where(shelf.waits, demand, trace.served[:, day])
        observed[:, column] &= shelf.waits | (shelf.on_hand > 0)
    return trace


def orders_of(world: World, column: int, quantities: Integers) -> list[Order]:
    """An order for every row that orders."""
    return [world.order(row, column, int(quantities[row])) for row in np.flatnonzero(quantities)]
