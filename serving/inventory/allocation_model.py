"""The allocation as a mixed-integer program.

Per SKU: a binary for the first segment (the least order, whole or not at all), an integer number of further
packs, and the filled part of each further segment. Segment values never rise, so the best fill is in order.
Per supplier with a minimum: a binary that says whether it gets an order.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from infra.contracts.inventory import SolverOptions
from serving.inventory.linear_model import INFINITY, Floats, Integers, LinearModel
from serving.inventory.wishes import Limits, Wish

_SHARE_OF_SEARCH = 0.8
"""Of the time limit, for the whole program; the rest is for prices, and for what the solver is late by."""
_LEAST_SECONDS = 1e-9


@dataclass(frozen=True)
class Prices:
    """What one more unit of each limit is worth: money, volume, and a supplier's minimum being one lower."""

    budget: float | None = None
    space: float | None = None
    suppliers: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Solution:
    """A solver's plan; `proven` only where it is optimal within the gap, and has its prices."""

    plan: Mapping[str, int]
    proven: bool
    gap: float | None
    prices: Prices


@dataclass(frozen=True)
class _Model:
    program: LinearModel
    ordered: Integers
    packs: Integers
    limit_rows: Mapping[str, int]
    supplier_rows: Mapping[str, int]


def solve(
    wishes: Sequence[Wish], limits: Limits, options: SolverOptions, bonus: float | None = None
) -> Solution | None:
    """The best plan found within the time limit, building and pricing included; None where none was found.

    Args:
        wishes: that want something, by decision id.
        limits: of the group.
        options: of the solver.
        bonus: value per money added to what planners have set; None where all of that is ordered.
    """
    began = time.perf_counter()
    model = _build(wishes, limits, bonus)
    built = time.perf_counter() - began
    searching = _SHARE_OF_SEARCH * options.time_limit_seconds - 2 * built
    outcome = model.program.maximise(_within(options, searching))
    if outcome is None:
        return None
    whole = np.round(outcome.values).astype(np.int64)
    priced = _build(wishes, limits, bonus, whole)
    left = options.time_limit_seconds - (time.perf_counter() - began)
    prices = _prices(priced, _within(options, left))
    return Solution(
        plan=_plan(wishes, model, whole),
        proven=outcome.proven and prices is not None,
        gap=outcome.gap,
        prices=prices or Prices(),
    )


def _within(options: SolverOptions, seconds: float) -> SolverOptions:
    return options.model_copy(update={"time_limit_seconds": max(seconds, _LEAST_SECONDS)})


def _plan(wishes: Sequence[Wish], model: _Model, whole: Integers) -> dict[str, int]:
    ordered, packs = whole[model.ordered].tolist(), whole[model.packs].tolist()
    return {
        wish.decision_id: wish.segments[0].quantity * bought + wish.case_pack * more
        for wish, bought, more in zip(wishes, ordered, packs, strict=True)
    }


def _prices(model: _Model, options: SolverOptions) -> Prices | None:
    """What limits are worth with the choice of SKUs and suppliers fixed and packs divisible."""
    outcome = model.program.maximise(options)
    if outcome is None or not outcome.proven:
        return None
    price = {name: float(outcome.prices[row]) for name, row in model.limit_rows.items()}
    suppliers = {name: float(outcome.prices[row]) for name, row in model.supplier_rows.items()}
    return Prices(price.get("budget"), price.get("space"), suppliers or None)


