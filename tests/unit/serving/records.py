"""Messages of a small shop, and a log that feeds stages without Kafka."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from infra.contracts import identity
from infra.contracts.codec import decode, encode
from infra.contracts.demand import (
    HORIZON_DAYS,
    QUANTILE_LEVELS,
    Copula,
    DemandAccuracy,
    DemandFeatures,
    DemandForecast,
    Score,
)
from infra.contracts.inventory import Policy
from infra.contracts.message import Heartbeat, Money
from infra.contracts.shop import Item, LocationCalendar, PurchaseOrderEvent, StockLevel
from infra.contracts.topics import (
    CALENDARS,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from infra.metrics import METRICS
from serving.partition_log import Entry, Stage

ZONE = "Europe/London"
LOCATION = "gb-main"
DAY_MS = 86_400_000
BOUND_MS = 60_000
PARTITIONS = 2
GROUP = "gb-main"


def local_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


OPENING = local_ms("2011-09-19")
EPOCH = local_ms("2011-09-26")


class Tally:
    """Meters that keep their sums; refuses what is not declared."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        assert set(labels) == set(METRICS[name].labels)
        self.sums[name] += 1 if name.endswith("_seconds") else int(value)


class MemoryLog:
    """Partitions of records; every value goes through its codec, as it does through the broker."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._ends: dict[tuple[str, int], int] = defaultdict(int)

    def append(self, topic: str, partition: int, message: Any) -> Entry:
        decoded = decode(topic, encode(topic, message))
        entry = Entry(topic, partition, self._ends[(topic, partition)], decoded)
        self._ends[(topic, partition)] += 1
        self.entries.append(entry)
        return entry

    def messages(self, topic: str) -> list[Any]:
        return [entry.message for entry in self.entries if entry.topic == topic]


def partition_of(sku: str) -> int:
    return sum(sku.encode()) % PARTITIONS


def feed(stage: Stage, entries: Iterable[Entry]) -> None:
    for entry in entries:
        stage.apply(entry)


def publish(log: MemoryLog, batch: Iterable[Any]) -> list[Entry]:
    """Appends outgoing messages where the broker would put them."""
    written = []
    for outgoing in batch:
        sku = outgoing.key.decode().partition("|")[0] if b"|" in outgoing.key else ""
        written.append(log.append(outgoing.topic, partition_of(sku), outgoing.message))
    return written


def run(stage: Stage, log: MemoryLog, now: float, batches: int | None = None) -> None:
    """Publishes what is due; a bound on the batches is a crash after the last of them."""
    for number, batch in enumerate(stage.due(now), start=1):
        written = publish(log, batch)
        if number == batches:
            return
        feed(stage, written)


def item(sku: str, **changes: Any) -> Item:
    return Item(
        **{
            "event_id": f"item-{sku}",
            "event_time_ms": OPENING,
            "sku": sku,
            "location": LOCATION,
            "supplier": "supplier-1",
            "planning_group": GROUP,
            "unit_cost": Money(amount="1.30", currency="GBP"),
            "price": Money(amount="2.95", currency="GBP"),
            "lead_time_days": 6,
            "cycle_service_level": 0.95,
            **changes,
        }
    )


def calendar(**changes: Any) -> LocationCalendar:
    return LocationCalendar(
        **{
            "event_id": "calendar-1",
            "event_time_ms": OPENING,
            "location": LOCATION,
            "time_zone": ZONE,
            "closed_weekdays": [5],
            "review_weekdays": [0],
            **changes,
        }
    )


def level(sku: str, on_hand: int, event_time_ms: int = OPENING, **changes: Any) -> StockLevel:
    return StockLevel(
        event_type="level",
        event_id=f"level-{sku}-{event_time_ms}",
        event_time_ms=event_time_ms,
        sku=sku,
        location=LOCATION,
        on_hand=on_hand,
        **changes,
    )


def order(kind: Any, order_id: str, event_time_ms: int, quantity: int, **changes: Any) -> PurchaseOrderEvent:
    return PurchaseOrderEvent(
        **{
            "event_type": kind,
            "event_id": f"{order_id}-{kind}-{event_time_ms}",
            "event_time_ms": event_time_ms,
            "sku": "A",
            "location": LOCATION,
            "order_id": order_id,
            "supplier": "supplier-1",
            "quantity": quantity,
            **changes,
        }
    )


def quantile_table(daily_mean: float, closed_weekday: int | None = None) -> list[list[float]]:
    """Exponential-like daily demand of a mean; the first days of the horizon follow a Monday."""
    row = [round(-np.log1p(-level) * daily_mean, 4) for level in QUANTILE_LEVELS]
    return [[0.0] * len(row) if day % 7 == closed_weekday else row for day in range(HORIZON_DAYS)]


def forecast(sku: str, origin_ms: int = EPOCH, daily_mean: float = 10.0, **changes: Any) -> DemandForecast:
    model_id = str(changes.get("model_id", "lstm-1"))
    table = quantile_table(daily_mean, 5)
    return DemandForecast(
        **{
            "sku": sku,
            "location": LOCATION,
            "origin_ms": origin_ms,
            "forecaster": "lstm",
            "model_id": model_id,
            "panel_hash": "0" * 64,
            "context_digest": "0" * 64,
            "quantile_levels": list(QUANTILE_LEVELS),
            "quantiles": table,
            "cumulative": table,
            "copula": Copula(level=0.2, decay=0.3),
            "seed": identity.seed(sku, LOCATION, origin_ms, model_id),
            "paths": 200,
            **changes,
        }
    )


def accuracy(
    sku: str, origin_ms: int, pit: float, horizon_days: int = 1, pinball: float = 1.0, **changes: Any
) -> DemandAccuracy:
    """A score of the single day; days are 24 hours long."""
    score = Score(
        actual=10.0,
        censored=False,
        pit=pit,
        covered_80=True,
        covered_95=True,
        pinball=pinball,
        bias=0.0,
        scored=1,
        cfe=0.0,
        mean_absolute_error=1.0,
        tracking_signal=0.0,
    )
    return DemandAccuracy(
        **{
            "sku": sku,
            "location": LOCATION,
            "origin_ms": origin_ms,
            "matured_ms": origin_ms + horizon_days * DAY_MS,
            "horizon_days": horizon_days,
            "forecaster": "lstm",
            "model_id": "lstm-1",
            "served": True,
            "day": score,
            "total": None,
            **changes,
        }
    )


def final_row(sku: str, day: str, units: float, share: float | None = 1.0) -> DemandFeatures:
    start = local_ms(day)
    return DemandFeatures(
        sku=sku,
        location=LOCATION,
        window_start_ms=start,
        window_end_ms=start + DAY_MS,
        is_final=True,
        values={"units": units, "in_stock_share": share},
    )


def policy(budget: str | None) -> Policy:
    return Policy(
        policy_id="policy-1",
        event_time_ms=OPENING,
        planning_group=GROUP,
        budget=None if budget is None else Money(amount=budget, currency="GBP"),
        author="planner",
        reason="season",
    )


def heartbeats(log: MemoryLog, topics: Iterable[str], instant_ms: int) -> list[Entry]:
    beat = Heartbeat(event_time_ms=instant_ms + BOUND_MS + 1)
    return [log.append(topic, partition, beat) for topic in topics for partition in range(PARTITIONS)]


PLANNER_TOPICS = (STOCK_LEVELS, PURCHASE_ORDERS, ITEMS, CALENDARS, OVERRIDES)


def opened_shop(skus: Iterable[str], on_hand: int = 40) -> MemoryLog:
    """A log with calendar, catalogue, first stock and past receipts, and a budget too large to bind."""
    log = MemoryLog()
    log.append(CALENDARS, 0, calendar())
    log.append(POLICIES, 0, policy("1000000.00"))
    for sku in skus:
        log.append(ITEMS, partition_of(sku), item(sku))
        log.append(STOCK_LEVELS, partition_of(sku), level(sku, on_hand))
    for number, days in enumerate([5, 6, 6, 7, 14] * 2):
        placed = OPENING - 60 * DAY_MS
        for kind, time_ms in (("placed", placed), ("received", placed + days * DAY_MS)):
            log.append(PURCHASE_ORDERS, partition_of("A"), order(kind, f"past-{number}", time_ms, 5))
    return log


def close_epoch(log: MemoryLog, skus: Iterable[str], without: Iterable[str] = ()) -> Iterator[Entry]:
    """Forecasts and heartbeats of the epoch, except those left out."""
    missing = set(without)
    for sku in skus:
        if sku not in missing:
            yield log.append(FORECASTS, partition_of(sku), forecast(sku))
    yield from heartbeats(
        log, [topic for topic in (*PLANNER_TOPICS, POLICIES) if topic not in missing], EPOCH
    )
