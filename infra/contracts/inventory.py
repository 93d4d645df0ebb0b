"""What the system and the planners say about stock and orders."""

from typing import Annotated, Literal

from pydantic import Field

from infra.contracts.group_limits import GroupLimits, LimitsOutcome
from infra.contracts.message import (
    Delivery,
    Digest,
    EventTimeMs,
    Heartbeat,
    Identifier,
    Location,
    Message,
    Money,
    Probability,
    Record,
    Sku,
    Units,
    UnmetDemand,
    Volume,
    left_out_if_empty,
    left_out_if_independent,
    left_out_if_lost,
    left_out_if_none,
    left_out_if_zero,
)
from infra.contracts.planning import AppliedOverride, DecisionAction
from infra.contracts.replenishment import (
    CategoryReplenishment,
    OrderLimits,
    Replenishment,
    SegmentReplenishment,
)
from infra.contracts.shop import SupplierCalendar

REVIEW = "review"
"""The cause of a decision that a review has led to; any other cause is its triggering record's."""


class TotalCost(Record):
    """A sum of amounts, which may be longer than a price: a decimal string with its ISO 4217 currency."""

    amount: Annotated[str, Field(pattern=r"^\d{1,24}(\.\d{1,4})?$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class OpenOrder(Record):
    """What is still to come of one purchase order."""

    order_id: Identifier
    supplier: Identifier
    outstanding: Units
    placed_ms: EventTimeMs


class Position(Message):
    """Stock and every open order of a key; `source_offsets` are the next offsets to apply, per topic.

    `on_hand` is null before the first stock level: unknown, never zero. `unexplained_gain` is what stock has
    risen by since the position before without a movement that brought it. Like `backordered` and `reserved`
    it is absent where it is 0.
    """

    sku: Sku
    location: Location
    as_of_ms: EventTimeMs
    on_hand: Units | None
    backordered: Units = Field(0, exclude_if=left_out_if_zero)
    reserved: Units = Field(0, exclude_if=left_out_if_zero)
    open_orders: list[OpenOrder]
    source_offsets: dict[str, int]
    unexplained_gain: Units = Field(0, exclude_if=left_out_if_zero)


class Policy(Message):
    """Planning parameters of a group, set by a planner.

    An item's own `replenishment` comes first, then that of the longest path among `categories` that its
    category is or lies below, then that of its `segment`, then the group's, then the default.
    """

    event_type: Literal["policy"] = "policy"
    policy_id: Identifier
    event_time_ms: EventTimeMs
    planning_group: Identifier
    budget: Money | None = None
    limits: GroupLimits | None = Field(None, exclude_if=left_out_if_none)
    replenishment: Replenishment | None = Field(None, exclude_if=left_out_if_none)
    categories: list[CategoryReplenishment] | None = Field(None, exclude_if=left_out_if_none)
    segments: list[SegmentReplenishment] | None = Field(None, exclude_if=left_out_if_none)
    author: Identifier
    reason: str
    request_id: Identifier | None = Field(None, exclude_if=left_out_if_none)


class ForecastReference(Record):
    """Which forecast a decision read; `digest` is over the whole forecast message."""

    origin_ms: EventTimeMs
    model_id: Identifier
    digest: Digest


class LeadTimeCount(Record):
    """How many receipts of a supplier took `days` calendar days."""

    days: Annotated[int, Field(ge=0, le=365)]
    receipts: Annotated[int, Field(ge=1)]


class DecisionInputs(Record):
    """Everything a wanted quantity depends on besides the forecast message it names."""

    forecast: ForecastReference | None
    on_hand: Units | None
    backordered: Units = Field(0, exclude_if=left_out_if_zero)
    reserved: Units = Field(0, exclude_if=left_out_if_zero)
    unmet_demand: UnmetDemand = Field("lost", exclude_if=left_out_if_lost)
    open_orders: list[OpenOrder]
    lead_times: Annotated[list[LeadTimeCount], Field(min_length=1)]
    delivery: Delivery = Field("independent", exclude_if=left_out_if_independent)
    review_period_days: Annotated[int, Field(ge=1, le=365)]
    cycle_service_level: Probability
    min_order_quantity: Annotated[int, Field(ge=1)]
    case_pack: Annotated[int, Field(ge=1)]
    maximum_stock: Units | None
    supplier: Identifier
    unit_cost: Money
    price: Money
    planning_group: Identifier
    time_zone: str
    end_ms: EventTimeMs | None
    input_stale: bool
    overrides: list[AppliedOverride] = Field([], exclude_if=left_out_if_empty)
    replenishment: Replenishment | None = Field(None, exclude_if=left_out_if_none)
    limits: OrderLimits | None = Field(None, exclude_if=left_out_if_none)
    supplier_calendar: SupplierCalendar | None = Field(None, exclude_if=left_out_if_none)
    unit_volume: Volume | None = Field(None, exclude_if=left_out_if_none)


ReasonCode = Literal[
    "POLICY",
    "CASE_PACK",
    "MIN_ORDER_QUANTITY",
    "MAXIMUM_STOCK",
    "KICK_START",
    "MINIMUM_STOCK",
    "COVER_CAP",
    "ROUNDED_PAST_MAXIMUM",
    "HOLD",
    "NO_ORDER_DAY",
    "BUDGET",
    "SPACE",
    "SUPPLIER_MINIMUM",
    "END_OF_LIFE",
    "STOCK_UNKNOWN",
    "FORECAST_MISSING",
    "FORECAST_FALLBACK",
    "INPUT_STALE",
    "PARTITION_MISSING",
    "ALLOCATION_FALLBACK",
    "OVERRIDE_FORECAST",
    "OVERRIDE_QUANTITY",
    "HELD",
    "REJECTED",
    "RELEASED",
]


class Adjustment(Record):
    """One step from the wanted quantity to the ordered one; equal values mean a remark only."""

    reason: ReasonCode
    before: Units
    after: Units
    detail: str = ""


class ValueSegment(Record):
    """`quantity` more units are each worth `unit_value` (currency of the price); values never rise."""

    quantity: Annotated[int, Field(ge=1)]
    unit_value: Annotated[float, Field(ge=0)]


class Proposal(Message):
    """What one SKU wants in one epoch, before the shared budget."""

    event_type: Literal["proposal"] = "proposal"
    planning_group: Identifier
    epoch_ms: EventTimeMs
    partition: Annotated[int, Field(ge=0)]
    decision_id: Identifier
    sku: Sku
    location: Location
    cause: Identifier
    unconstrained_quantity: Units
    quantity: Units
    blocked: bool
    adjustments: list[Adjustment]
    segments: list[ValueSegment]
    expected_receipt_ms: EventTimeMs | None
    forecaster: str | None
    inputs: DecisionInputs
    input_digest: Digest
    supersedes: Identifier | None = Field(None, exclude_if=left_out_if_none)


class ProposalsComplete(Message):
    """Ends a partition's epoch: `count` proposals with the digest over their sorted input digests."""

    event_type: Literal["proposals_complete"] = "proposals_complete"
    planning_group: Identifier
    epoch_ms: EventTimeMs
    partition: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(ge=0)]
    digest: Digest


class AllocatedLine(Record):
    """What the run gave to one proposal."""

    decision_id: Identifier
    wanted: Units
    allocated: Units


class SolverOptions(Record):
    """How the solver was run; one thread and a fixed seed make it repeatable."""

    name: str
    version: str
    threads: Literal[1]
    seed: int
    time_limit_seconds: Annotated[float, Field(gt=0)]
    relative_gap: Annotated[float, Field(ge=0)]


class AllocationRun(Message):
    """One budget step across the SKUs of a group: inputs, solver, truthfully reported status, result."""

    run_id: Identifier
    planning_group: Identifier
    epoch_ms: EventTimeMs
    budget: Money | None
    proposals_digest: Digest
    missing_partitions: list[int]
    solver: SolverOptions
    status: Literal["unconstrained", "optimal", "feasible_time_limit", "greedy_fallback"]
    objective: float
    gap: float | None
    shadow_price: float | None
    limits: GroupLimits | None = Field(None, exclude_if=left_out_if_none)
    outcome: LimitsOutcome | None = Field(None, exclude_if=left_out_if_none)
    spent: TotalCost
    lines: list[AllocatedLine]


class ReorderDecision(Message):
    """One reorder decision for one SKU, location and epoch, with all its inputs and reasons.

    Of decisions that supersede each other only the newest is to be placed, and only if no order has been
    placed for an earlier one. `action` is what a planner said where that has stopped a decision;
    `unspent_budget` what a decision between reviews could draw on.
    """

    decision_id: Identifier
    sku: Sku
    location: Location
    epoch_ms: EventTimeMs
    cause: Identifier
    sequence: Annotated[int, Field(ge=1)]
    supersedes: Identifier | None = None
    status: Literal["order", "no_order", "blocked"]
    quantity: Units
    unconstrained_quantity: Units
    adjustments: list[Adjustment]
    supplier: Identifier
    order_group_id: Identifier
    cost: TotalCost
    expected_receipt_ms: EventTimeMs | None
    forecaster: str | None
    inputs: DecisionInputs
    input_digest: Digest
    allocation_run_id: Identifier
    allocation_digest: Digest
    action: DecisionAction | None = Field(None, exclude_if=left_out_if_none)
    unspent_budget: TotalCost | None = Field(None, exclude_if=left_out_if_none)

    def is_revision(self) -> bool:
        """Whether it was made between reviews."""
        return self.cause != REVIEW


Policies = Annotated[Policy | Heartbeat, Field(discriminator="event_type")]
Proposals = Annotated[Proposal | ProposalsComplete, Field(discriminator="event_type")]
