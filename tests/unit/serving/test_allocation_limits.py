"""Budget, space and suppliers' minimums together, and planners' quantities that come first."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.contracts.group_limits import GroupLimits, SupplierMinimum
from infra.contracts.message import Money
from infra.contracts.topics import ALLOCATION_RUNS, DECISIONS, ITEMS, POLICIES, STOCK_LEVELS
from serving.inventory.allocation import allocate, greedy_plan, solver_options, unmet_limits, value_bound
from serving.inventory.wishes import Limits, Wish, broken_limits, spending, total_value, violation, volume
from tests.unit.serving.records import close_epoch, feed, item, level, opened_shop, partition_of, policy, run
from tests.unit.serving.test_allocation import OPTIONS, wish
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import planner
from tests.unit.serving.test_reproduction import Recorded, replayed

PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[Wish], Limits]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        pack = draw(st.sampled_from([1, 6]))
        values = sorted(draw(st.lists(st.integers(0, 40), min_size=2, max_size=2)), reverse=True)
        segments = [(pack, values[0] / 10), (2 * pack, values[1] / 10)]
        bare = wish(f"d{number}", f"{draw(st.integers(1, 300)) / 100:.2f}", pack, segments)
        supplier, size = draw(st.sampled_from("xy")), Decimal(draw(st.integers(0, 30))) / 10
        made.append(replace(bare, supplier=supplier, unit_volume=size))
    everything = {each.decision_id: each.quantity for each in made}
    shares = st.sampled_from([Decimal(0), Decimal("0.4"), Decimal("0.8"), None])
    budget, space = draw(shares), draw(shares)
    least = spending(made, everything) * Decimal(draw(st.sampled_from(["0.2", "0.5"])))
    return made, Limits(
        None if budget is None else spending(made, everything) * budget,
        None if space is None else volume(made, everything) * space,
        draw(st.sampled_from([{}, {"x": least}, {"x": least, "y": least / 2}])),
    )


def plans(wishes: list[Wish]) -> Iterator[dict[str, int]]:
    """Every plan of whole packs and least orders."""
    choices = [[0, *range(each.segments[0].quantity, each.quantity + 1, each.case_pack)] for each in wishes]
    names = [each.decision_id for each in wishes]
    return (dict(zip(names, quantities, strict=True)) for quantities in itertools.product(*choices))


@given(groups())
@PATIENT
def test_the_plan_keeps_to_every_limit_and_is_as_good_as_the_best_of_all_plans(
    group: tuple[list[Wish], Limits],
) -> None:
    wishes, limits = group
    best = max(total_value(wishes, plan) for plan in plans(wishes) if not broken_limits(wishes, plan, limits))

    result = allocate(wishes, limits, OPTIONS)

    assert violation(wishes, result.plan, limits) is None
    assert result.status in ("unconstrained", "optimal")
    assert result.objective == pytest.approx(best, rel=2e-5, abs=1e-6)


@given(groups())
@PATIENT
def test_the_greedy_plan_keeps_to_every_limit_and_no_plan_is_worth_more_than_the_bound(
    group: tuple[list[Wish], Limits],
) -> None:
    wishes, limits = group

    assert violation(wishes, greedy_plan(wishes, limits), limits) is None
    allowed = [plan for plan in plans(wishes) if not broken_limits(wishes, plan, limits)]
    assert max(total_value(wishes, plan) for plan in allowed) <= value_bound(wishes, limits) + 1e-9


def test_each_limit_has_its_price() -> None:
    """A unit costs 2 and takes 1; worth 3, then 1.5; space binds alone, budget alone, neither."""
    one = replace(wish("a", "2.00", 1, [(1, 3.0), (4, 3.0), (5, 1.5)]), unit_volume=Decimal(1))
    for limits, budget, space in (
        (Limits(Decimal(100), Decimal("6.5")), 0.0, 1.5),
        (Limits(Decimal(13), Decimal(100)), 0.75, 0.0),
    ):
        prices = allocate([one], limits, OPTIONS).prices
        assert prices.budget == pytest.approx(budget)
        assert prices.space == pytest.approx(space)


def test_a_supplier_under_its_minimum_gets_no_order_unless_more_is_worth_it() -> None:
    cheap = replace(wish("a", "1.00", 1, [(1, 5.0), (3, 0.5)]), supplier="x")
    other = replace(wish("b", "1.00", 1, [(1, 1.0), (9, 0.9)]), supplier="y")

    def ordered(minimum: str) -> tuple[int, int]:
        plan = allocate([cheap, other], Limits(Decimal(6), None, {"x": Decimal(minimum)}), OPTIONS).plan
        return plan["a"], plan["b"]

    assert ordered("1.00") == (1, 5)
    assert ordered("3.00") == (3, 3)
    assert ordered("5.00") == (0, 6)


def test_what_planners_have_set_is_ordered_whole_before_anything_else() -> None:
    must = replace(wish("a", "1.00", 1, [(1, 0.1), (4, 0.0)]), must=True)
    worth_more = wish("b", "1.00", 1, [(1, 9.0), (9, 9.0)])

    result = allocate([must, worth_more], Limits(Decimal(8)), OPTIONS)

    assert (result.plan, result.unmet, result.status) == ({"a": 5, "b": 3}, [], "optimal")


def test_where_planners_quantities_do_not_fit_the_least_bad_plan_says_which_limits_worst_first() -> None:
    must = replace(
        wish("a", "1.00", 1, [(1, 0.1), (9, 0.0)]), must=True, unit_volume=Decimal(1), supplier="x"
    )
    limits = Limits(Decimal(8), Decimal(4), {"x": Decimal(2)})

    result = allocate([must, wish("b", "1.00", 1, [(1, 9.0), (9, 9.0)])], limits, OPTIONS)

    assert result.plan == {"a": 4, "b": 4}
    assert [(each.limit, each.needed, each.available) for each in result.unmet] == [
        ("space", Decimal(10), Decimal(4)),
        ("budget", Decimal(10), Decimal(8)),
    ]
    lonely = unmet_limits([must], Limits(None, None, {"x": Decimal(20)}))
    assert [(each.limit, each.supplier) for each in lonely] == [("supplier_minimum", "x")]


def test_a_greedy_plan_says_how_far_it_may_be_from_the_best() -> None:
    candidates = [
        wish(f"d{n:03}", f"{1 + n % 7}.30", 1, [(1, 2.0), (40, 1 / (1 + n % 5))]) for n in range(100)
    ]
    limits = Limits(Decimal(5000))

    hasty = allocate(candidates, limits, solver_options(1e-9))
    assert hasty.status == "greedy_fallback"
    assert hasty.gap is not None
    best = allocate(candidates, limits, OPTIONS).objective
    assert hasty.objective <= best * (1 + 1e-5) <= hasty.objective * (1 + hasty.gap) * (1 + 2e-5)


def test_a_groups_limits_reach_the_run_the_decisions_reasons_and_the_replay() -> None:
    log = opened_shop([])
    for sku, changes in (
        ("A", {"unit_volume": "2.5"}),
        ("B", {"unit_volume": "0.1"}),
        ("C", {"supplier": "supplier-9"}),
    ):
        log.append(ITEMS, partition_of(sku), item(sku, **changes))
        log.append(STOCK_LEVELS, partition_of(sku), level(sku, 20))
    minimum = SupplierMinimum(supplier="supplier-9", amount=Money(amount="5000.00", currency="GBP"))
    limits = GroupLimits(space="100", supplier_minimums=[minimum])
    log.append(POLICIES, 0, policy("1000000.00").model_copy(update={"limits": limits}))
    stage = planner()
    feed(stage, [*log.entries, *close_epoch(log, ["A", "B", "C"])])
    run(stage, log, now=0.0)
    run(allocator(log), log, now=0.0)

    (made,) = log.messages(ALLOCATION_RUNS)
    assert (made.status, made.limits) == ("optimal", limits)
    assert made.outcome.space_price > 0
    assert [(each.supplier, each.left_out) for each in made.outcome.suppliers] == [("supplier-9", True)]
    reasons = {each.sku: each.adjustments[-1].reason for each in log.messages(DECISIONS) if each.adjustments}
    assert (reasons["A"], reasons["C"]) == ("SPACE", "SUPPLIER_MINIMUM")
    quantities = {each.sku: each.quantity for each in log.messages(DECISIONS)}
    assert Decimal("2.5") * (20 + quantities["A"]) + Decimal("0.1") * (20 + quantities["B"]) <= 100
    assert quantities["C"] == 0 < quantities["B"]
    result = replayed(Recorded(log))
    assert (result.differences, result.reproduced) == ([], 3)
    recorded = Recorded(log)
    recorded.records[ALLOCATION_RUNS][0]["limits"]["space"] = "90"
    assert replayed(recorded).differences
