"""What the shop writes: clicks, stock, orders, catalogue and calendars."""

from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from infra.contracts.message import (
    Delivery,
    DemandUnits,
    EventTimeMs,
    Heartbeat,
    Identifier,
    Location,
    Message,
    Money,
    Probability,
    Record,
    Segment,
    Sku,
    Units,
    UnmetDemand,
    Volume,
    left_out_if_independent,
    left_out_if_lost,
    left_out_if_none,
    left_out_if_zero,
)
from infra.contracts.replenishment import OrderLimits, Replenishment

CUSTOMER_EVENT_TYPES = ("view", "search", "add_to_cart", "remove_from_cart", "purchase", "return")
QUANTITY_EVENT_TYPES = ("add_to_cart", "remove_from_cart", "purchase", "return")

PositiveUnits = Annotated[int, Field(gt=0, le=10_000_000)]
IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Weekday = Annotated[int, Field(ge=0, le=6, description="0 = Monday")]


def _known_zone(time_zone: str) -> str:
    """The zone, if the IANA database has it."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, IsADirectoryError):
        raise ValueError("a zone of the IANA time zone database is expected") from None
    return time_zone


TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z_]+(/[A-Za-z_+-]+)*$"), AfterValidator(_known_zone)]


def _required_for(event_types: tuple[str, ...], field: str) -> dict[str, JsonValue]:
    """JSON Schema: events of these types need the field, and not as null."""
    kinds: list[JsonValue] = list(event_types)
    return {
        "if": {"properties": {"event_type": {"enum": kinds}}},
        "then": {"required": [field], "properties": {field: {"not": {"type": "null"}}}},
    }


class ShopEvent(Message):
    """A fact about one SKU at one location; `event_id` makes a repetition recognisable."""

    event_id: Identifier
    event_time_ms: EventTimeMs
    sku: Sku
    location: Location


class ClickEvent(ShopEvent):
    """One customer action; `search` means the SKU was shown in a result list.

    Events that move units need a positive `quantity`; a purchase also needs its `unit_price`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                _required_for(QUANTITY_EVENT_TYPES, "quantity"),
                _required_for(("purchase",), "unit_price"),
            ]
        }
    )

    event_type: Literal["view", "search", "add_to_cart", "remove_from_cart", "purchase", "return"]
    session_id: Identifier | None = None
    user_id: Identifier | None = None
    quantity: Annotated[float, Field(gt=0, le=1e6)] | None = None
    unit_price: Money | None = None
    list_price: Money | None = None
    promotion_id: Identifier | None = None

    @model_validator(mode="after")
    def _needs_quantity_and_price(self) -> Self:
        if self.event_type in QUANTITY_EVENT_TYPES and self.quantity is None:
            raise ValueError(f"quantity must be a number > 0 for {self.event_type}")
        if self.event_type == "purchase" and self.unit_price is None:
            raise ValueError("unit_price must be given for purchase")
        return self


class StockLevel(ShopEvent):
    """Stock after a change, or the day-start `snapshot`; the authority for on hand and what of it is free.

    `backordered` is owed to customers who wait, `reserved` is set aside and not for sale. More may be
    reserved than is on hand: the rest is owed too.
    """

    event_type: Literal["level", "snapshot"]
    on_hand: Units
    backordered: Units = Field(0, exclude_if=left_out_if_zero)
    reserved: Units = Field(0, exclude_if=left_out_if_zero)


class StockMovement(ShopEvent):
    """Why stock changed; a ledger event that is never demand and never added to a level."""

    event_type: Literal[
        "receipt", "transfer_in", "transfer_out", "write_off", "stock_count", "return_to_stock"
    ]
    quantity: PositiveUnits
    order_id: Identifier | None = None


class PurchaseOrderEvent(ShopEvent):
    """A state change of a purchase order.

    `quantity` is what was ordered for `placed` and `acknowledged`, what arrived for `received` (receipts may
    be partial and repeated), and what will not come for `cancelled`.
    """

    event_type: Literal["placed", "acknowledged", "received", "cancelled"]
    order_id: Identifier
    supplier: Identifier
    quantity: PositiveUnits
    decision_id: Identifier | None = None


class KitComponent(Record):
    """A part of a kit."""

    sku: Sku
    quantity: PositiveUnits


class Item(ShopEvent):
    """A SKU at a location as the shop's catalogue knows it from `event_time_ms` on."""

    event_type: Literal["item"] = "item"
    description: Annotated[str, Field(max_length=200)] = ""
    category: Identifier = Field("none", description="may be a path, its levels separated by colons")
    supplier: Identifier
    planning_group: Identifier
    unit_cost: Money
    price: Money
    min_order_quantity: PositiveUnits = 1
    case_pack: PositiveUnits = 1
    maximum_stock: Units | None = None
    lead_time_days: Annotated[int, Field(ge=0, le=180, description="agreed with the supplier")]
    delivery: Delivery = Field("independent", exclude_if=left_out_if_independent)
    unmet_demand: UnmetDemand = Field("lost", exclude_if=left_out_if_lost)
    cycle_service_level: Probability
    replenishment: Replenishment | None = Field(None, exclude_if=left_out_if_none)
    segment: Segment | None = Field(None, exclude_if=left_out_if_none)
    limits: OrderLimits | None = Field(None, exclude_if=left_out_if_none)
    unit_volume: Volume | None = Field(None, exclude_if=left_out_if_none)
    bulk_threshold: DemandUnits | None = Field(None, description="a purchase line above it counts as bulk")
    launch_ms: EventTimeMs | None = None
    end_ms: EventTimeMs | None = None
    components: list[KitComponent] = Field([])


