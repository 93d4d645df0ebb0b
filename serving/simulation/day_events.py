"""What the shop publishes: the opening of a replay, a day of trade, the close of a day, new orders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel

from infra.contracts.codec import message_key
from infra.contracts.shop import ClickEvent, PurchaseOrderEvent, ShopEvent, StockLevel, StockMovement
from infra.contracts.topics import (
    CALENDARS,
    CLICKSTREAM,
    ITEMS,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
)
from serving.simulation.browsing import idle_browsing, trail
from serving.simulation.catalogue import money
from serving.simulation.sales_log import SaleLine
from serving.simulation.scenario import Scenario
from serving.simulation.warehouse import PurchaseOrder, Sale, Warehouse

PLACED_AFTER_MS = 10 * 60 * 1000
"""Orders are placed ten minutes after the midnight of their review."""


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to a topic."""

    topic: str
    key: bytes
    event_time_ms: int
    message: BaseModel


def opening_events(scenario: Scenario, warehouse: Warehouse) -> list[Outgoing]:
    """Catalogue, calendar, policy, earlier orders with their receipts, open orders and the first stock."""
    calendar, policy = scenario.calendar, scenario.policy
    known = [
        Outgoing(CALENDARS, calendar.location.encode(), calendar.event_time_ms, calendar),
        Outgoing(POLICIES, policy.policy_id.encode(), policy.event_time_ms, policy),
        *(_outgoing(ITEMS, item) for item in scenario.items.values()),
    ]
    earlier = scenario.earlier_orders()
    orders = [_placed(scenario, order) for order in [*earlier, *scenario.first_orders()]]
    receipts = [_received(scenario, order, scenario.midnight_ms(order.due)) for order in earlier]
    past = sorted([*orders, *receipts], key=lambda event: event.event_time_ms)
    return [*known, *past, *snapshots(scenario, warehouse, scenario.first_day)]


def trading_events(
    scenario: Scenario, day: date, lines: Sequence[SaleLine], sales: Sequence[Sale]
) -> list[Outgoing]:
    """A day's clicks and stock levels in event-time order; unmet demand leaves nothing behind."""
    served = [sale for sale in sales if sale.served > 0]
    begin = scenario.midnight_ms(day)
    clicks: list[ClickEvent] = [_purchase(scenario, sale) for sale in served]
    clicks += [_return(scenario, line) for line in lines if line.is_return]
    for sale in served:
        steps = trail(sale, scenario.location, scenario.seed)
        clicks += (step for step in steps if step.event_time_ms >= begin)
    clicks += idle_browsing(sorted(scenario.items), scenario.location, day, begin, scenario.seed)
    levels = [_level(scenario, sale) for sale in served]
    events = [_outgoing(CLICKSTREAM, click) for click in clicks]
    events += [_outgoing(STOCK_LEVELS, level) for level in levels]
    return sorted(events, key=lambda event: event.event_time_ms)


def closing_events(
    scenario: Scenario, warehouse: Warehouse, day: date, receipts: Iterable[PurchaseOrder]
) -> list[Outgoing]:
    """Everything stamped with the midnight at which `day` begins: overnight receipts, then every level."""
    at = scenario.midnight_ms(day)
    events = []
    for order in receipts:
        events += [_received(scenario, order, at), _movement(scenario, order, at)]
    return [*events, *snapshots(scenario, warehouse, day)]


def snapshots(scenario: Scenario, warehouse: Warehouse, day: date) -> list[Outgoing]:
    """The stock of every SKU at the beginning of `day`."""
    return [
        _outgoing(
            STOCK_LEVELS,
            StockLevel(
                event_id=f"snapshot-{sku}-{day}",
                event_time_ms=scenario.midnight_ms(day),
                sku=sku,
                location=scenario.location,
                event_type="snapshot",
                on_hand=units,
            ),
        )
        for sku, units in sorted(warehouse.on_hand.items())
    ]


def order_events(scenario: Scenario, orders: Iterable[PurchaseOrder]) -> list[Outgoing]:
    """The orders that a review has led to."""
    return [_placed(scenario, order) for order in orders]


def _purchase(scenario: Scenario, sale: Sale) -> ClickEvent:
    line = sale.line
    return ClickEvent(
        event_id=line.line_id,
        event_time_ms=line.time_ms,
        sku=line.sku,
        location=scenario.location,
        event_type="purchase",
        session_id=line.session_id,
        user_id=line.user_id,
        quantity=float(sale.served),
        unit_price=money(line.unit_price),
        list_price=scenario.items[line.sku].price,
    )


def _return(scenario: Scenario, line: SaleLine) -> ClickEvent:
    return ClickEvent(
        event_id=line.line_id,
        event_time_ms=line.time_ms,
        sku=line.sku,
        location=scenario.location,
        event_type="return",
        session_id=line.session_id,
        user_id=line.user_id,
        quantity=float(line.quantity),
        unit_price=money(line.unit_price),
    )


def _level(scenario: Scenario, sale: Sale) -> StockLevel:
    return StockLevel(
        event_id=f"level-{sale.line.line_id}",
        event_time_ms=sale.line.time_ms + 1,
        sku=sale.line.sku,
        location=scenario.location,
        event_type="level",
        on_hand=sale.on_hand,
    )


def _movement(scenario: Scenario, order: PurchaseOrder, at: int) -> Outgoing:
    movement = StockMovement(
        event_id=f"receipt-{order.order_id}",
        event_time_ms=at,
        sku=order.sku,
        location=scenario.location,
        event_type="receipt",
        quantity=order.quantity,
        order_id=order.order_id,
    )
    return _outgoing(STOCK_MOVEMENTS, movement)


def _placed(scenario: Scenario, order: PurchaseOrder) -> Outgoing:
    at = scenario.midnight_ms(order.placed) + PLACED_AFTER_MS
    return _outgoing(PURCHASE_ORDERS, _order_event(scenario, order, "placed", at))


def _received(scenario: Scenario, order: PurchaseOrder, at: int) -> Outgoing:
    return _outgoing(PURCHASE_ORDERS, _order_event(scenario, order, "received", at))


def _order_event(scenario: Scenario, order: PurchaseOrder, state: str, at: int) -> PurchaseOrderEvent:
    return PurchaseOrderEvent.model_validate(
        {
            "event_id": f"{state}-{order.order_id}",
            "event_time_ms": at,
            "sku": order.sku,
            "location": scenario.location,
            "event_type": state,
            "order_id": order.order_id,
            "supplier": order.supplier,
            "quantity": order.quantity,
            "decision_id": order.decision_id,
        }
    )


def _outgoing(topic: str, message: ShopEvent) -> Outgoing:
    key = message_key(message.sku, message.location)
    return Outgoing(topic, key, message.event_time_ms, message)
