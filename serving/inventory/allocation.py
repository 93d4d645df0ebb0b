"""Shares what a planning group may order among its SKUs: HiGHS, checked in exact arithmetic.

Every plan is made of whole packs, gives a SKU nothing or at least its least order, never more than it wants,
and keeps to budget, space and the suppliers' minimums; a plan that does not is not used, whatever the solver
calls it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from itertools import accumulate
from typing import Literal

from infra.contracts.inventory import SolverOptions, ValueSegment
from serving.inventory.allocation_model import Prices, Solution, solve
from serving.inventory.wishes import (
    Broken,
    Limits,
    Plan,
    Wish,
    broken_limits,
    order_values,
    spending,
    total_value,
    violation,
)

Status = Literal["unconstrained", "optimal", "feasible_time_limit", "greedy_fallback"]
_BEFORE_OTHERS = 10.0
"""Where not all that planners have set fits: how much better its money is spent than on the best wish."""


@dataclass(frozen=True)
class Allocation:
    """A plan with its truthfully reported status.

    `unmet` says why what planners have set cannot all be ordered: the limits that it breaks, worst first.
    """

    plan: Plan
    status: Status
    objective: float
    spent: Decimal
    gap: float | None
    prices: Prices
    unmet: Sequence[Broken] = ()


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


def allocate(wishes: Sequence[Wish], limits: Limits, options: SolverOptions) -> Allocation:
    """Gives each wish its share; independent of the order of the wishes."""
    wishes = sorted(wishes, key=lambda wish: wish.decision_id)
    everything = {wish.decision_id: wish.quantity for wish in wishes}
    if not broken_limits(wishes, everything, limits):
        return _allocation(wishes, everything, "unconstrained", Solution(everything, False, None, Prices()))
    unmet = unmet_limits(wishes, limits)
    wanting = [wish for wish in wishes if wish.quantity > 0]
    solution = solve(wanting, limits, options, _bonus(wanting) if unmet else None)
    if solution is not None:
        plan = everything | {wish.decision_id: 0 for wish in wishes} | dict(solution.plan)
        if violation(wishes, plan, limits) is None:
            status: Status = "optimal" if solution.proven else "feasible_time_limit"
            return _allocation(wishes, plan, status, solution, unmet)
    plan = greedy_plan(wishes, limits)
    gap = _relative_gap(total_value(wishes, plan), value_bound(wishes, limits))
    return _allocation(wishes, plan, "greedy_fallback", Solution(plan, False, gap, Prices()), unmet)


def _allocation(
    wishes: Sequence[Wish], plan: Plan, status: Status, solution: Solution, unmet: Sequence[Broken] = ()
) -> Allocation:
    worth, cost = total_value(wishes, plan), spending(wishes, plan)
    return Allocation(plan, status, worth, cost, solution.gap, solution.prices, unmet)


def unmet_limits(wishes: Sequence[Wish], limits: Limits) -> list[Broken]:
    """The limits that keep what planners have set from being ordered whole, worst first.

    A supplier's minimum counts as met if all that is wished from the supplier reaches it.
    """
    musts = [wish for wish in wishes if wish.must and wish.quantity]
    alone = {wish.decision_id: wish.quantity if wish in musts else 0 for wish in wishes}
    reachable = order_values(wishes, {wish.decision_id: wish.quantity for wish in wishes})
    least = limits.supplier_minimums
    broken = broken_limits(wishes, alone, limits)
    return [each for each in broken if not each.supplier or reachable[each.supplier] < least[each.supplier]]


def _bonus(wishes: Sequence[Wish]) -> float:
    ratios = [wish.segments[0].unit_value / float(wish.unit_cost) for wish in wishes if wish.unit_cost]
    return _BEFORE_OTHERS * max([1.0, *ratios])


def greedy_plan(wishes: Sequence[Wish], limits: Limits) -> dict[str, int]:
    """Buys by value per money, best first, whole packs, while budget and space last; planners' wishes first.

    Suppliers whose order stays under their minimum get none, and what that leaves goes to the others.
    """
    dropped: set[str] = set()
    while True:
        open_wishes = [wish for wish in wishes if wish.supplier not in dropped]
        plan = {wish.decision_id: 0 for wish in wishes} | _bought(open_wishes, limits)
        values = order_values(wishes, plan)
        short = {name for name, value in values.items() if value < limits.supplier_minimums.get(name, 0)}
        if not short:
            return plan
        dropped |= short


def _bought(wishes: Sequence[Wish], limits: Limits) -> dict[str, int]:
    plan = {wish.decision_id: 0 for wish in wishes}
    left = [limits.budget, limits.space]
    for wish, segment, start in _by_value_per_money(wishes):
        if plan[wish.decision_id] < start:
            continue
        per_unit = (wish.unit_cost, wish.unit_volume)
        packs = (
            int(rest / (each * wish.case_pack))
            for rest, each in zip(left, per_unit, strict=True)
            if rest is not None and each > 0
        )
        affordable = min([segment.quantity, *(count * wish.case_pack for count in packs)])
        if start == 0 and affordable < segment.quantity:
            continue
        plan[wish.decision_id] += affordable
        left = [
            None if rest is None else rest - each * affordable
            for rest, each in zip(left, per_unit, strict=True)
        ]
    return plan


def _by_value_per_money(wishes: Sequence[Wish]) -> list[tuple[Wish, ValueSegment, int]]:
    """Every segment with the quantity bought before it."""
    segments = [
        (wish, segment, end - segment.quantity)
        for wish in wishes
        for end, segment in zip(accumulate(s.quantity for s in wish.segments), wish.segments, strict=True)
    ]

    def rank(entry: tuple[Wish, ValueSegment, int]) -> tuple[bool, float, str, int]:
        wish, segment, start = entry
        cost = float(wish.unit_cost)
        return (not wish.must, -segment.unit_value / cost if cost else -math.inf, wish.decision_id, start)

    return sorted(segments, key=rank)


def value_bound(wishes: Sequence[Wish], limits: Limits) -> float:
    """No plan is worth more: the best fill of budget or of space alone with divisible units."""
    cost = [wish.unit_cost for wish in wishes]
    bounds = [_best_fill(wishes, limits.budget, cost)]
    bounds.append(_best_fill(wishes, limits.space, [wish.unit_volume for wish in wishes]))
    return min(bounds)


def _best_fill(wishes: Sequence[Wish], limit: Decimal | None, per_unit: Sequence[Decimal]) -> float:
    left = math.inf if limit is None else float(limit)
    parts = [
        (segment.unit_value / size if size else math.inf, segment.quantity, size, segment.unit_value)
        for wish, size in zip(wishes, map(float, per_unit), strict=True)
        for segment in wish.segments
    ]
    worth = 0.0
    for _, units, size, value in sorted(parts, key=lambda part: -part[0]):
        taken = min(units, left / size) if size else units
        worth, left = worth + taken * value, left - taken * size
    return worth


def _relative_gap(worth: float, bound: float) -> float | None:
    """How far the bound lies above the worth; None where a plan is worth nothing and the bound something."""
    if worth <= 0:
        return None if bound > 0 else 0.0
    return max(0.0, bound - worth) / worth
