"""What planners and suppliers allow: limits of an item, and a supplier's days."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.forecaster.sampling import mean_demand
from infra.contracts.demand import QUANTILE_LEVELS
from infra.contracts.inventory import LeadTimeCount, OpenOrder
from infra.contracts.planning import AppliedOverride
from infra.contracts.replenishment import KickStart, OrderLimits
from infra.contracts.shop import CutOff, SupplierCalendar
from infra.contracts.topics import CALENDARS
from serving.inventory.order_rules import MAX_UNITS, Steps, position, raise_to_minimum
from serving.inventory.policy import Wanted
from serving.inventory.supplier_days import delivery_days
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    OPENING,
    ZONE,
    close_epoch,
    forecast,
    opened_shop,
    quantile_table,
    run,
)
from tests.unit.serving.test_order_rules import inputs, ordered
from tests.unit.serving.test_planner_stage import proposals, restarted
from tests.unit.serving.test_policy import wanted


def coming(outstanding: int) -> OpenOrder:
    return OpenOrder(order_id="po-1", supplier="supplier-1", outstanding=outstanding, placed_ms=OPENING)


limits = st.builds(
    OrderLimits,
    minimum_stock=st.none() | st.integers(0, 200),
    kick_start=st.none() | st.builds(KickStart, quantity=st.integers(0, 200), until_ms=st.integers(0, 2)),
    rounding=st.sampled_from([None, "within_maximum", "past_maximum"]),
)
inputs_of = st.fixed_dictionaries(
    {
        "limits": limits,
        "min_order_quantity": st.integers(1, 60),
        "case_pack": st.integers(1, 30),
        "maximum_stock": st.none() | st.integers(0, 300),
        "on_hand": st.integers(0, 150),
        "open_orders": st.sampled_from([[], [coming(30)], [coming(99)]]),
    }
)


@given(st.integers(0, 500), st.integers(0, 400), inputs_of)
def test_an_order_is_whole_packs_of_the_minimum_or_more_and_within_every_cap_unless_that_is_declared(
    wanted: int, cover: int, changes: dict[str, Any]
) -> None:
    steps = ordered(wanted, cover, **changes)
    given_ = inputs(**changes)
    cap = min(cover, MAX_UNITS if given_.maximum_stock is None else given_.maximum_stock)

    assert steps.quantity % given_.case_pack == 0
    assert steps.quantity == 0 or steps.quantity >= given_.min_order_quantity
    passes = steps.quantity > 0 and position(given_) + steps.quantity > cap
    assert not passes or (given_.limits and given_.limits.rounding == "past_maximum")
    assert passes == ("ROUNDED_PAST_MAXIMUM" in [step.reason for step in steps.adjustments])
    if passes:
        assert position(given_) < cap
        assert steps.quantity < max(cap - position(given_), given_.min_order_quantity) + given_.case_pack


@given(st.integers(0, 500), st.integers(0, 50), st.integers(0, 400), inputs_of)
def test_who_wants_more_never_gets_less(wanted: int, more: int, cover: int, changes: dict[str, Any]) -> None:
    assert ordered(wanted + more, cover, **changes).quantity >= ordered(wanted, cover, **changes).quantity


@given(st.integers(0, 500), st.integers(0, 2), inputs_of)
def test_stock_and_orders_are_lifted_to_minimum_and_kick_start_and_never_cut(
    wanted: int, epoch_ms: int, changes: dict[str, Any]
) -> None:
    given_, steps = inputs(**changes), Steps(wanted)
    raise_to_minimum(steps, given_, epoch_ms)
    asked = given_.limits or OrderLimits()
    least = [asked.minimum_stock or 0]
    if asked.kick_start is not None and epoch_ms < asked.kick_start.until_ms:
        least.append(asked.kick_start.quantity)

    assert steps.quantity == max(wanted, max(least) - position(given_))


def limited(**changes: Any) -> Wanted:
    """A SKU with 40 on hand that orders nothing but for its limits."""
    settled = {"lead_times": [LeadTimeCount(days=1, receipts=9)], "review_period_days": 1}
    return wanted(**{"on_hand": 40, "message": forecast("A", daily_mean=0.01), **settled, **changes})


def reasons(result: Wanted) -> list[str]:
    return [step.reason for step in result.adjustments]


def test_a_manual_minimum_and_a_kick_start_order_where_the_forecast_would_not() -> None:
    assert limited().quantity == 0
    kick_start = KickStart(quantity=100, until_ms=EPOCH + 1)
    for asked, quantity, reason in (
        (OrderLimits(minimum_stock=64), 24, "MINIMUM_STOCK"),
        (OrderLimits(kick_start=kick_start), 60, "KICK_START"),
    ):
        assert (limited(limits=asked).quantity, reasons(limited(limits=asked))) == (quantity, [reason])
    over = OrderLimits(kick_start=kick_start.model_copy(update={"until_ms": EPOCH}))
    assert limited(limits=over).quantity == 0


def test_neither_minimum_nor_kick_start_orders_for_an_item_that_ends_or_against_a_planners_quantity() -> None:
    asked = OrderLimits(minimum_stock=64, kick_start=KickStart(quantity=100, until_ms=EPOCH + DAY_MS))
    nothing = AppliedOverride(
        override_id="o1", scope="sku:A", target="order_quantity", value=0, from_ms=EPOCH,
        to_ms=EPOCH + DAY_MS, author="planner", reason="sold off",
    )  # fmt: skip

    assert limited(limits=asked, end_ms=EPOCH + DAY_MS).quantity == 0
    assert limited(limits=asked, end_ms=EPOCH + 90 * DAY_MS).quantity == 60
    assert limited(limits=asked, overrides=[nothing]).quantity == 0


def test_an_order_covers_no_more_than_the_cap_of_days_also_beyond_the_horizon() -> None:
    """Mean demand, closed on one day of seven: two weeks' are twelve days'."""
    day = mean_demand(QUANTILE_LEVELS, quantile_table(10.0))[0]
    free = wanted(on_hand=0, cycle_service_level=0.999)

    for days, sold_on in ((14, 12), (56, 48)):
        result = wanted(
            on_hand=0,
            cycle_service_level=0.999,
            limits=OrderLimits(cover_cap_days=days, minimum_stock=100_000),
        )
        assert result.quantity == np.ceil(sold_on * day)
        assert reasons(result)[-1] == "COVER_CAP"
    assert wanted(on_hand=0, limits=OrderLimits(cover_cap_days=700), cycle_service_level=0.999) == free


def calendar(**changes: Any) -> SupplierCalendar:
    """Of a Monday's epoch, 2011-09-26."""
    return SupplierCalendar(event_id="c1", event_time_ms=OPENING, supplier="supplier-1", **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"limits": OrderLimits(hold=True)}, "HOLD"),
        ({"supplier_calendar": calendar(no_order_weekdays=[0])}, "NO_ORDER_DAY"),
        ({"supplier_calendar": calendar(no_order_dates=["2011-09-26"])}, "NO_ORDER_DAY"),
    ],
)
def test_nothing_is_ordered_on_hold_or_on_a_day_without_orders(changes: dict[str, Any], reason: str) -> None:
    result = wanted(on_hand=0, **changes)

    assert (result.quantity, result.blocked, result.segments) == (0, False, [])
    assert result.unconstrained_quantity > 0
    assert reasons(result)[-1] == reason


