"""What a planning group's orders must keep to besides its budget, and what came of it."""

from typing import Literal

from pydantic import Field

from infra.contracts.message import Identifier, Money, Record, Volume


class SupplierMinimum(Record):
    """The least value of an order that a supplier accepts."""

    supplier: Identifier
    amount: Money


class GroupLimits(Record):
    """What a group's orders must keep to besides the budget.

    `space` is the volume that its stock, open orders and new orders may take together.
    """

    space: Volume | None = None
    supplier_minimums: list[SupplierMinimum] = Field([])


class SupplierOutcome(Record):
    """A supplier with a minimum: whether it gets no order for it, and what a minimum one lower is worth."""

    supplier: Identifier
    left_out: bool
    price: float | None


class UnmetLimit(Record):
    """A limit that keeps what planners have set from being ordered whole."""

    limit: Literal["budget", "space", "supplier_minimum"]
    supplier: Identifier | None
    needed: str
    available: str


class LimitsOutcome(Record):
    """What came of a group's limits: `space_price` per unit of volume; `unmet`, the worst first."""

    space_price: float | None
    suppliers: list[SupplierOutcome]
    unmet: list[UnmetLimit]
