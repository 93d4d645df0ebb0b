"""Shares a budget among the SKUs of a planning group: HiGHS through PuLP, checked in exact money.

Every plan is made of whole packs, gives a SKU nothing or at least its least order, never more than it wants,
and costs no more than the budget; a plan that breaks this is not used, whatever the solver calls it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from itertools import accumulate
from typing import Literal

from infra.contracts.inventory import SolverOptions, ValueSegment
from serving.inventory.budget_model import Solution, solve

Status = Literal["unconstrained", "optimal", "feasible_time_limit", "greedy_fallback"]
Plan = Mapping[str, int]
"""Units by decision id."""


@dataclass(frozen=True)
class Wish:
    """What one decision wants; the first segment is bought whole or not at all."""

    decision_id: str
    quantity: int
    case_pack: int
    unit_cost: Decimal
    segments: Sequence[ValueSegment]

    def value_of(self, quantity: int) -> float:
        """Worth of the first `quantity` units."""
        ends = accumulate(segment.quantity for segment in self.segments)
        bought = (
            (max(0, quantity - (end - segment.quantity)), segment)
            for end, segment in zip(ends, self.segments, strict=True)
        )
        return math.fsum(min(units, segment.quantity) * segment.unit_value for units, segment in bought)


@dataclass(frozen=True)
class Allocation:
    """A plan with its truthfully reported status."""

    plan: Plan
    status: Status
    objective: float
    spent: Decimal
    gap: float | None
    shadow_price: float | None


def solver_options(time_limit_seconds: float) -> SolverOptions:
    """How allocations are solved here."""
    return SolverOptions(
        name="HiGHS",
        version=version("highspy"),
        threads=1,
        seed=0,
        time_limit_seconds=time_limit_seconds,
        relative_gap=1e-5,
    )


def allocate(wishes: Sequence[Wish], budget: Decimal | None, options: SolverOptions) -> Allocation:
    """Gives each wish its share; independent of the order of the wishes."""
    wishes = sorted(wishes, key=lambda wish: wish.decision_id)
    everything = {wish.decision_id: wish.quantity for wish in wishes}
    if budget is None or spending(wishes, everything) <= budget:
        return _allocation(wishes, everything, "unconstrained", Solution(everything, False, None, None))
    wanting = [wish for wish in wishes if wish.quantity > 0]
    solution = solve(wanting, budget, options)
    if solution is not None:
        plan = everything | {wish.decision_id: 0 for wish in wishes} | dict(solution.plan)
        if violation(wishes, plan, budget) is None:
            status: Status = "optimal" if solution.proven else "feasible_time_limit"
            return _allocation(wishes, plan, status, solution)
    plan = greedy_plan(wishes, budget)
    return _allocation(wishes, plan, "greedy_fallback", Solution(plan, False, None, None))


def _allocation(wishes: Sequence[Wish], plan: Plan, status: Status, solution: Solution) -> Allocation:
    return Allocation(
        plan,
        status,
        total_value(wishes, plan),
        spending(wishes, plan),
        solution.gap,
        solution.shadow_price,
    )


def total_value(wishes: Sequence[Wish], plan: Plan) -> float:
    """Worth of a plan; the same whatever the order of the wishes."""
    return math.fsum(wish.value_of(plan[wish.decision_id]) for wish in wishes)


def spending(wishes: Sequence[Wish], plan: Plan) -> Decimal:
    """Exact cost of a plan."""
    return sum((wish.unit_cost * plan[wish.decision_id] for wish in wishes), Decimal(0))


def violation(wishes: Sequence[Wish], plan: Plan, budget: Decimal | None) -> str | None:
    """The first rule that a plan breaks, in exact arithmetic; None for a plan that can be ordered."""
    for wish in wishes:
        quantity = plan[wish.decision_id]
        if not 0 <= quantity <= wish.quantity:
            return f"{wish.decision_id}: {quantity} is not within 0..{wish.quantity}"
        if quantity % wish.case_pack:
            return f"{wish.decision_id}: {quantity} is not in packs of {wish.case_pack}"
        if 0 < quantity < wish.segments[0].quantity:
            return f"{wish.decision_id}: {quantity} is under the least order {wish.segments[0].quantity}"
    cost = spending(wishes, plan)
    if budget is not None and cost > budget:
        return f"the plan costs {cost}, the budget is {budget}"
    return None


def greedy_plan(wishes: Sequence[Wish], budget: Decimal) -> dict[str, int]:
    """Buys by value per money, best first, whole packs, while the budget lasts."""
    plan = {wish.decision_id: 0 for wish in wishes}
    left = budget
    for wish, segment, start in _by_value_per_money(wishes):
        if plan[wish.decision_id] < start:
            continue
        affordable = segment.quantity
        if wish.unit_cost > 0:
            affordable = min(affordable, int(left / (wish.unit_cost * wish.case_pack)) * wish.case_pack)
        if start == 0 and affordable < segment.quantity:
            continue
        plan[wish.decision_id] += affordable
        left -= wish.unit_cost * affordable
    return plan


def _by_value_per_money(wishes: Sequence[Wish]) -> list[tuple[Wish, ValueSegment, int]]:
    """Every segment with the quantity bought before it."""
    segments = [
        (wish, segment, end - segment.quantity)
        for wish in wishes
        for end, segment in zip(accumulate(s.quantity for s in wish.segments), wish.segments, strict=True)
    ]

    def rank(entry: tuple[Wish, ValueSegment, int]) -> tuple[float, str, int]:
        wish, segment, start = entry
        cost = float(wish.unit_cost)
        return (-segment.unit_value / cost if cost else -math.inf, wish.decision_id, start)

    return sorted(segments, key=rank)
