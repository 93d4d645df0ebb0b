"""What the Planner decides on a day, the twin decides on the same day."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from batch.forecaster.champions import FALLBACK
from infra.contracts.demand import DemandFeatures, DemandForecast
from infra.contracts.message import Heartbeat
from infra.contracts.topics import (
    CALENDARS,
    FEATURES,
    FORECASTS,
    ITEMS,
    PROMOTIONS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from serving.demand_context import DemandContext
from serving.evaluator_stage import EvaluatorStage
from serving.forecast_source import FALLBACK_HISTORY_DAYS, ForecastSource
from serving.forecaster_stage import ForecasterStage
from serving.inventory.order_rules import position
from serving.inventory.policy import Request, decide
from serving.partition_log import Entry, Stage
from serving.planner_state import PlannerState
from serving.simulation.day_events import closing_events, opening_events, order_events, trading_events
from serving.simulation.sales_log import days_between
from serving.simulation.scenario import Scenario
from serving.simulation.twin.loop import Review, run
from serving.simulation.twin.production import ProductionPlanner
from serving.simulation.twin.shop_world import shop_world
from serving.simulation.warehouse import sell
from tests.unit.serving.records import BOUND_MS, Tally

FIRST = date(2011, 9, 19)
SOURCE = ForecastSource(None, FALLBACK, "no model", "0" * 64, 200)
DAYS = 28


class LiveShop:
    """The shop's own messages, days and windows through the Planner's and the Forecaster's classes."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.warehouse = scenario, scenario.warehouse()
        self.state = PlannerState(frozenset({0}), 1, 0)
        context, self._offset = DemandContext(FALLBACK_HISTORY_DAYS, None), 0
        self.forecasts: list[DemandForecast] = []
        before = scenario.log.daily_units(min(scenario.log.lines["day"]), FIRST - timedelta(days=1))
        for place, day in enumerate(before.days):
            for row in self._rows(day, dict(zip(before.skus, before.units[:, place], strict=True))):
                context.append(row, scenario.calendar)
        self.stages: list[Stage] = [
            EvaluatorStage(Tally()),
            ForecasterStage(context, lambda: SOURCE, Tally(), 10.0, BOUND_MS),
        ]
        self._take([(each.topic, each.message) for each in opening_events(scenario, self.warehouse)])

    def day(self, day: date) -> list[Request]:
        """Trades a day, closes it, and at a review decides and orders."""
        lines, following = self.scenario.log.lines_of(day), day + timedelta(days=1)
        sales = sell(self.warehouse, lines)
        sold = {sku: 0 for sku in self.scenario.items}
        for sale in sales:
            sold[sale.line.sku] += sale.served
        rows = [(FEATURES, row) for row in self._rows(day, sold)]
        events = trading_events(self.scenario, day, lines, sales)
        receipts = self.warehouse.receive(following)
        events += closing_events(self.scenario, self.warehouse, following, receipts)
        passed = Heartbeat(event_time_ms=self.scenario.midnight_ms(following) + BOUND_MS + 1)
        self._take([*((each.topic, each.message) for each in events), (PROMOTIONS, passed), *rows])
        for stage in self.stages:
            made = [(each.topic, each.message) for batch in stage.due(0.0) for each in batch]
            self.forecasts += [message for _, message in made if isinstance(message, DemandForecast)]
            self._take(made)
        return self._review(day) if self.scenario.is_review(following) else []

    def _review(self, day: date) -> list[Request]:
        following = day + timedelta(days=1)
        epoch_ms, skus = self.scenario.midnight_ms(following), sorted(self.scenario.items)
        requests = self.state.requests([self.scenario.items[sku] for sku in skus], epoch_ms, False)
        orders = [
            self.scenario.order(each.sku, following, wanted.quantity)
            for each, wanted in zip(requests, decide(requests), strict=True)
            if wanted.quantity
        ]
        for order in orders:
            self.warehouse.place(order)
        self._take([(each.topic, each.message) for each in order_events(self.scenario, orders)])
        return requests

    def _rows(self, day: date, sold: dict[str, int]) -> list[DemandFeatures]:
        begins, ends = (self.scenario.midnight_ms(day + timedelta(days=more)) for more in (0, 1))
        return [
            DemandFeatures(
                sku=sku, location=self.scenario.location, window_start_ms=begins,
                window_end_ms=ends, is_final=True,
                values={
                    "units": float(units),
                    "in_stock_share": 1.0 if self.warehouse.on_hand[sku] else 0.5,
                },
            )
            for sku, units in sold.items()
        ]  # fmt: skip

    def _take(self, messages: list[tuple[str, Any]]) -> None:
        for topic, message in messages:
            entry = Entry(topic, 0, self._offset, message)
            if topic in FED:
                self.state.apply(entry)
            for stage in self.stages:
                stage.apply(entry)
            self._offset += 1


FED = {ITEMS, CALENDARS, PURCHASE_ORDERS, STOCK_LEVELS, FORECASTS}


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
    planner = Watched(world, SOURCE, world.items)
    trace = run(world, planner)

    simulated = planner.asked
    assert len(simulated) == 2 * 3
    assert simulated == lived[: len(simulated)]
    assert [each.input_digest() for each in simulated] == [each.input_digest() for each in lived][
        : len(simulated)
    ]
    assert (trace.served < trace.demand).any() == (factor == 3)
    moved = [each for each in live.forecasts if each.recalibration]
    assert {each.origin_ms for each in moved} > {each.epoch_ms for each in simulated[2:]}


def test_customers_who_wait_reach_the_decision_as_in_production(
    make_scenario: Callable[..., Scenario],
) -> None:
    """Net stock and orders: what was there, and was ordered, less all that was wanted; nothing is lost."""
    scenario = make_scenario(factor=3)
    world = shop_world(scenario, FIRST + timedelta(days=DAYS - 1), SOURCE.panel_hash, scenario.seed)
    items = tuple(item.model_copy(update={"unmet_demand": "backordered"}) for item in world.items)
    world = replace(world, items=items)
    planner = Watched(world, SOURCE, items)
    trace = run(world, planner)

    owed = [each.inputs.backordered for each in planner.asked]
    days = [column - world.start for column in world.review_columns() for _ in items]
    rows = [row for _ in world.review_columns() for row in range(len(items))]
    coming = np.zeros(len(items), dtype=np.int64)
    for order in world.open_orders:
        coming[order.row] += order.quantity
    assert any(owed)
    assert {each.inputs.unmet_demand for each in planner.asked} == {"backordered"}
    for asked, row, day in zip(planner.asked, rows, days, strict=True):
        net = trace.ordered[row, :day].sum() - trace.demand[row, :day].sum()
        assert position(asked.inputs) == world.on_hand[row] + coming[row] + net
