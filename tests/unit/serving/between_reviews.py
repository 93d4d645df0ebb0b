"""A shop after its Monday review, and what happens in the week that follows."""

from typing import Any

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import ReorderDecision
from infra.contracts.shop import StockMovement
from infra.contracts.topics import (
    DECISION_ACTIONS,
    DECISIONS,
    FORECASTS,
    OVERRIDES,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)
from tests.unit.serving.planners import override
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    LOCATION,
    PLANNER_TOPICS,
    MemoryLog,
    close_epoch,
    forecast,
    heartbeats,
    level,
    opened_shop,
    order,
    partition_of,
    policy,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import restarted as planner

HOUR_MS = 3_600_000
SKUS = ["A", "B", "C"]
CLOCKED = (*PLANNER_TOPICS, POLICIES, DECISION_ACTIONS, STOCK_MOVEMENTS)
TUESDAY, WEDNESDAY = EPOCH + DAY_MS + 9 * HOUR_MS, EPOCH + 2 * DAY_MS + 15 * HOUR_MS
NEXT_EPOCH = EPOCH + 7 * DAY_MS


def settle(log: MemoryLog) -> None:
    """Fresh stages again and again, until they have nothing to say."""
    before = -1
    while before != len(log.entries):
        before = len(log.entries)
        run(planner(log), log, now=0.0)
        run(allocator(log), log, now=0.0)


def reviewed(budget: str | None = None) -> MemoryLog:
    """A shop after its Monday review, with the forecasts of every day until the next."""
    log = opened_shop(SKUS, on_hand=100)
    if budget is not None:
        log.append(POLICIES, 0, policy(budget))
    for sku in SKUS:
        for days in range(8):
            log.append(FORECASTS, partition_of(sku), daily_forecast(sku, EPOCH + days * DAY_MS))
    list(close_epoch(log, [], without=SKUS))
    settle(log)
    return log


def daily_forecast(sku: str, origin_ms: int) -> DemandForecast:
    """Ten a day; the spread of their sum grows with the root of the days."""
    first_day = forecast(sku).quantiles[0]
    sums = [[round(10 * n + (units - 10) * n**0.5, 4) for units in first_day] for n in range(1, 29)]
    return forecast(sku, origin_ms, cumulative=sums)


def advance(log: MemoryLog, until_ms: int) -> MemoryLog:
    heartbeats(log, CLOCKED, until_ms)
    settle(log)
    return log


def count(sku: str, at_ms: int, on_hand: int) -> list[tuple[str, Any]]:
    """A stock count and the level that it has found."""
    movement = StockMovement(
        event_type="stock_count",
        event_id=f"count-{sku}",
        event_time_ms=at_ms,
        sku=sku,
        location=LOCATION,
        quantity=1,
    )
    return [(STOCK_LEVELS, level(sku, on_hand, at_ms)), (STOCK_MOVEMENTS, movement)]


def happen(log: MemoryLog, *records: tuple[str, Any]) -> MemoryLog:
    for topic, record in records:
        log.append(topic, partition_of(getattr(record, "sku", "A")), record)
    return advance(log, max(record.event_time_ms for _, record in records))


def decisions(log: MemoryLog, sku: str = "A") -> list[ReorderDecision]:
    found = [each for each in log.messages(DECISIONS) if each.sku == sku]
    assert len({each.decision_id for each in found}) == len(found)
    return found


def set_quantity(value: float, at_ms: int = TUESDAY, **changes: Any) -> tuple[str, Any]:
    made = override("order_quantity", value, event_time_ms=at_ms, **changes)
    return OVERRIDES, made.model_copy(update={"expires_ms": at_ms + 21 * DAY_MS})


def placed(decision: ReorderDecision, at_ms: int = EPOCH + 600_000) -> tuple[str, Any]:
    event = order("placed", f"po-{decision.sku}", at_ms, decision.quantity, decision_id=decision.decision_id)
    return PURCHASE_ORDERS, event.model_copy(update={"sku": decision.sku})