class Promotion(ShopEvent):
    """One promotion known ahead: from `starts_ms` (inclusive) to `ends_ms` (exclusive).

    The topic is compacted by SKU and location, so a SKU with more than one ahead sends a price plan.
    """

    event_type: Literal["promotion"] = "promotion"
    promotion_id: Identifier
    starts_ms: EventTimeMs
    ends_ms: EventTimeMs
    price: Money


class PlannedPrice(Record):
    """A price from `starts_ms` until the plan's next one; `promotion_id` where it is a promotion's."""

    starts_ms: EventTimeMs
    price: Money
    promotion_id: Identifier | None = None


class PricePlan(ShopEvent):
    """Every price of a SKU known ahead, in order of their starts; it replaces the SKU's earlier plan."""

    event_type: Literal["price_plan"] = "price_plan"
    prices: Annotated[list[PlannedPrice], Field(min_length=1, max_length=1000)]

    @field_validator("prices")
    @classmethod
    def _ascend(cls, prices: list[PlannedPrice]) -> list[PlannedPrice]:
        if any(earlier.starts_ms >= later.starts_ms for earlier, later in pairwise(prices)):
            raise ValueError("prices must ascend by starts_ms")
        return prices


class Holiday(Record):
    """A day that people shop differently on, whether the location is open or not."""

    date: IsoDate
    name: Annotated[str, Field(min_length=1, max_length=100)]


class LocationCalendar(Message):
    """Open days, holidays and review days of a location, in its own time zone.

    A day is closed if its weekday is in `closed_weekdays` or its date in `closed_dates`, unless its date is
    in `opened_dates`; `holidays` close nothing. Reviews happen at local midnight at the start of each of
    `review_weekdays`.
    """

    event_type: Literal["location"] = "location"
    event_id: Identifier
    event_time_ms: EventTimeMs
    location: Location
    time_zone: TimeZone
    closed_weekdays: list[Weekday] = Field([])
    closed_dates: list[IsoDate] = Field([])
    opened_dates: list[IsoDate] = Field([])
    review_weekdays: Annotated[list[Weekday], Field(min_length=1)]
    holidays: list[Holiday] = Field([])


class CutOff(Record):
    """Orders after this time of day, in the supplier's zone, count as the next day's."""

    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    time_zone: TimeZone


class SupplierCalendar(Message):
    """Days on which a supplier does not deliver, and days on which it takes no orders."""

    event_type: Literal["supplier"] = "supplier"
    event_id: Identifier
    event_time_ms: EventTimeMs
    supplier: Identifier
    closed_weekdays: list[Weekday] = Field([])
    closed_dates: list[IsoDate] = Field([])
    no_order_weekdays: list[Weekday] | None = Field(None, exclude_if=left_out_if_none)
    no_order_dates: list[IsoDate] | None = Field(None, exclude_if=left_out_if_none)
    cut_off: CutOff | None = Field(None, exclude_if=left_out_if_none)


class DayWeather(Record):
    """Weather of a local day; null where not given."""

    date: IsoDate
    mean_temperature_c: Annotated[float, Field(ge=-90, le=60)] | None = None
    precipitation_mm: Annotated[float, Field(ge=0, le=2000)] | None = None
    mean_humidity_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    mean_wind_beaufort: Annotated[float, Field(ge=0, le=12)] | None = None


class LocationWeather(Message):
    """Weather of a location as known at `event_time_ms`: past days measured, later ones forecast.

    What was forecast when is in the archive; a reader of the past uses only what was known then.
    """

    event_type: Literal["weather"] = "weather"
    event_id: Identifier
    event_time_ms: EventTimeMs
    location: Location
    days: Annotated[list[DayWeather], Field(min_length=1, max_length=1000)]


Clickstream = Annotated[ClickEvent | Heartbeat, Field(discriminator="event_type")]
StockLevels = Annotated[StockLevel | Heartbeat, Field(discriminator="event_type")]
StockMovements = Annotated[StockMovement | Heartbeat, Field(discriminator="event_type")]
PurchaseOrders = Annotated[PurchaseOrderEvent | Heartbeat, Field(discriminator="event_type")]
Items = Annotated[Item | Heartbeat, Field(discriminator="event_type")]
Promotions = Annotated[Promotion | PricePlan | Heartbeat, Field(discriminator="event_type")]
Calendars = Annotated[
    LocationCalendar | SupplierCalendar | LocationWeather | Heartbeat, Field(discriminator="event_type")
]
