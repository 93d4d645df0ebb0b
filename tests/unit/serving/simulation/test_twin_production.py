"""What the Planner decides on a day, the twin decides on the same day."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest

from infra.contracts.demand import EVALUATED_DAYS, HORIZON_DAYS, QUANTILE_LEVELS, DemandFeatures
from infra.contracts.inventory import OpenOrder
from infra.contracts.topics import FORECASTS
from serving.demand_context import DemandContext
from serving.forecast_source import FALLBACK, FALLBACK_HISTORY_DAYS, Correction, ForecastSource
from serving.inventory.policy import Request, decide
from serving.partition_log import Entry
from serving.planner_state import PlannerState
from serving.simulation.day_events import closing_events, opening_events, order_events, trading_events
from serving.simulation.sales_log import days_between
from serving.simulation.scenario import Scenario
from serving.simulation.twin.loop import Review, run
from serving.simulation.twin.production import ProductionPlanner, promised
from serving.simulation.twin.remembered_forecasts import RememberedForecasts
from serving.simulation.twin.shop_world import shop_world
from serving.simulation.warehouse import Warehouse, sell
from tests.unit.serving.test_policy import request

FIRST = date(2011, 9, 19)
SOURCE = ForecastSource(None, FALLBACK, "no model", "0" * 64, 200)
DAYS = 28


class LiveShop:
    """The shop's own messages, days and windows through the Planner's and the Forecaster's classes."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.warehouse = scenario, scenario.warehouse()
        self.state = PlannerState(frozenset({0}), 1, 0)
        self.context = DemandContext(FALLBACK_HISTORY_DAYS, None)
        self._offset = 0
        before = scenario.log.daily_units(min(scenario.log.lines["day"]), FIRST - timedelta(days=1))
        for place, day in enumerate(before.days):
            self._features(day, dict(zip(before.skus, before.units[:, place], strict=True)), self.warehouse)
        self._take([(each.topic, each.message) for each in opening_events(scenario, self.warehouse)])

    def day(self, day: date) -> list[Request]:
        """Trades a day, closes it, and at a review decides and orders."""
        lines, following = self.scenario.log.lines_of(day), day + timedelta(days=1)
        sales = sell(self.warehouse, lines)
        sold = {sku: 0 for sku in self.scenario.items}
        for sale in sales:
            sold[sale.line.sku] += sale.served
        self._features(day, sold, self.warehouse)
        events = trading_events(self.scenario, day, lines, sales)
        receipts = self.warehouse.receive(following)
        events += closing_events(self.scenario, self.warehouse, following, receipts)
        self._take([(each.topic, each.message) for each in events])
        return self._review(day) if self.scenario.is_review(following) else []

    def _review(self, day: date) -> list[Request]:
        following = day + timedelta(days=1)
        epoch_ms, keys = self.scenario.midnight_ms(following), sorted(
            (item.sku, item.location) for item in self.scenario.items.values()
        )  # fmt: skip
        window = self.context.window(keys, day, self.scenario.calendar, HORIZON_DAYS)
        shifts = np.zeros((len(keys), len(EVALUATED_DAYS), len(QUANTILE_LEVELS)))
        made = SOURCE.forecast(window, keys, epoch_ms, Correction(epoch_ms, shifts, shifts))
        self._take([(FORECASTS, forecast) for forecast in made])
        requests = self.state.requests([self.scenario.items[sku] for sku, _ in keys], epoch_ms, False)
        orders = [
            self.scenario.order(each.sku, following, wanted.quantity)
            for each, wanted in zip(requests, decide(requests), strict=True)
            if wanted.quantity
        ]
        for order in orders:
            self.warehouse.place(order)
        self._take([(each.topic, each.message) for each in order_events(self.scenario, orders)])
        return requests

    def _features(self, day: date, sold: dict[str, int], warehouse: Warehouse) -> None:
        begins = self.scenario.midnight_ms(day)
        for sku, units in sold.items():
            share = 1.0 if warehouse.on_hand[sku] else 0.5
            row = DemandFeatures(
                sku=sku, location=self.scenario.location, window_start_ms=begins,
                window_end_ms=self.scenario.midnight_ms(day + timedelta(days=1)), is_final=True,
                values={"units": float(units), "in_stock_share": share},
            )  # fmt: skip
            self.context.append(row, self.scenario.calendar)

    def _take(self, messages: list[tuple[str, object]]) -> None:
        for topic, message in messages:
            if topic in FED:
                self.state.apply(Entry(topic, 0, self._offset, message))
                self._offset += 1


FED = {
    "catalog.items.v1",
    "catalog.calendars.v1",
    "inventory.purchase-orders.v1",
    "stock.levels.v1",
    FORECASTS,
}


class Watched(ProductionPlanner):
    """Keeps what it was asked."""

    asked: list[Request]

    def requests(self, review: Review) -> list[Request]:
        made = super().requests(review)
        self.asked = [*getattr(self, "asked", []), *made]
        return made


@pytest.mark.parametrize("factor", [1, 3])
def test_a_day_lived_and_a_day_simulated_lead_to_the_same_decision(
    make_scenario: Callable[..., Scenario], factor: int
) -> None:
    """With three times the demand it knows, the shop runs empty and its sales are cut off."""
    scenario = make_scenario(factor=factor)
    live = LiveShop(scenario)
    lived = [
        request for day in days_between(FIRST, FIRST + timedelta(days=DAYS - 1)) for request in live.day(day)
    ]

    world = shop_world(scenario, FIRST + timedelta(days=DAYS - 1), SOURCE.panel_hash, scenario.seed)
    planner = Watched(world, RememberedForecasts(SOURCE), world.items)
    trace = run(world, planner, "lost")

    simulated = planner.asked
    assert len(simulated) == 2 * 3
    assert simulated == lived[: len(simulated)]
    assert [each.input_digest() for each in simulated] == [each.input_digest() for each in lived][
        : len(simulated)
    ]
    assert (trace.served < trace.demand).any() == (factor == 3)


def test_units_that_waiting_customers_will_take_are_no_supply() -> None:
    orders = [
        OpenOrder(order_id=f"po-{n}", supplier="supplier-1", outstanding=units, placed_ms=n)
        for n, units in enumerate([4, 10])
    ]
    asked = request(open_orders=orders)

    assert [order.outstanding for order in promised(asked, 6).inputs.open_orders] == [8]
    assert promised(asked, 20).inputs.open_orders == []
    assert promised(asked, 0) is asked
