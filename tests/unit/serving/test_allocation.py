import itertools
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.inventory import ValueSegment
from serving.inventory.allocation import allocate, greedy_plan, solver_options
from serving.inventory.wishes import Limits, Wish, spending, total_value, violation

OPTIONS = solver_options(10.0)


def wish(name: str, cost: str, pack: int, segments: list[tuple[int, float]]) -> Wish:
    parts = [ValueSegment(quantity=quantity, unit_value=value) for quantity, value in segments]
    return Wish(name, sum(part.quantity for part in parts), pack, Decimal(cost), parts)


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        pack = draw(st.sampled_from([1, 6]))
        packs = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
        values = sorted(draw(st.lists(st.integers(0, 40), min_size=3, max_size=3)), reverse=True)
        cents = draw(st.integers(1, 300))
        segments = [(count * pack, value / 10) for count, value in zip(packs, values, strict=False)]
        made.append(wish(f"d{number}", f"{cents / 100:.2f}", pack, segments))
    return made


def best_value(candidates: list[Wish], budget: Decimal) -> float:
    """Every allowed plan, one by one."""
    choices = [
        [0, *range(each.segments[0].quantity, each.quantity + 1, each.case_pack)] for each in candidates
    ]
    plans = (
        dict(zip([each.decision_id for each in candidates], quantities, strict=True))
        for quantities in itertools.product(*choices)
    )
    return max(total_value(candidates, plan) for plan in plans if spending(candidates, plan) <= budget)


@given(wishes(), st.floats(0, 1.2))
@settings(max_examples=60, deadline=None)
def test_the_plan_is_feasible_and_as_good_as_the_best_of_all_plans(
    candidates: list[Wish], share: float
) -> None:
    everything = spending(candidates, {each.decision_id: each.quantity for each in candidates})
    budget = (everything * Decimal(share)).quantize(Decimal("0.01"))

    result = allocate(candidates, Limits(budget), OPTIONS)

    assert violation(candidates, result.plan, Limits(budget)) is None
    assert result.spent == spending(candidates, result.plan) <= max(budget, everything)
    best = best_value(candidates, min(budget, everything))
    assert result.objective == pytest.approx(best, rel=2e-5, abs=1e-6)


@given(wishes(), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_plan_does_not_depend_on_the_order_of_the_wishes(
    candidates: list[Wish], shuffle: random.Random
) -> None:
    budget = spending(candidates, {each.decision_id: each.quantity for each in candidates}) / 2
    shuffled = list(candidates)
    shuffle.shuffle(shuffled)

    assert allocate(shuffled, Limits(budget), OPTIONS) == allocate(candidates, Limits(budget), OPTIONS)


def test_everyone_gets_everything_when_it_fits_or_when_there_is_no_budget() -> None:
    candidates = [wish("a", "0.10", 1, [(3, 1.0)]), wish("b", "0.20", 1, [(1, 1.0)])]

    for budget in (None, Decimal("0.50"), Decimal(9)):
        result = allocate(candidates, Limits(budget), OPTIONS)
        assert (result.status, result.plan) == ("unconstrained", {"a": 3, "b": 1})
        assert result.spent == Decimal("0.50")


def test_a_budget_one_cent_too_small_buys_one_unit_less() -> None:
    # 0.1 + 0.1 + 0.1 is more than 0.3 in floating point; money is exact
    result = allocate([wish("a", "0.10", 1, [(1, 2.0), (2, 1.0)])], Limits(Decimal("0.29")), OPTIONS)

    assert (result.plan, result.spent, result.status) == ({"a": 2}, Decimal("0.20"), "optimal")


def test_the_minimum_order_is_bought_whole_or_not_at_all() -> None:
    result = allocate([wish("a", "1.00", 6, [(12, 1.0), (6, 0.5)])], Limits(Decimal("11.99")), OPTIONS)

    assert result.plan == {"a": 0}


def test_the_shadow_price_is_the_value_of_the_next_unit_of_money() -> None:
    candidates = [wish("a", "2.00", 1, [(1, 3.0), (9, 3.0)]), wish("b", "1.00", 1, [(1, 1.0), (9, 0.4)])]

    result = allocate(candidates, Limits(Decimal(24)), OPTIONS)

    assert result.plan == {"a": 10, "b": 4}
    assert result.prices.budget == pytest.approx(0.4)


def test_without_a_solver_plan_in_time_the_greedy_plan_is_used_and_said() -> None:
    rng = random.Random(1)
    candidates = [
        wish(f"d{n}", f"{rng.randint(1, 900) / 100}", 1, [(1, 2 + rng.random()), (40, rng.random())])
        for n in range(100)
    ]

    result = allocate(candidates, Limits(Decimal(5000)), solver_options(1e-9))

    assert result.status == "greedy_fallback"
    assert result.plan == greedy_plan(candidates, Limits(Decimal(5000)))
    assert violation(candidates, result.plan, Limits(Decimal(5000))) is None
    assert result.objective >= 0.99 * allocate(candidates, Limits(Decimal(5000)), OPTIONS).objective


@pytest.mark.parametrize(
    ("plan", "rule"),
    [({"a": 7}, "packs of 6"), ({"a": 6}, "least order 12"), ({"a": 24}, "within"), ({"a": 18}, "costs")],
)
def test_a_plan_that_breaks_a_rule_is_named(plan: dict[str, int], rule: str) -> None:
    broken = violation([wish("a", "1.00", 6, [(12, 1.0), (6, 0.5)])], plan, Limits(Decimal("17.99")))

    assert broken is not None
    assert rule in broken
