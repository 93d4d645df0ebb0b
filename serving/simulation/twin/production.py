"""The planner in production, in the twin: its state, its requests and its decisions are the Planner's own.

Simulated stock, orders and receipts become the messages of their topics and go through `PlannerState`; the
forecasts are the Forecaster's (`DailyForecasts`); `decide` says what is ordered. There is no shared budget.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from infra.contracts.inventory import Policy
from infra.contracts.message import Message
from infra.contracts.replenishment import Replenishment, SegmentReplenishment
from infra.contracts.shop import Item, PurchaseOrderEvent, StockLevel
from infra.contracts.topics import CALENDARS, FORECASTS, ITEMS, POLICIES, PURCHASE_ORDERS, STOCK_LEVELS
from serving.forecast_source import ForecastSource
from serving.inventory.cover import Integers
from serving.inventory.policy import Request, decide
from serving.partition_log import Entry
from serving.planner_state import PlannerState
from serving.simulation.day_events import PLACED_AFTER_MS
from serving.simulation.twin.daily_forecasts import DailyForecasts
from serving.simulation.twin.loop import Review
from serving.simulation.twin.order_sizes import order_sizes
from serving.simulation.twin.world import Order, World


class ProductionPlanner:
    """Decides as the Planner would on the same day.

    Args:
        world: its items, calendars and days; never its demand.
        source: the Forecaster's.
        items: the world's, with the policy to try, or with segments.
        said: for all items, and for those of segments, by every planning group's policy.
    """

    def __init__(
        self,
        world: World,
        source: ForecastSource,
        items: Sequence[Item],
        said: tuple[Replenishment | None, Sequence[SegmentReplenishment]] = (None, ()),
    ) -> None:
        self._world, self._items = world, items
        self._forecasts = DailyForecasts(world, source)
        self._state = PlannerState(frozenset({0}), 1, 0)
        self._offset = 0
        for calendar in world.calendars:
            self._take(CALENDARS, calendar)
        for item in items:
            self._take(ITEMS, item)
        for group in sorted({item.planning_group for item in items}):
            self._take(POLICIES, _policy(group, *said))

    def order(self, review: Review) -> Integers:
        """What `decide` answers."""
        decided = np.array([wanted.quantity for wanted in decide(self.requests(review))])
        return order_sizes(decided, self._world)

    def requests(self, review: Review) -> list[Request]:
        """The Planner's requests of the epoch, from messages that say what has happened."""
        epoch_ms = self._world.midnight_ms(review.column)
        for order in review.placed:
            at = self._world.midnight_ms(order.placed) + PLACED_AFTER_MS
            self._take(PURCHASE_ORDERS, self._order_event(order, "placed", at))
        for order in review.received:
            at = self._world.midnight_ms(order.due)
            self._take(PURCHASE_ORDERS, self._order_event(order, "received", at))
        for row in range(len(self._items)):
            self._take(STOCK_LEVELS, self._snapshot(row, review))
        for forecast in self._forecasts.at(review):
            self._take(FORECASTS, forecast)
        requests = self._state.requests(list(self._items), epoch_ms, stale=False)
        self._state.forget_before(epoch_ms)
        return requests

    def _take(self, topic: str, message: Message) -> None:
        self._state.apply(Entry(topic, 0, self._offset, message))
        self._offset += 1

    def _snapshot(self, row: int, review: Review) -> StockLevel:
        item = self._items[row]
        return StockLevel(
            event_id=f"snapshot-{item.sku}-{self._world.day(review.column)}",
            event_time_ms=self._world.midnight_ms(review.column),
            sku=item.sku,
            location=item.location,
            event_type="snapshot",
            on_hand=int(review.on_hand[row]),
            backordered=int(review.backlog[row]),
        )

    def _order_event(
        self, order: Order, state: Literal["placed", "received"], at_ms: int
    ) -> PurchaseOrderEvent:
        item = self._items[order.row]
        return PurchaseOrderEvent(
            event_id=f"{state}-{order.order_id}"[:64],
            event_time_ms=at_ms,
            sku=item.sku,
            location=item.location,
            event_type=state,
            order_id=order.order_id,
            supplier=item.supplier,
            quantity=order.quantity,
        )


def _policy(
    planning_group: str, replenishment: Replenishment | None, segments: Sequence[SegmentReplenishment]
) -> Policy:
    return Policy(
        policy_id=planning_group,
        event_time_ms=0,
        planning_group=planning_group,
        replenishment=replenishment,
        segments=list(segments),
        author="twin",
        reason="simulated",
    )
