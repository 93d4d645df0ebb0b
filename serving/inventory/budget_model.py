"""The budget step as a mixed-integer program.

Per SKU: a binary for the first segment (the least order, whole or not at all), an integer number of further
packs, and the filled part of each further segment. Segment values never rise, so the best fill is in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import pulp

from infra.contracts.inventory import SolverOptions, ValueSegment


class Buyable(Protocol):
    """What the model needs to know of a SKU's wish."""

    @property
    def decision_id(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def case_pack(self) -> int: ...
    @property
    def unit_cost(self) -> Decimal: ...
    @property
    def segments(self) -> Sequence[ValueSegment]: ...


@dataclass(frozen=True)
class Solution:
    """A solver's plan; `proven` only where it is optimal within the gap, `shadow_price` per unit of money."""

    plan: Mapping[str, int]
    proven: bool
    gap: float | None
    shadow_price: float | None


@dataclass(frozen=True)
class _Model:
    problem: Any
    ordered: Sequence[Any]
    packs: Sequence[Any]
    budget_row: Any


def solve(wishes: Sequence[Buyable], budget: Decimal, options: SolverOptions) -> Solution | None:
    """The best plan found within the time limit; None where the solver found none.

    PuLP reports a solve that hit its time limit as "Optimal", so only the solution status is believed.
    """
    model = _build(wishes, budget)
    try:
        model.problem.solve(_solver(options))
    except pulp.PulpSolverError:
        return None
    if model.problem.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return None
    ordered = [round(variable.varValue) for variable in model.ordered]
    return Solution(
        plan={
            wish.decision_id: wish.segments[0].quantity * bought + wish.case_pack * round(packs.varValue)
            for wish, bought, packs in zip(wishes, ordered, model.packs, strict=True)
        },
        proven=model.problem.sol_status == pulp.LpSolutionOptimal,
        gap=float(model.problem.solverModel.getInfo().mip_gap),
        shadow_price=_shadow_price(wishes, budget, ordered, options),
    )


def _solver(options: SolverOptions) -> Any:
    return pulp.HiGHS(
        msg=False,
        threads=options.threads,
        random_seed=options.seed,
        timeLimit=options.time_limit_seconds,
        gapRel=options.relative_gap,
    )


def _build(wishes: Sequence[Buyable], budget: Decimal, fixed: Sequence[int] | None = None) -> _Model:
    """The program; with `fixed` first segments it becomes the linear program that prices the budget."""
    problem = pulp.LpProblem("allocation", pulp.LpMaximize)
    binary, integer = (pulp.LpBinary, pulp.LpInteger) if fixed is None else (pulp.LpContinuous,) * 2
    ordered, packs, worth, costs = [], [], [], []
    for i, wish in enumerate(wishes):
        first, *rest = wish.segments
        most = (wish.quantity - first.quantity) // wish.case_pack
        y = problem.add_variable(f"ordered_{i:06}", 0, 1, binary)
        n = problem.add_variable(f"packs_{i:06}", 0, most, integer)
        fills = [
            problem.add_variable(f"fill_{i:06}_{k:02}", 0, segment.quantity / wish.case_pack)
            for k, segment in enumerate(rest)
        ]
        problem += pulp.lpSum(fills) - n == 0
        problem += n - most * y <= 0
        if fixed is not None:
            y.bounds(fixed[i], fixed[i])
        worth.append(first.quantity * first.unit_value * y)
        worth += [
            segment.unit_value * wish.case_pack * fill for segment, fill in zip(rest, fills, strict=True)
        ]
        costs.append(float(wish.unit_cost * first.quantity) * y + float(wish.unit_cost * wish.case_pack) * n)
        ordered.append(y)
        packs.append(n)
    budget_row = pulp.lpSum(costs) <= float(budget)
    problem += pulp.lpSum(worth)
    problem += budget_row
    return _Model(problem, ordered, packs, budget_row)


def _shadow_price(
    wishes: Sequence[Buyable], budget: Decimal, ordered: Sequence[int], options: SolverOptions
) -> float | None:
    """What one more unit of money would be worth, with the choice of SKUs fixed and packs divisible."""
    model = _build(wishes, budget, ordered)
    try:
        model.problem.solve(_solver(options))
    except pulp.PulpSolverError:
        return None
    if model.problem.sol_status != pulp.LpSolutionOptimal:
        return None
    return abs(float(model.budget_row.pi))
