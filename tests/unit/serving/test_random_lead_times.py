"""What `order-up-to` decides where the supplier's lead time is random."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.contracts import identity
from infra.contracts.inventory import LeadTimeCount
from infra.contracts.message import Delivery, UnmetDemand
from infra.contracts.replenishment import CycleService, FillRate, OrderUpTo, Target
from infra.contracts.shop import SupplierCalendar
from serving.inventory.lead_times import draw_lead_days
from serving.inventory.named_policies import wanted_quantities
from serving.inventory.order_up_to import Supply, simulate_order_up_to
from serving.inventory.outlook import Outlook
from serving.inventory.policy import POLICY, SIMULATED_ARRIVALS, Request, decide
from serving.inventory.stock_levels import demand_over, level_for_cycle_service
from tests.unit.serving.records import EPOCH, forecast
from tests.unit.serving.test_order_rules import inputs
from tests.unit.serving.test_policy import request, wanted

TARGETS: list[Target] = [
    CycleService(kind="cycle_service", level=0.9),
    FillRate(kind="fill_rate", level=0.97),
]
each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
each_delivery = pytest.mark.parametrize("delivery", ["independent", "fifo"])
RANDOM = [LeadTimeCount(days=3, receipts=30), LeadTimeCount(days=12, receipts=10)]
KNOWN = [LeadTimeCount(days=5, receipts=80_000), LeadTimeCount(days=25, receipts=20_000)]


def order_up_to(level: float) -> OrderUpTo:
    return OrderUpTo(policy="order-up-to", target=CycleService(kind="cycle_service", level=level))


def demand(shape: tuple[int, int, int], seed: int) -> NDArray[np.float64]:
    """Mean 4 and variance 12 a day."""
    return np.random.default_rng(seed).negative_binomial(2, 1 / 3, shape).astype(float)


def outlook(paths: NDArray[np.float64], **changes: Any) -> Outlook:
    known = inputs(**{"replenishment": order_up_to(0.9), "lead_times": KNOWN, **changes})
    runs = paths.shape[1]
    drawn = draw_lead_days(known.lead_times, (np.arange(runs) + 0.5) / runs)
    none = np.zeros(paths.shape)
    return Outlook([known], paths, np.zeros(1), none, drawn[None], ["decision"], [EPOCH])


def realised(
    level: int, delivery: Delivery, unmet: UnmetDemand, usual_days: int = 5, late_days: int = 25
) -> float:
    late = np.random.default_rng(2).random((1, 96, 350)) < 0.2
    found = simulate_order_up_to(
        np.full((1, 1, 1), level),
        demand((1, 96, 350 * 7), 4),
        np.where(late, late_days, usual_days),
        Supply(delivery, unmet, 7),
        50,
    )
    return 100 * float(found.cycle_service[0])


@pytest.mark.parametrize(
    ("delivery", "unmet", "by_formula"),
    [
        ("independent", "lost", 98.9),
        ("independent", "backordered", 98.9),
        ("fifo", "backordered", 87.0),
    ],
)
def test_a_supplier_who_is_late_now_and_then_does_not_cost_the_service_that_was_asked_for(
    delivery: Delivery, unmet: UnmetDemand, by_formula: float
) -> None:
    """L is 5 (80 %) or 25 days, R = 7: the quantile of demand over L + R misses 90 %."""
    known = outlook(demand((1, 4000, 35), 3), delivery=delivery, unmet_demand=unmet)
    _, covered = demand_over(known.demand, known.lead_days, 7)
    formula = int(level_for_cycle_service(covered, np.array([0.9]))[0])

    assert realised(formula, delivery, unmet) == pytest.approx(by_formula, abs=0.9)
    assert realised(int(wanted_quantities(known)[0]), delivery, unmet) == pytest.approx(90, abs=1.5)


@pytest.mark.parametrize(("target", "by_formula"), [(0.8, 85.3), (0.9, 91.7)])
def test_lost_sales_are_not_held_for_a_second_time(target: float, by_formula: float) -> None:
    """L = 7 for certain: the quantile of demand over L + R serves more than was asked for."""
    certain = [LeadTimeCount(days=7, receipts=9)]
    known = outlook(
        demand((1, 4000, 35), 3), lead_times=certain, replenishment=order_up_to(target), delivery="fifo"
    )
    _, covered = demand_over(known.demand, known.lead_days, 7)
    formula = int(level_for_cycle_service(covered, np.array([target]))[0])
    found = int(wanted_quantities(known)[0])

    served = [realised(level, "fifo", "lost", late_days=7, usual_days=7) for level in (formula, found)]
    assert served == [pytest.approx(by_formula, abs=1.2), pytest.approx(100 * target, abs=1.5)]


@each_target
@each_delivery
def test_a_simulated_decision_is_the_same_alone_among_others_and_again(
    target: Target, delivery: Delivery
) -> None:
    policy = OrderUpTo(policy="order-up-to", target=target)
    suppliers = (RANDOM, [LeadTimeCount(days=1, receipts=2), LeadTimeCount(days=13, receipts=3)], RANDOM[:1])
    requests = [
        request(
            f"S{n}",
            message=forecast(f"S{n}", daily_mean=n / 2),
            replenishment=policy,
            delivery=delivery,
            lead_times=suppliers[n % 3],
        )
        for n in range(9)
    ]
    together = decide(requests)

    assert together == [decide([each])[0] for each in requests]
    assert together == decide(requests[::-1])[::-1]


def test_what_simulation_decides_has_a_digest_of_its_own_and_what_it_does_not_keeps_its_digest() -> None:
    constant, late_at_times = (
        request(replenishment=order_up_to(0.9), lead_times=seen, unmet_demand="backordered")
        for seen in (RANDOM[:1], RANDOM)
    )

    assert constant.input_digest() == digest_by(POLICY, constant)
    assert late_at_times.input_digest() == digest_by(SIMULATED_ARRIVALS, late_at_times)


def digest_by(computation: str, made: Request) -> str:
    identified_by = [made.decision_id, made.sku, made.location, made.epoch_ms, made.cause]
    return identity.digest([computation, *identified_by, made.inputs.model_dump(mode="json")])


def test_few_receipts_ask_for_more_stock_than_many_that_say_the_same() -> None:
    few = [LeadTimeCount(days=3, receipts=3), LeadTimeCount(days=12, receipts=1)]
    many = [LeadTimeCount(days=3, receipts=3000), LeadTimeCount(days=12, receipts=1000)]
    ordered = [wanted(replenishment=order_up_to(0.95), lead_times=seen, on_hand=0) for seen in (few, many)]

    assert ordered[0].quantity > ordered[1].quantity


def test_a_promotion_counts_where_the_order_has_to_last_for_it() -> None:
    """Twice the demand in the days that an order of now covers for certain, or after them."""
    paths = demand((1, 500, 28), 3)
    soon, late = paths.copy(), paths.copy()
    soon[:, :, 5:12] *= 2
    late[:, :, 21:] *= 2
    short = [LeadTimeCount(days=5, receipts=9), LeadTimeCount(days=6, receipts=9)]
    ordered = [int(wanted_quantities(outlook(each, lead_times=short))[0]) for each in (soon, late)]

    assert ordered[0] - ordered[1] == pytest.approx(7 * 4, rel=0.25)


def test_a_supplier_who_delivers_on_mondays_only_is_given_more_time() -> None:
    mondays = SupplierCalendar(
        event_id="calendar-1", event_time_ms=EPOCH, supplier="supplier-1", closed_weekdays=[1, 2, 3, 4, 5, 6]
    )
    policy = order_up_to(0.95)
    daily, weekly = (
        wanted(replenishment=policy, lead_times=RANDOM, supplier_calendar=each).quantity
        for each in (None, mondays)
    )

    assert weekly > daily
