"""What a Planner knows, rebuilt from the log and queryable as of an epoch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from infra.contracts import identity
from infra.contracts.demand import DemandForecast, IntradayForecast
from infra.contracts.inventory import REVIEW, DecisionInputs, ForecastReference, Policy
from infra.contracts.message import Heartbeat
from infra.contracts.planning import Override
from infra.contracts.shop import (
    Item,
    LocationCalendar,
    PurchaseOrderEvent,
    StockLevel,
    StockMovement,
    SupplierCalendar,
)
from infra.contracts.topics import (
    CALENDARS,
    FORECASTS,
    INTRADAY_FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
)
from serving.event_time import EventTime
from serving.inventory.as_of import Versions
from serving.inventory.group_policies import GroupPolicies
from serving.inventory.lead_times import lead_time_counts
from serving.inventory.ledger import Key, Ledger, Receipts
from serving.inventory.local_days import midnight_after, review_period_days
from serving.inventory.overrides import Overrides
from serving.inventory.policy import Request
from serving.inventory.replenishment import replenishment_of
from serving.inventory.stock_account import StockAccount
from serving.inventory.supplier_days import takes_orders
from serving.partition_log import Entry
from serving.revision_triggers import INTRADAY

_WHOLE_INPUTS = (PURCHASE_ORDERS, ITEMS, CALENDARS, POLICIES, OVERRIDES)


@dataclass(frozen=True)
class OwnedItem:
    """A catalogue item and the partition of its key."""

    item: Item
    partition: int


class PlannerState:
    """Stock, orders, lead times, catalogue, calendars, overrides and forecasts.

    Catalogue, calendars, policies, overrides and purchase orders are read whole; of the rest only the
    owned partitions come here.
    """

    def __init__(self, owned: frozenset[int], partition_count: int, out_of_orderness_ms: int) -> None:
        self._owned = owned
        self.event_time = EventTime(out_of_orderness_ms)
        self.ledger = Ledger()
        self.account = StockAccount()
        self.items: Versions[Key, OwnedItem] = Versions()
        self.calendars: Versions[str, LocationCalendar] = Versions()
        self.overrides = Overrides()
        self._suppliers: Versions[str, SupplierCalendar] = Versions()
        self._policies = GroupPolicies()
        self._receipts = Receipts()
        self._forecasts: dict[tuple[Key, int], DemandForecast] = {}
        self._intraday: dict[tuple[Key, int], DemandForecast] = {}
        self.everything = range(partition_count)

    def apply(self, entry: Entry) -> bool:
        """Takes a record of an input topic; false where it contradicts an earlier forecast."""
        message = entry.message
        if entry.topic not in (FORECASTS, INTRADAY_FORECASTS):
            self.event_time.advance(entry.topic, entry.partition, message.event_time_ms)
        match message:
            case StockLevel():
                self.ledger.apply_level(message, entry.offset)
            case PurchaseOrderEvent():
                if entry.partition in self._owned:
                    self.ledger.apply_order(message)
                self._receipts.apply(message)
            case StockMovement():
                self.account.apply(message)
            case Item():
                owned = OwnedItem(message, entry.partition)
                self.items.put((message.sku, message.location), message.event_time_ms, entry.offset, owned)
            case LocationCalendar():
                self.calendars.put(message.location, message.event_time_ms, entry.offset, message)
            case SupplierCalendar():
                self._suppliers.put(message.supplier, message.event_time_ms, entry.offset, message)
            case Override():
                self.overrides.put(message, entry.offset)
            case Policy():
                self._policies.put(message, entry.offset)
            case DemandForecast():
                return _keep_first(self._forecasts, message)
            case IntradayForecast():
                return _keep_first(self._intraday, message.forecast)
            case Heartbeat() | _:
                pass
        return True

    def passed(self, partition: int, epoch_ms: int) -> bool:
        """Whether every record up to the epoch has come that a decision of the partition may use."""
        whole = all(
            self.event_time.passed(topic, each, epoch_ms)
            for topic in _WHOLE_INPUTS
            for each in self.everything
        )
        return whole and self.event_time.passed(STOCK_LEVELS, partition, epoch_ms)

    def catalogue(self, epoch_ms: int) -> Iterator[OwnedItem]:
        """Every item known at the epoch and not past its end, all partitions; sorted by key."""
        for key in sorted(self.items):
            owned = self.items.get(key, epoch_ms)
            if owned and (owned.item.end_ms is None or owned.item.end_ms > epoch_ms):
                yield owned

    def has_forecast(self, key: Key, epoch_ms: int) -> bool:
        """Whether the forecast with the epoch as its origin has come."""
        return (key, epoch_ms) in self._forecasts

    def has_forecast_of_day(self, item: Item, time_ms: int) -> bool:
        """Whether the forecast made at the beginning of the instant's local day has come."""
        calendar = self.calendars.get(item.location, time_ms)
        return calendar is not None and self.has_forecast(
            (item.sku, item.location), midnight_after(time_ms, 0, calendar.time_zone)
        )

    def revision(self, item: Item, epoch_ms: int, cause: str, replaced: str | None, stale: bool) -> Request:
        """The decision to make between reviews; the one that it replaces is not on order.

        It rests on the forecast of the day, or on the one made within the day if that is what calls for it.
        """
        (made,) = self.requests([item], epoch_ms, stale)
        if cause.startswith(f"{INTRADAY}:"):
            forecast = self._intraday[((item.sku, item.location), epoch_ms)]
            inputs = made.inputs.model_copy(update={"forecast": _reference(forecast)})
            made = replace(made, forecast=forecast, inputs=inputs)
        others = [order for order in made.inputs.open_orders if order.order_id != replaced]
        return replace(
            made,
            decision_id=identity.decision_id(item.sku, item.location, epoch_ms, cause),
            cause=cause,
            inputs=made.inputs.model_copy(update={"open_orders": others}),
        )

    def requests(self, items: list[Item], epoch_ms: int, stale: bool) -> list[Request]:
        """The review decisions to make for the items, from exactly the records up to the epoch."""
        observed: dict[str, dict[str, list[int]]] = {}
        requests = []
        for item in items:
            calendar = self.calendars.get(item.location, epoch_ms)
            if calendar is None:
                continue
            zone = calendar.time_zone
            if zone not in observed:
                observed[zone] = self._receipts.observed_days(epoch_ms, zone)
            days = observed[zone].get(item.supplier, [])
            requests.append(self._request(item, calendar, epoch_ms, days, stale))
        return requests

    def _request(
        self, item: Item, calendar: LocationCalendar, epoch_ms: int, lead_days: list[int], stale: bool
    ) -> Request:
        key = (item.sku, item.location)
        forecast = self._forecasts.get((key, midnight_after(epoch_ms, 0, calendar.time_zone)))
        supplier = self._suppliers.get(item.supplier, epoch_ms)
        stock = self.ledger.stock(key, epoch_ms)
        inputs = DecisionInputs(
            forecast=None if forecast is None else _reference(forecast),
            on_hand=stock.on_hand if stock else None,
            backordered=stock.backordered if stock else 0,
            reserved=stock.reserved if stock else 0,
            unmet_demand=item.unmet_demand,
            open_orders=self.ledger.on_order(key, epoch_ms),
            lead_times=lead_time_counts(lead_days, item.lead_time_days),
            delivery=item.delivery,
            review_period_days=_review_period_days(epoch_ms, calendar, supplier),
            cycle_service_level=item.cycle_service_level,
            min_order_quantity=item.min_order_quantity,
            case_pack=item.case_pack,
            maximum_stock=item.maximum_stock,
            supplier=item.supplier,
            unit_cost=item.unit_cost,
            price=item.price,
            planning_group=item.planning_group,
            time_zone=calendar.time_zone,
            end_ms=item.end_ms,
            input_stale=stale,
            overrides=self.overrides.applying(item, epoch_ms),
            replenishment=replenishment_of(item, self._policies.get(item.planning_group, epoch_ms)),
            limits=item.limits,
            unit_volume=item.unit_volume,
            supplier_calendar=supplier,
        )
        made_id = identity.decision_id(item.sku, item.location, epoch_ms, REVIEW)
        return Request(made_id, item.sku, item.location, epoch_ms, REVIEW, inputs, forecast)

    def forget_before(self, as_of_ms: int) -> None:
        """Drops what no decision or position of `as_of_ms` or later can need."""
        self.ledger.forget_before(as_of_ms)
        self.account.forget_before(as_of_ms)
        for forecasts in (self._forecasts, self._intraday):
            for old in [each for each in forecasts if each[1] < as_of_ms]:
                del forecasts[old]


def _keep_first(forecasts: dict[tuple[Key, int], DemandForecast], forecast: DemandForecast) -> bool:
    """Takes a forecast; false where another one of the same origin is known."""
    known = forecasts.setdefault(((forecast.sku, forecast.location), forecast.origin_ms), forecast)
    return known is forecast or known == forecast


def _review_period_days(epoch_ms: int, calendar: LocationCalendar, supplier: SupplierCalendar | None) -> int:
    if supplier is None:
        return review_period_days(epoch_ms, calendar)
    return review_period_days(epoch_ms, calendar, lambda day: takes_orders(day, supplier))


def _reference(forecast: DemandForecast) -> ForecastReference:
    return ForecastReference(
        origin_ms=forecast.origin_ms, model_id=forecast.model_id, digest=identity.digest(forecast)
    )
