"""What SKUs wish for, what limits a group's orders, and whether a plan keeps to it: in exact arithmetic.

Nothing here knows a solver, so that whatever a solver says can be checked.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import Literal

from infra.contracts.inventory import ValueSegment

Plan = Mapping[str, int]
"""Units by decision id."""

NONE = Decimal(0)


@dataclass(frozen=True)
class Wish:
    """What one decision wants; the first segment is bought whole or not at all.

    Attributes:
        decision_id: of the decision.
        quantity: units, whole packs.
        case_pack: units.
        unit_cost: in the group's currency.
        segments: the units' worth, best first.
        supplier: of the item.
        unit_volume: of the storage that is limited.
        must: whether a planner has set the quantity: all of it comes before what others merely wish for.
    """

    decision_id: str
    quantity: int
    case_pack: int
    unit_cost: Decimal
    segments: Sequence[ValueSegment]
    supplier: str = ""
    unit_volume: Decimal = NONE
    must: bool = False

    def value_of(self, quantity: int) -> float:
        """Worth of the first `quantity` units."""
        ends = accumulate(segment.quantity for segment in self.segments)
        bought = (
            (max(0, quantity - (end - segment.quantity)), segment)
            for end, segment in zip(ends, self.segments, strict=True)
        )
        return math.fsum(min(units, segment.quantity) * segment.unit_value for units, segment in bought)


@dataclass(frozen=True)
class Limits:
    """What the orders of a group may come to; None or nothing where there is no limit.

    Attributes:
        budget: money.
        space: volume that orders may take.
        supplier_minimums: the least value of an order that a supplier accepts, by supplier.
    """

    budget: Decimal | None = None
    space: Decimal | None = None
    supplier_minimums: Mapping[str, Decimal] = field(default_factory=dict)


def total_value(wishes: Sequence[Wish], plan: Plan) -> float:
    """Worth of a plan; the same whatever the order of the wishes."""
    return math.fsum(wish.value_of(plan[wish.decision_id]) for wish in wishes)


def spending(wishes: Sequence[Wish], plan: Plan) -> Decimal:
    """Exact cost of a plan."""
    return sum((wish.unit_cost * plan[wish.decision_id] for wish in wishes), NONE)


def volume(wishes: Sequence[Wish], plan: Plan) -> Decimal:
    """Exact volume of a plan."""
    return sum((wish.unit_volume * plan[wish.decision_id] for wish in wishes), NONE)


def order_values(wishes: Sequence[Wish], plan: Plan) -> dict[str, Decimal]:
    """What a plan orders from each supplier that gets an order."""
    values: dict[str, Decimal] = {}
    for wish in wishes:
        if plan[wish.decision_id]:
            cost = wish.unit_cost * plan[wish.decision_id]
            values[wish.supplier] = values.get(wish.supplier, NONE) + cost
    return values


def violation(wishes: Sequence[Wish], plan: Plan, limits: Limits) -> str | None:
    """The first rule that a plan breaks, in exact arithmetic; None for a plan that can be ordered."""
    for wish in wishes:
        quantity = plan[wish.decision_id]
        if not 0 <= quantity <= wish.quantity:
            return f"{wish.decision_id}: {quantity} is not within 0..{wish.quantity}"
        if quantity % wish.case_pack:
            return f"{wish.decision_id}: {quantity} is not in packs of {wish.case_pack}"
        if 0 < quantity < wish.segments[0].quantity:
            return f"{wish.decision_id}: {quantity} is under the least order {wish.segments[0].quantity}"
    broken = broken_limits(wishes, plan, limits)
    return broken[0].said if broken else None


@dataclass(frozen=True)
class Broken:
    """A limit that a plan does not keep; `excess` is relative to it."""

    limit: Literal["budget", "space", "supplier_minimum"]
    supplier: str | None
    needed: Decimal
    available: Decimal
    said: str

    @property
    def excess(self) -> Decimal:
        """How far off, relative to the limit; infinite where it is 0."""
        apart = abs(self.needed - self.available)
        return apart / self.available if self.available else Decimal("Infinity")


def broken_limits(wishes: Sequence[Wish], plan: Plan, limits: Limits) -> list[Broken]:
    """Every limit that a plan breaks, the one that it breaks most first."""
    broken, cost, size = [], spending(wishes, plan), volume(wishes, plan)
    if limits.budget is not None and cost > limits.budget:
        said = f"the plan costs {cost}, the budget is {limits.budget}"
        broken.append(Broken("budget", None, cost, limits.budget, said))
    if limits.space is not None and size > limits.space:
        said = f"the plan takes {size}, the space left is {limits.space}"
        broken.append(Broken("space", None, size, limits.space, said))
    for supplier, value in sorted(order_values(wishes, plan).items()):
        least = limits.supplier_minimums.get(supplier, NONE)
        if value < least:
            said = f"{supplier} gets an order of {value}, its minimum is {least}"
            broken.append(Broken("supplier_minimum", supplier, value, least, said))
    return sorted(broken, key=lambda each: -each.excess)
