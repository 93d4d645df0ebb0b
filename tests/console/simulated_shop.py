"""A log of eleven weeks of a small shop: demand is drawn, the plans come from the real stages."""

from collections.abc import Sequence

from infra.contracts import identity
from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import Override
from infra.contracts.shop import PurchaseOrderEvent
from infra.contracts.topics import (
    CALENDARS,
    DECISIONS,
    FEATURES,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)  # fmt: skip
from serving.allocator_stage import AllocatorStage
from serving.evaluator_stage import EvaluatorStage
from serving.inventory.allocation import solver_options
from serving.partition_log import Entry, Outgoing, Stage
from serving.planner_stage import PlannerStage
from tests.console.simulated_shelves import (
    FIRST_DAY,
    Shelf,
    drawn,
    features,
    forecast,
    midnight,
    receipt,
    shelves,
)
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    PARTITIONS,
    PLANNER_TOPICS,
    MemoryLog,
    Tally,
    calendar,
    feed,
    heartbeats,
    level,
    order,
    partition_of,
    policy,
    publish,
)  # fmt: skip

DAYS = 77
FORECAST_FROM = 35
OVERRIDE_DAY = 49  # a Monday
BUDGET = "6000.00"


class Shop:
    """Lives through the days and writes what happens, as the shop, the features job and the stages would."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self._shelves = shelves()
        self._stages: list[Stage] = [
            EvaluatorStage(Tally()),
            PlannerStage(frozenset(range(PARTITIONS)), PARTITIONS, BOUND_MS, 0.5, Tally()),
            AllocatorStage(PARTITIONS, BOUND_MS, 0.5, solver_options(5.0), Tally()),
        ]
        self._read = 0

    def open(self) -> None:
        """Catalogue, calendar, budget, and the suppliers' past."""
        self.log.append(CALENDARS, 0, calendar(event_time_ms=FIRST_DAY))
        self.log.append(POLICIES, 0, policy(BUDGET).model_copy(update={"event_time_ms": FIRST_DAY}))
        for shelf in self._shelves:
            self.log.append(ITEMS, partition_of(shelf.sku), shelf.item)
        for supplier in (1, 2, 3):
            for number, days in enumerate((4, 5, 5, 6, 6, 7, 9, 12)):
                placed = FIRST_DAY - 60 * DAY_MS
                for kind, time_ms in (("placed", placed), ("received", placed + days * DAY_MS)):
                    past = order(
                        kind, f"past-{supplier}-{number}", time_ms, 5, supplier=f"supplier-{supplier}"
                    )
                    self.log.append(PURCHASE_ORDERS, partition_of("A"), past)

    def live(self, day: int) -> None:
        """One day from midnight to midnight, then its forecasts and, on review days, its decisions."""
        start = midnight(day)
        for shelf in self._shelves:
            self._sell(shelf, day, start)
        if day + 1 >= FORECAST_FROM:
            for shelf in self._shelves:
                self.log.append(FORECASTS, partition_of(shelf.sku), forecast(shelf, day + 1))
        heartbeats(self.log, {*PLANNER_TOPICS, POLICIES, STOCK_MOVEMENTS}, midnight(day + 1))
        self._plan(day + 1)

    def override(self, day: int) -> None:
        """A planner who expects half as much again of one SKU in the next three weeks."""
        said = Override(
            override_id="override-simulated",
            event_time_ms=midnight(day) - 1,
            scope="sku:22268",
            target="forecast_factor",
            value=1.5,
            expires_ms=midnight(day + 21),
            author="a-planner",
            reason="season",
        )
        self.log.append(OVERRIDES, 0, said)

    def _sell(self, shelf: Shelf, day: int, start: int) -> None:
        partition = partition_of(shelf.sku)
        snapshot = level(shelf.sku, shelf.stock, start).model_copy(update={"event_type": "snapshot"})
        self.log.append(STOCK_LEVELS, partition, snapshot)
        for order_id, quantity in shelf.receipts.pop(day, []):
            shelf.stock += quantity
            self._order("received", order_id, shelf, quantity, start + 1)
            self.log.append(STOCK_MOVEMENTS, partition, receipt(shelf.sku, order_id, quantity, start + 1))
            self.log.append(STOCK_LEVELS, partition, level(shelf.sku, shelf.stock, start + 1))
        wanted = drawn(shelf, day)
        sold = min(wanted, shelf.stock)
        shelf.stock -= sold
        after = level(shelf.sku, shelf.stock, start + DAY_MS // 2)
        self.log.append(STOCK_LEVELS, partition, after)
        self.log.append(FEATURES, partition, features(shelf, day, sold, wanted))

    def hear(self, said: Sequence[Outgoing]) -> list[Entry]:
        """What planners say, and what the stages make of it."""
        before = len(self.log.entries)
        publish(self.log, said)
        self._plan(DAYS)
        return self.log.entries[before:]

    def _plan(self, day: int) -> None:
        """Lets the stages read on; on review days they decide, and the orders are placed."""
        for stage in self._stages:
            self._read_on()
            for batch in stage.due(float(day)):
                written = publish(self.log, batch)
                self._read_on()
                self._place(written, day)

    def _read_on(self) -> None:
        new = self.log.entries[self._read :]
        self._read = len(self.log.entries)
        for stage in self._stages:
            feed(stage, new)

    def _place(self, written: list[Entry], day: int) -> None:
        """The last day's orders are still to be placed, so planners may stop them."""
        by_sku = {shelf.sku: shelf for shelf in self._shelves}
        for entry in written:
            if entry.topic == DECISIONS and entry.message.quantity and day < DAYS:
                self._receive_later(by_sku[entry.message.sku], entry.message, day)

    def _receive_later(self, shelf: Shelf, decision: ReorderDecision, day: int) -> None:
        """One supplier has stopped delivering; nobody has told the shop."""
        order_id = f"po-{decision.decision_id[:8]}"
        self._order("placed", order_id, shelf, decision.quantity, midnight(day) + DAY_MS // 3)
        if shelf.item.supplier != "supplier-3":
            days = 4 + int(identity.uniform("lead", decision.decision_id) * 8)
            shelf.receipts.setdefault(day + days, []).append((order_id, decision.quantity))

    def _order(self, kind: str, order_id: str, shelf: Shelf, quantity: int, time_ms: int) -> None:
        event: PurchaseOrderEvent = order(
            kind, order_id, time_ms, quantity, sku=shelf.sku, supplier=shelf.item.supplier
        )
        self.log.append(PURCHASE_ORDERS, partition_of(shelf.sku), event)


def simulated_shop() -> Shop:
    """A shop that has lived through its eleven weeks."""
    shop = Shop()
    shop.open()
    for day in range(DAYS):
        if day == OVERRIDE_DAY - 1:
            shop.override(OVERRIDE_DAY)
        shop.live(day)
    return shop
