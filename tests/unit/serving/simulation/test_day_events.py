from collections.abc import Callable
from datetime import date, timedelta

from infra.contracts.codec import encode
from infra.contracts.shop import ClickEvent, StockLevel
from infra.contracts.topics import CLICKSTREAM, PURCHASE_ORDERS, STOCK_LEVELS, STOCK_MOVEMENTS
from serving.simulation.day_events import (
    Outgoing,
    closing_events,
    opening_events,
    order_events,
    snapshots,
    trading_events,
)
from serving.simulation.sales_log import SalesLog
from serving.simulation.scenario import Scenario, build_scenario
from serving.simulation.warehouse import Warehouse, sell

DAY = date(2011, 9, 20)


def trade(scenario: Scenario, warehouse: Warehouse, day: date = DAY) -> list[Outgoing]:
    lines = scenario.log.lines_of(day)
    return trading_events(scenario, day, lines, sell(warehouse, lines))


def test_unmet_demand_leaves_no_trace_in_any_topic(make_scenario: Callable[..., Scenario]) -> None:
    """Five and seven units are left of either SKU: demand of 10 and 3, or of 90 and 27, looks the same."""
    published = []
    for factor in (3, 9):
        scenario = make_scenario(factor)
        warehouse = Warehouse({"10001": 5, "10002": 7})
        published.append([*trade(scenario, warehouse), *snapshots(scenario, warehouse, DAY)])

    assert published[0] == published[1]


def test_a_shop_without_stock_still_has_visitors(make_scenario: Callable[..., Scenario]) -> None:
    events = [
        event
        for day in range(10)
        for event in trade(make_scenario(), Warehouse({"10001": 0, "10002": 0}), DAY + timedelta(days=day))
    ]

    assert events
    assert all(click.event_id.startswith("sim-") for click in clicks(events))
    assert {event.topic for event in events} == {CLICKSTREAM}


def test_real_days_are_published_in_event_time_within_the_day(shipped_log: SalesLog) -> None:
    scenario = build_scenario(shipped_log, "gb-main", date(2011, 9, 19), seed=1)
    events = trade(scenario, scenario.warehouse())
    times = [event.event_time_ms for event in events]

    assert times == sorted(times)
    assert scenario.midnight_ms(DAY) <= times[0]
    assert times[-1] < scenario.midnight_ms(DAY + timedelta(days=1))
    assert len({click.event_id for click in clicks(events)}) == len(clicks(events))
    assert [encode(event.topic, event.message) for event in events]


def test_the_level_after_each_purchase_is_the_stock_less_everything_sold(shipped_log: SalesLog) -> None:
    scenario = build_scenario(shipped_log, "gb-main", date(2011, 9, 19), seed=1)
    warehouse = scenario.warehouse()
    left = dict(warehouse.on_hand)

    for event in trade(scenario, warehouse):
        message = event.message
        if isinstance(message, ClickEvent) and message.event_type == "purchase":
            left[message.sku] -= int(message.quantity or 0)
        elif isinstance(message, StockLevel):
            assert message.on_hand == left[message.sku]
    assert left == warehouse.on_hand


def test_the_same_seed_publishes_the_same_bytes(make_scenario: Callable[..., Scenario]) -> None:
    def published(seed: int) -> list[bytes]:
        scenario = make_scenario(seed=seed)
        return [encode(e.topic, e.message) for e in trade(scenario, scenario.warehouse())]

    assert published(1) == published(1) != published(2)


def test_a_day_closes_with_its_receipts_and_the_stock_of_every_sku(scenario: Scenario) -> None:
    warehouse = scenario.warehouse()
    order = scenario.first_orders()[0]

    events = closing_events(scenario, warehouse, order.due, warehouse.receive(order.due))

    assert {event.event_time_ms for event in events} == {scenario.midnight_ms(order.due)}
    assert {event.topic for event in events} == {PURCHASE_ORDERS, STOCK_MOVEMENTS, STOCK_LEVELS}
    levels = {e.message.sku: e.message.on_hand for e in events if isinstance(e.message, StockLevel)}
    assert levels == warehouse.on_hand


def test_orders_are_placed_ten_minutes_after_their_review(scenario: Scenario) -> None:
    day = date(2011, 9, 26)

    (event,) = order_events(scenario, [scenario.order("10001", day, 24)])

    assert event.event_time_ms == scenario.midnight_ms(day) + 600_000


def test_the_opening_tells_of_every_sku_and_every_open_order(scenario: Scenario) -> None:
    events = opening_events(scenario, scenario.warehouse())
    orders = [e.message.model_dump() for e in events if e.topic == PURCHASE_ORDERS]
    placed = {o["order_id"] for o in orders if o["event_type"] == "placed"}
    received = {o["order_id"] for o in orders if o["event_type"] == "received"}

    assert placed - received == set(scenario.warehouse().open_orders)
    assert {e.message.sku for e in events if isinstance(e.message, StockLevel)} == set(scenario.items)


def clicks(events: list[Outgoing]) -> list[ClickEvent]:
    return [event.message for event in events if isinstance(event.message, ClickEvent)]
