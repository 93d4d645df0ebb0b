"""A log of eleven weeks of a small shop: demand is drawn, the plans come from the real stages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from infra.contracts import identity
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandFeatures, DemandForecast
from infra.contracts.inventory import ReorderDecision
from infra.contracts.message import Money
from infra.contracts.planning import Override
from infra.contracts.shop import Item, PurchaseOrderEvent, StockMovement
from infra.contracts.topics import (
    CALENDARS, DECISIONS, FEATURES, FORECASTS, ITEMS, OVERRIDES, POLICIES, PURCHASE_ORDERS,
    STOCK_LEVELS, STOCK_MOVEMENTS,
)  # fmt: skip
from serving.allocator_stage import AllocatorStage
from serving.evaluator_stage import EvaluatorStage
from serving.inventory.allocation import solver_options
from serving.partition_log import Entry, Outgoing, Stage
from serving.planner_stage import PlannerStage
from tests.unit.serving.records import (
    BOUND_MS, DAY_MS, LOCATION, PARTITIONS, PLANNER_TOPICS, MemoryLog, Tally, calendar, feed,
    heartbeats, item, level, local_ms, order, partition_of, policy, publish,
)  # fmt: skip

FIRST_DAY = local_ms("2011-07-25")  # a Monday
DAYS = 77
FORECAST_FROM = 35
OVERRIDE_DAY = 49  # a Monday
BUDGET = "6000.00"
DISPERSION = 3.0
WEEK = np.array([1.0, 0.9, 0.95, 1.1, 1.3, 0.0, 0.75])

MARKUP = "<img src=x onerror=alert(1)> & <b>bold</b>"
"""A description that a browser must show and not obey."""

MARKUP_SKU = "22100"
COLOURS = ("blue", "cream", "red", "green")
GOODS = ("Enamel mug", "Tea towel", "Cake stand", "Storage jar", "Bunting, 3 m", "Lunch bag", "Candle holder")
CATEGORIES = ("kitchen:mugs", "kitchen:linen", "kitchen:baking", "kitchen:storage", "party", "bags", "home")


@dataclass
class Shelf:
    """One SKU: what it is, how it sells, and what is on it and on the way."""

    item: Item
    mean: float
    stock: int
    receipts: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def sku(self) -> str:
        return self.item.sku

    def expected(self, day: int) -> float:
        return float(self.mean * WEEK[day % 7])


def shelves() -> list[Shelf]:
    """28 SKUs, from two a week to forty a day; every fifth begins with far too much."""
    made = []
    for number in range(len(GOODS) * len(COLOURS)):
        good, colour = number % len(GOODS), number // len(GOODS)
        cost = 0.85 + 0.45 * good + 0.1 * colour
        mean = 0.3 * 1.2**number
        made.append(
            Shelf(_item(number, good, colour, cost), mean, round(mean * (120 if number % 5 == 0 else 26)))
        )
    return made


def _item(number: int, good: int, colour: int, cost: float) -> Item:
    return item(
        f"{22100 + number * 7}",
        event_time_ms=FIRST_DAY,
        description=f"{GOODS[good]}, {COLOURS[colour]}" if number else MARKUP,
        category=CATEGORIES[good],
        supplier=f"supplier-{1 + good % 3}",
        unit_cost=Money(amount=f"{cost:.2f}", currency="GBP"),
        price=Money(amount=f"{cost * 2.3:.2f}", currency="GBP"),
        case_pack=(1, 6, 12)[number % 3],
        min_order_quantity=(1, 12, 24)[number % 3],
        cycle_service_level=(0.9, 0.95, 0.98)[number % 3],
    )


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
        start = _midnight(day)
        for shelf in self._shelves:
            self._sell(shelf, day, start)
        if day + 1 >= FORECAST_FROM:
            for shelf in self._shelves:
                self.log.append(FORECASTS, partition_of(shelf.sku), forecast(shelf, day + 1))
        heartbeats(self.log, {*PLANNER_TOPICS, POLICIES, STOCK_MOVEMENTS}, _midnight(day + 1))
        self._plan(day + 1)

    def override(self, day: int) -> None:
        """A planner who expects half as much again of one SKU in the next three weeks."""
        said = Override(
            override_id="override-simulated",
            event_time_ms=_midnight(day) - 1,
            scope="sku:22268",
            target="forecast_factor",
            value=1.5,
            expires_ms=_midnight(day + 21),
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
        wanted = _drawn(shelf, day)
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
        self._order("placed", order_id, shelf, decision.quantity, _midnight(day) + DAY_MS // 3)
        if shelf.item.supplier != "supplier-3":
            days = 4 + int(identity.uniform("lead", decision.decision_id) * 8)
            shelf.receipts.setdefault(day + days, []).append((order_id, decision.quantity))

    def _order(self, kind: str, order_id: str, shelf: Shelf, quantity: int, time_ms: int) -> None:
        event: PurchaseOrderEvent = order(
            kind, order_id, time_ms, quantity, sku=shelf.sku, supplier=shelf.item.supplier
        )
        self.log.append(PURCHASE_ORDERS, partition_of(shelf.sku), event)


def receipt(sku: str, order_id: str, quantity: int, time_ms: int) -> StockMovement:
    return StockMovement(
        event_type="receipt",
        event_id=f"{order_id}-stocked",
        event_time_ms=time_ms,
        sku=sku,
        location=LOCATION,
        quantity=quantity,
        order_id=order_id,
    )


def _midnight(day: int) -> int:
    return FIRST_DAY + day * DAY_MS  # no clock changes in these weeks


def _drawn(shelf: Shelf, day: int) -> int:
    mean = shelf.expected(day)
    if mean == 0:
        return 0
    return int(nbinom.ppf(identity.uniform(shelf.sku, day), DISPERSION, DISPERSION / (DISPERSION + mean)))


def features(shelf: Shelf, day: int, sold: int, wanted: int) -> DemandFeatures:
    """The day's final row; what was wanted and not sold shows as views of an empty shelf."""
    views = 9 * wanted + 4
    share = 1.0 if sold == wanted else round(0.1 + 0.85 * sold / max(wanted, 1), 3)
    return DemandFeatures(
        sku=shelf.sku,
        location=LOCATION,
        window_start_ms=_midnight(day),
        window_end_ms=_midnight(day + 1),
        is_final=True,
        values={
            "units": float(sold),
            "views": float(views),
            "add_to_carts": float(wanted + 1),
            "in_stock_share": share,
            "views_out_of_stock": float(9 * (wanted - sold)),
            "promotion_on": 0.0,
        },
    )


