"""How an item is replenished: a policy by name, with the parameters that it needs and no others.

Costs are relative to the unit cost, so that one policy suits a planning group: `holding_rate` is the cost of
holding a unit for a year, `stockout_rate` that of a unit of unmet demand, both as shares of the unit cost.
Levels cover the demand until the next review's order can be on hand, so (s,S) and (s,Q) at a location that
reviews daily are (R,s,S) and (R,s,Q) at one that does not.
"""

from typing import Annotated, Literal

from pydantic import Field

from infra.contracts.message import (
    EventTimeMs,
    Identifier,
    Probability,
    Record,
    Segment,
    Units,
    left_out_if_none,
)

Rate = Annotated[float, Field(gt=0, le=1000)]
PositiveAmount = Annotated[
    str,
    Field(
        pattern=r"^(0*[1-9]\d{0,11}(\.\d{1,4})?|0+\.\d{0,3}[1-9]0{0,3})$",
        description="above 0, in the currency of the unit cost",
    ),
]


class CycleService(Record):
    """Type 1: share of review periods in which all demand is met."""

    kind: Literal["cycle_service"]
    level: Probability


class FillRate(Record):
    """Type 2: share of demand that is met from the shelf."""

    kind: Literal["fill_rate"]
    level: Probability


class LeastCost(Record):
    """The critical ratio: a unit of unmet demand against a unit held until the next order comes."""

    kind: Literal["cost"]
    stockout_rate: Rate
    holding_rate: Rate


class GroupFillRate(Record):
    """The share of all units wanted that is served, at the least stock value: Sherbrooke's system approach.

    `exchange` is how much money may lie in stock for a year to spare one unit of unmet demand, the same for
    every item of the group, so that dear items get less service than cheap ones. More money, more service.
    """

    kind: Literal["group_fill_rate"]
    exchange: PositiveAmount


Target = Annotated[CycleService | FillRate | LeastCost | GroupFillRate, Field(discriminator="kind")]
CycleTarget = Annotated[CycleService | LeastCost | GroupFillRate, Field(discriminator="kind")]


class FixedLot(Record):
    """A quantity that a planner has set."""

    kind: Literal["fixed"]
    quantity: Annotated[int, Field(gt=0, le=10_000_000)]


class EconomicLot(Record):
    """The quantity that balances the cost of an order against holding: sqrt(2 K demand / holding)."""

    kind: Literal["economic"]
    ordering_cost: PositiveAmount
    holding_rate: Rate


Lot = Annotated[FixedLot | EconomicLot, Field(discriminator="kind")]


class CoverUntilNextArrival(Record):
    """The default: no stock-out from the order's arrival to the next one's.

    At the item's own service level, or at the one that the target leads to.
    """

    policy: Literal["cover-until-next-arrival"]
    target: CycleTarget | None = Field(None, exclude_if=left_out_if_none)


class OrderUpTo(Record):
    """(R,S): up to the level that reaches the target, on the inventory position."""

    policy: Literal["order-up-to"]
    target: Target


class BaseStock(Record):
    """Up to a level that a planner has set, on the inventory position."""

    policy: Literal["base-stock"]
    level: Units


class MinMax(Record):
    """(s,S), (R,s,S): at or below the reorder point, up to the reorder point and a lot."""

    policy: Literal["min-max"]
    target: Target
    lot: Lot


class ReorderQuantity(Record):
    """(s,Q): at or below the reorder point, the fewest lots that lift the position above it."""

    policy: Literal["reorder-quantity"]
    target: Target
    lot: Lot


class Newsvendor(Record):
    """One order for all demand ahead, to the end of life or the horizon.

    A unit short costs `underage_rate`, a unit left over `overage_rate`, as shares of the unit cost.
    """

    policy: Literal["newsvendor"]
    underage_rate: Rate
    overage_rate: Rate


class CappedBaseStock(Record):
    """(R,S) for lost sales, with no order above the `cap` quantile of a review period's demand."""

    policy: Literal["capped-base-stock"]
    target: Target
    cap: Probability


class ProjectedInventoryLevel(Record):
    """For lost sales: lifts the stock expected at the arrival to a quantile of the demand it serves."""

    policy: Literal["projected-inventory-level"]
    level: Probability


class Lookahead(Record):
    """The order that costs least on the forecast's sample paths; unmet demand is lost."""

    policy: Literal["lookahead"]
    stockout_rate: Rate
    holding_rate: Rate


Replenishment = Annotated[
    CoverUntilNextArrival
    | OrderUpTo
    | BaseStock
    | MinMax
    | ReorderQuantity
    | Newsvendor
    | CappedBaseStock
    | ProjectedInventoryLevel
    | Lookahead,
    Field(discriminator="policy"),
]


class CategoryReplenishment(Record):
    """How the items of a category, or of one below it, are replenished."""

    category: Identifier
    replenishment: Replenishment


class SegmentReplenishment(Record):
    """How the items of a segment are replenished."""

    segment: Segment
    replenishment: Replenishment


class KickStart(Record):
    """What a new item's stock is lifted to, on hand and on order, until its own sales say enough."""

    quantity: Units
    until_ms: EventTimeMs


class OrderLimits(Record):
    """What bounds an item's orders besides minimum order, pack and maximum stock; null where nothing does.

    `minimum_stock` is the least that a planner wants on hand and on order, `cover_cap_days` how many days of
    expected demand an order may lift it to. An item on `hold` is not ordered. With `rounding` up past a
    maximum, packs and the minimum order are rounded up even where that passes maximum stock or cover cap.
    """

    minimum_stock: Units | None = Field(None, exclude_if=left_out_if_none)
    cover_cap_days: Annotated[int, Field(ge=1, le=730)] | None = Field(None, exclude_if=left_out_if_none)
    hold: bool | None = Field(None, exclude_if=left_out_if_none)
    kick_start: KickStart | None = Field(None, exclude_if=left_out_if_none)
    rounding: Literal["within_maximum", "past_maximum"] | None = Field(None, exclude_if=left_out_if_none)