def test_what_would_arrive_on_a_day_without_deliveries_comes_on_the_next_one_with() -> None:
    """Six days after a Monday is a Sunday."""
    late = wanted(on_hand=0, supplier_calendar=calendar(closed_weekdays=[6], closed_dates=["2011-10-03"]))
    usual = wanted(on_hand=0)

    assert usual.expected_receipt_ms == EPOCH + 6 * DAY_MS
    assert late.expected_receipt_ms == EPOCH + 8 * DAY_MS
    assert late == wanted(on_hand=0, lead_times=[LeadTimeCount(days=8, receipts=5)])


def test_an_order_after_the_cut_off_counts_as_the_next_order_days() -> None:
    """Midnight in London is 08:00 in Tokyo."""
    in_time, late = (
        wanted(
            on_hand=0,
            supplier_calendar=calendar(
                cut_off=CutOff(time=time, time_zone="Asia/Tokyo"), no_order_weekdays=[1]
            ),
        )
        for time in ("08:00", "07:59")
    )

    assert in_time == wanted(on_hand=0)
    assert late.expected_receipt_ms == EPOCH + 8 * DAY_MS


def test_a_supplier_that_never_delivers_is_taken_at_its_lead_time() -> None:
    never = calendar(closed_weekdays=list(range(7)))

    assert delivery_days(EPOCH, 3, never, ZONE).tolist() == [0, 1, 2, 3]


def test_the_review_period_reaches_to_the_next_review_that_can_order() -> None:
    log = opened_shop(["A"])
    log.append(CALENDARS, 0, calendar(no_order_dates=["2011-10-03", "2011-10-10"]))
    list(close_epoch(log, ["A"]))
    run(restarted(log), log, now=0.0)

    decided = proposals(log)["A"].inputs
    assert decided.review_period_days == 21
    assert decided.supplier_calendar is not None
    assert decided.limits is None