def _build(
    wishes: Sequence[Wish], limits: Limits, bonus: float | None, chosen: Integers | None = None
) -> _Model:
    """The program; with the columns `chosen` it becomes the linear program that prices the limits."""
    program, size = LinearModel(), len(wishes)
    extra = [float(wish.unit_cost) * (bonus or 0.0) if wish.must else 0.0 for wish in wishes]
    all_of = np.array([float(wish.must and bonus is None) for wish in wishes])
    most = np.array([(wish.quantity - wish.segments[0].quantity) // wish.case_pack for wish in wishes])
    fill_of, fills = _add_fills(program, wishes, extra)
    first = [
        wish.segments[0].quantity * (wish.segments[0].unit_value + more)
        for wish, more in zip(wishes, extra, strict=True)
    ]
    ordered = _add_binaries(program, first, all_of, chosen)
    packs = program.add_columns(np.zeros(size), all_of * most, most, whole=chosen is None)
    limited = sorted({wish.supplier for wish in wishes if limits.supplier_minimums.get(wish.supplier)})
    used = _add_binaries(program, np.zeros(len(limited)), np.zeros(len(limited)), chosen)
    rows = program.add_rows(np.tile([0.0, -INFINITY], size), np.zeros(2 * size))
    program.add_terms(rows[::2][fill_of], fills, 1.0)
    program.add_terms(rows[::2], packs, -1.0)
    program.add_terms(rows[1::2], packs, 1.0)
    program.add_terms(rows[1::2][most > 0], ordered[most > 0], -most[most > 0])
    limit_rows = _add_limits(program, wishes, limits, ordered, packs)
    columns = dict(zip(limited, used.tolist(), strict=True))
    supplier_rows = _add_suppliers(program, wishes, limits, (ordered, packs), columns)
    return _Model(program, ordered, packs, limit_rows, supplier_rows)


def _add_fills(
    program: LinearModel, wishes: Sequence[Wish], extra: Sequence[float]
) -> tuple[Integers, Integers]:
    """The filled packs of each further segment, with the number of the wish that each belongs to."""
    parts = [
        (number, wish.case_pack * (segment.unit_value + extra[number]), segment.quantity / wish.case_pack)
        for number, wish in enumerate(wishes)
        for segment in wish.segments[1:]
    ]
    numbers, worth, upper = np.array(parts, dtype=float).reshape(-1, 3).T
    return numbers.astype(np.int64), program.add_columns(worth, np.zeros(len(parts)), upper)


def _add_binaries(
    program: LinearModel, worth: Sequence[float] | Floats, lower: Floats, chosen: Integers | None
) -> Integers:
    if chosen is None:
        return program.add_columns(worth, lower, np.ones(len(lower)), whole=True)
    start = program.column_count
    fixed = chosen[start : start + len(lower)]
    return program.add_columns(worth, fixed, fixed)


def _add_limits(
    program: LinearModel, wishes: Sequence[Wish], limits: Limits, ordered: Integers, packs: Integers
) -> dict[str, int]:
    rows = {}
    costs, volumes = ([wish.unit_cost for wish in wishes], [wish.unit_volume for wish in wishes])
    for name, limit, per_unit in (("budget", limits.budget, costs), ("space", limits.space, volumes)):
        if limit is not None:
            row = int(program.add_rows(-INFINITY, float(limit))[0])
            _add_amounts(program, row, wishes, per_unit, (ordered, packs))
            rows[name] = row
    return rows


def _add_amounts(
    program: LinearModel,
    rows: int | Integers,
    wishes: Sequence[Wish],
    per_unit: Sequence[Decimal],
    columns: tuple[Integers, Integers],
) -> None:
    """What the ordered units cost, or take, as terms of a row."""
    ordered, packs = columns
    pairs = list(zip(wishes, per_unit, strict=True))
    program.add_terms(rows, ordered, [float(each * wish.segments[0].quantity) for wish, each in pairs])
    program.add_terms(rows, packs, [float(each * wish.case_pack) for wish, each in pairs])


def _add_suppliers(
    program: LinearModel,
    wishes: Sequence[Wish],
    limits: Limits,
    columns: tuple[Integers, Integers],
    used: Mapping[str, int],
) -> dict[str, int]:
    """A supplier that is used gets its minimum at least; of one that is not nothing is ordered."""
    rows = {}
    for supplier, column in used.items():
        chosen = np.array([number for number, wish in enumerate(wishes) if wish.supplier == supplier])
        own = [wishes[number] for number in chosen]
        ordered, packs = (each[chosen] for each in columns)
        row = int(program.add_rows(0.0, INFINITY)[0])
        _add_amounts(program, row, own, [wish.unit_cost for wish in own], (ordered, packs))
        program.add_terms(row, column, -float(limits.supplier_minimums[supplier]))
        only_if_used = program.add_rows(np.full(len(own), -INFINITY), np.zeros(len(own)))
        program.add_terms(only_if_used, ordered, 1.0)
        program.add_terms(only_if_used, column, -1.0)
        rows[supplier] = row
    return rows