def forecast(shelf: Shelf, day: int) -> DemandForecast:
    """What the shop's demand really is, seen through a model that errs by up to a fifth."""
    error = 0.9 + 0.25 * identity.uniform("error", shelf.sku, day)
    means = np.array([shelf.expected(day + step) for step in range(HORIZON_DAYS)]) * error
    fallback = shelf.sku.endswith("7")
    return DemandForecast(
        sku=shelf.sku,
        location=LOCATION,
        origin_ms=_midnight(day),
        forecaster="empirical_56_open_days" if fallback else "lstm",
        fallback_reason="the model's history is too short" if fallback else None,
        model_id="lstm-simulated",
        panel_hash="0" * 64,
        context_digest="0" * 64,
        quantile_levels=list(QUANTILE_LEVELS),
        quantiles=_quantiles(means, DISPERSION),
        cumulative=_quantiles(np.cumsum(means), DISPERSION * np.arange(1, HORIZON_DAYS + 1)),
        copula=Copula(level=0.2, decay=0.3),
        seed=identity.seed(shelf.sku, LOCATION, day, "lstm-simulated"),
        paths=300,
    )


def _quantiles(means: NDArray[np.float64], sizes: "NDArray[np.float64] | float") -> list[list[float]]:
    size = np.broadcast_to(sizes, means.shape)[:, None]
    chance = size / (size + np.maximum(means, 1e-9)[:, None])
    table: NDArray[np.float64] = nbinom.ppf(np.array(QUANTILE_LEVELS)[None, :], size, chance)
    return [[float(value) for value in row] for row in np.where(means[:, None] > 0, table, 0.0)]


def simulated_shop() -> Shop:
    """A shop that has lived through its eleven weeks."""
    shop = Shop()
    shop.open()
    for day in range(DAYS):
        if day == OVERRIDE_DAY - 1:
            shop.override(OVERRIDE_DAY)
        shop.live(day)
    return shop
