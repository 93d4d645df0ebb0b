"""A world from any panel of daily sales: its last days are replayed, what is before them is history."""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from pydantic import ValidationError

from batch.forecaster.fallback import FALLBACK_DAYS
from batch.forecaster.sales_panel import SalesPanel
from infra.contracts.message import Delivery, Money, UnmetDemand
from infra.contracts.shop import Item, LocationCalendar
from infra.errors import StockstreamError
from serving.inventory.cover import Floats, Integers
from serving.inventory.local_days import review_period_days
from serving.simulation.twin.costs import Costs
from serving.simulation.twin.lead_time_odds import DrawnLeadTime, LeadTimeOdds
from serving.simulation.twin.world import World

NO_CURRENCY = "XXX"
"""ISO 4217's code for none: a panel's prices name no currency."""


@dataclass(frozen=True)
class Supply:
    """How the simulated shop is supplied; the same for every item."""

    lead_time: LeadTimeOdds
    delivery: Delivery
    review_weekday: int
    min_order_quantity: int
    case_pack: int
    cycle_service_level: float
    unmet: UnmetDemand


def panel_worlds(panel: SalesPanel, days: int, supply: Supply, costs: Costs, seeds: int) -> dict[int, World]:
    """The world of each seed 1..n, over the last `days` days; seeds differ in lead times only.

    Raises:
        StockstreamError: the panel is too short, sells fractions, or has a name that no message can carry.
    """
    demand = panel.demand
    _refuse_fractions(panel)
    if panel.days < days + FALLBACK_DAYS:
        raise StockstreamError(
            f"the panel has {panel.days} days: --days and --warm-up ask for {days}, and at least "
            f"{FALLBACK_DAYS} more are needed as history"
        )
    start = panel.days - days
    items = _items(panel, start, supply, costs)
    calendars = _calendars(panel, supply)
    launched = np.maximum.accumulate(demand.open, axis=1)
    world = World(
        items=items,
        calendars=calendars,
        first_day=demand.first_day,
        start=start,
        demand=np.where(launched, demand.units, 0).astype(np.int64),
        observed=demand.observed,
        launched=launched,
        location_open=demand.location_open,
        on_hand=np.zeros(len(items), dtype=np.int64),
        open_orders=(),
        earlier=(),
        panel_hash=demand.panel_hash,
        mean_lead_days=np.full(len(items), supply.lead_time.mean),
        lead_time=DrawnLeadTime(supply.lead_time, 0),
    )
    on_hand = _first_stock(world, supply)
    return {
        seed: replace(world, on_hand=on_hand, lead_time=DrawnLeadTime(supply.lead_time, seed))
        for seed in range(1, seeds + 1)
    }


def _refuse_fractions(panel: SalesPanel) -> None:
    units = panel.demand.units
    broken = np.argwhere(units != np.round(units))
    if len(broken):
        row, column = broken[0]
        (sku, location), day = panel.demand.series[row], panel.demand.day(int(column))
        raise StockstreamError(
            f"the panel has {units[row, column]:g} units of sku {sku!r}, location {location!r} on {day} "
            f"({len(broken):,} days with fractions): accepted are whole units; count in a smaller one"
        )


def _items(panel: SalesPanel, start: int, supply: Supply, costs: Costs) -> tuple[Item, ...]:
    prices = _prices(panel, start, costs)
    return tuple(
        _item(key, float(price), panel, supply, costs)
        for key, price in zip(panel.demand.series, prices, strict=True)
    )


def _prices(panel: SalesPanel, start: int, costs: Costs) -> Floats:
    """The median price of each row before the start; that of the costs where there is none."""
    usual = np.full(len(panel.demand.series), costs.price)
    if panel.price is not None:
        known = np.where(panel.price[:, :start] > 0, panel.price[:, :start], np.nan)
        priced = ~np.isnan(known).all(axis=1)
        usual[priced] = np.nanmedian(known[priced], axis=1)
    return usual


def _item(key: tuple[str, str], price: float, panel: SalesPanel, supply: Supply, costs: Costs) -> Item:
    sku, location = key
    try:
        return Item(
            event_id="item",
            event_time_ms=0,
            sku=sku,
            location=location,
            supplier="supplier",
            planning_group=location,
            unit_cost=_money(price * costs.cost_of_price),
            price=_money(price),
            min_order_quantity=supply.min_order_quantity,
            case_pack=supply.case_pack,
            lead_time_days=supply.lead_time.usual,
            delivery=supply.delivery,
            unmet_demand=supply.unmet,
            cycle_service_level=supply.cycle_service_level,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise StockstreamError(
            f"sku {sku!r}, location {location!r}: {first['loc'][0]} {first['input']!r:.80}: {first['msg']}"
        ) from None


def _money(amount: float) -> Money:
    return Money(amount=f"{Decimal(amount):.4f}", currency=NO_CURRENCY)


def _calendars(panel: SalesPanel, supply: Supply) -> tuple[LocationCalendar, ...]:
    return tuple(
        LocationCalendar(
            event_id="calendar",
            event_time_ms=0,
            location=location,
            time_zone="UTC",
            review_weekdays=[supply.review_weekday],
        )
        for location in sorted({location for _, location in panel.demand.series})
    )


def _first_stock(world: World, supply: Supply) -> Integers:
    """Mean demand of the last 56 days of history over L + R days, and at least one unit."""
    recent = world.demand[:, world.start - FALLBACK_DAYS : world.start].mean(axis=1)
    period = review_period_days(world.midnight_ms(world.start), world.calendars[0])
    units: Integers = np.maximum(np.ceil(recent * (supply.lead_time.mean + period)), 1).astype(np.int64)
    return units
