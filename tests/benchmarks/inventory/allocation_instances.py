"""10,000 random allocations: does every plan keep to every limit, and is what is called optimal optimal?

Simulated groups of 1 to 12 SKUs, one in fifty of 60, with budget, space and two suppliers' minimums, alone
and together; in a sixth of them planners have set quantities, often more than fits. One in fifty has no time
at all; one in fifty of 60 and one in fifty of 200 SKUs have a tenth of a second, which is too little for many
of them: their overrun is told apart. Plans are checked in exact arithmetic, and the optimum is found
again by scipy from a model that lists every quantity of a SKU as a choice of its own; with 200 SKUs that
search ends after 2 seconds, and a better plan found by then disproves one that is called optimal.
"""

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing import get_context

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from infra.contracts.inventory import ValueSegment
from serving.inventory.allocation import Allocation, allocate, solver_options
from serving.inventory.wishes import Limits, Wish, spending, violation, volume
from tests.benchmarks.figures import Figure, measured

INSTANCES, PROCESSES = 10_000, 2
CENT = Decimal("0.01")
IN_FIFTY: dict[int, tuple[int, float]] = {0: (60, 5.0), 1: (12, 1e-9), 2: (60, 0.1), 3: (200, 0.1)}
"""SKUs and seconds of one in fifty instances each; the others have 1 to 12 SKUs and 5 seconds."""


@dataclass(frozen=True)
class Result:
    """What came of an instance; the overrun is a share of the limit, hurried are those with 0.1 s."""

    status: str
    unmet: bool
    violated: bool
    false_optimum: bool
    overrun: float
    is_hurried: bool


def wishes_of(rng: np.random.Generator, size: int) -> list[Wish]:
    """Random wishes."""
    with_musts = rng.random() < 1 / 6
    return [_wish(rng, number, with_musts) for number in range(size)]


def _wish(rng: np.random.Generator, number: int, with_musts: bool) -> Wish:
    pack, parts = int(rng.choice([1, 6, 12])), int(rng.integers(1, 6))
    values = np.sort(rng.uniform(0, 4, parts))[::-1].tolist()
    segments = [
        ValueSegment(quantity=pack * int(rng.integers(1, 5)), unit_value=round(value, 3)) for value in values
    ]
    return Wish(
        f"d{number:03}",
        sum(segment.quantity for segment in segments),
        pack,
        Decimal(int(rng.integers(1, 900))) / 100,
        segments,
        str(rng.choice(["x", "y", "z"])),
        Decimal(int(rng.integers(0, 40))) / 10,
        bool(with_musts and rng.random() < 0.3),
    )


def limits_of(rng: np.random.Generator, wishes: list[Wish]) -> Limits:
    """Random limits of what all wishes together come to."""
    everything = {wish.decision_id: wish.quantity for wish in wishes}
    cost, size = spending(wishes, everything), volume(wishes, everything)
    shares = [Decimal(str(round(share, 3))) for share in rng.uniform(0, 1.1, 4).tolist()]
    minimums = {name: cost * share / 2 for name, share in zip("xy", shares[2:], strict=True)}
    return Limits(
        (cost * shares[0]).quantize(CENT) if rng.random() < 0.8 else None,
        (size * shares[1]).quantize(CENT) if rng.random() < 0.5 else None,
        minimums if rng.random() < 0.5 else {},
    )


