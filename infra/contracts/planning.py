"""What planners say about forecasts, quantities and decisions."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from infra.contracts.message import EventTimeMs, Heartbeat, Identifier, Message, Record, left_out_if_none

OverrideScope = Annotated[str, Field(pattern=r"^(sku|category|location):.+$")]
OverrideTarget = Literal["forecast_factor", "order_quantity"]
OverrideValue = Annotated[float, Field(ge=0, le=10_000_000)]


class Override(Message):
    """A planner's correction of a forecast or a quantity, with scope, reason and expiry.

    It is active from its event time until `expires_ms`; a newer record of the same scope and id replaces it,
    and withdraws it where its `expires_ms` is not after its event time. Scopes are `sku:S` (at every
    location), `sku:S|L`, `location:L` and `category:C` (with every category below C). A `forecast_factor`
    scales demand of the days from `from_ms` (else the event time) until `to_ms` (else the expiry); an
    `order_quantity` is a whole number of units and is ordered at each review while it is active.
    `request_id` is that of the request it came with, so that a repeated request is known.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"target": {"const": "order_quantity"}}},
            "then": {"properties": {"value": {"multipleOf": 1}}},
        }
    )

    event_type: Literal["override"] = "override"
    override_id: Identifier
    event_time_ms: EventTimeMs
    scope: OverrideScope
    target: OverrideTarget
    value: OverrideValue
    from_ms: EventTimeMs | None = Field(None, exclude_if=left_out_if_none)
    to_ms: EventTimeMs | None = Field(None, exclude_if=left_out_if_none)
    expires_ms: EventTimeMs
    author: Identifier
    reason: str
    request_id: Identifier | None = Field(None, exclude_if=left_out_if_none)

    @model_validator(mode="after")
    def _can_be_applied(self) -> Self:
        if self.target == "order_quantity" and self.value % 1:
            raise ValueError("value must be a whole number of units for order_quantity")
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ValueError("from_ms must be before to_ms")
        return self


class AppliedOverride(Record):
    """An override that a decision used; its dates run from `from_ms` (inclusive) to `to_ms` (exclusive)."""

    override_id: Identifier
    scope: OverrideScope
    target: OverrideTarget
    value: OverrideValue
    from_ms: EventTimeMs
    to_ms: EventTimeMs
    author: Identifier
    reason: str


class DecisionAction(Message):
    """A planner approves, holds or rejects a decision."""

    event_type: Literal["approve", "hold", "reject"]
    decision_id: Identifier
    event_time_ms: EventTimeMs
    author: Identifier
    reason: str
    request_id: Identifier | None = Field(None, exclude_if=left_out_if_none)


Overrides = Annotated[Override | Heartbeat, Field(discriminator="event_type")]
DecisionActions = Annotated[DecisionAction | Heartbeat, Field(discriminator="event_type")]