def best_value(wishes: list[Wish], limits: Limits, least: float) -> float:
    """The optimum, each quantity of a SKU being a binary; `least` where there is none."""
    choices = [
        (number, quantity)
        for number, wish in enumerate(wishes)
        for quantity in range(wish.segments[0].quantity, wish.quantity + 1, wish.case_pack)
        if not wish.must or quantity == wish.quantity
    ]
    suppliers = sorted(limits.supplier_minimums)
    columns, size = len(choices) + len(suppliers), len(wishes)
    worth = [wishes[number].value_of(quantity) for number, quantity in choices]
    once = np.zeros((size, columns))
    for column, (number, _) in enumerate(choices):
        once[number, column] = 1
    at_least = [float(wish.must and wish.quantity > 0) for wish in wishes]
    rules = [LinearConstraint(once, at_least, np.ones(size))]
    chosen = [(wishes[number], quantity) for number, quantity in choices]
    amounts = np.array([[float(wish.unit_cost * q), float(wish.unit_volume * q)] for wish, q in chosen])
    for limit, amount in zip((limits.budget, limits.space), amounts.T, strict=True):
        if limit is not None:
            rules.append(LinearConstraint(np.append(amount, np.zeros(len(suppliers))), -np.inf, float(limit)))
    for index, name in enumerate(suppliers, start=len(choices)):
        own = np.array([wishes[number].supplier == name for number, _ in choices])
        row = np.append(amounts[:, 0] * own, np.zeros(len(suppliers)))
        row[index] = -float(limits.supplier_minimums[name])
        rules.append(LinearConstraint(row, 0, np.inf))
        only_if_used = np.zeros((int(own.sum()), columns))
        only_if_used[np.arange(len(only_if_used)), np.flatnonzero(own)] = 1
        only_if_used[:, index] = -1
        if own.any():
            rules.append(LinearConstraint(only_if_used, -np.inf, 0))
    found = milp(
        -np.append(worth, np.zeros(len(suppliers))),
        constraints=rules,
        bounds=Bounds(0, 1),
        integrality=np.ones(columns),
        options={"mip_rel_gap": 0, "time_limit": 2.0 if size > 60 else 60.0},
    )
    return least if found.x is None else -float(found.fun)


def result(seed: int) -> Result:
    """Solves an instance, checks its plan, and its optimum if it is called optimal."""
    rng = np.random.default_rng([9, seed])
    size, seconds = IN_FIFTY.get(seed % 50, (int(rng.integers(1, 13)), 5.0))
    wishes = wishes_of(rng, size)
    limits = limits_of(rng, wishes)
    started = time.perf_counter()
    plan = allocate(wishes, limits, solver_options(seconds))
    late = max(0.0, (time.perf_counter() - started) / seconds - 1) if seconds > 1e-6 else 0.0
    violated = violation(wishes, plan.plan, limits) is not None
    return Result(
        plan.status, bool(plan.unmet), violated, _is_false(plan, wishes, limits), late, seconds == 0.1
    )


def _is_false(plan: Allocation, wishes: list[Wish], limits: Limits) -> bool:
    if plan.status not in ("optimal", "unconstrained") or plan.unmet:
        return False
    best = best_value(wishes, limits, plan.objective)
    return plan.objective < best - 1e-6 - 1.1e-5 * abs(best)


def figures() -> list[Figure]:
    """Violations, false optima, and time over the limit."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(result, range(INSTANCES), chunksize=100))
    counts = Counter(each.status for each in results)
    said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    how = f"simulated; {said}; {sum(each.unmet for each in results)} in which planners' quantities do not fit"
    late = float(np.quantile([each.overrun for each in results], 0.999))
    hurried = [each for each in results if each.is_hurried]
    ended = sum(each.status == "feasible_time_limit" for each in hurried)
    timed = f"simulated; {len(hurried)} instances of 60 and 200 SKUs with 0.1 s, {ended} ended by it"

    def none(value: float) -> bool:
        return value == 0

    return [
        measured("allocation.violations", [sum(each.violated for each in results)], "plans", how, "0", none),
        measured(
            "allocation.false_optima", [sum(each.false_optimum for each in results)], "plans", how, "0", none
        ),
        measured("allocation.overrun_p999", [late], "of limit", how, "<= 0.1", lambda v: v <= 0.1),
        measured("allocation.overrun_hurried", [each.overrun for each in hurried], "of limit", timed),
    ]
