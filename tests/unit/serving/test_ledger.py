import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.inventory import OpenOrder
from serving.inventory.ledger import Ledger, Receipts, Stock
from tests.unit.serving.records import DAY_MS, LOCATION, OPENING, ZONE, level, local_ms, order

KEY = ("A", LOCATION)


def filled(*applications: Callable[[Ledger], None]) -> Ledger:
    ledger = Ledger()
    for apply in applications:
        apply(ledger)
    return ledger


def test_on_hand_is_unknown_before_the_first_level_never_zero() -> None:
    ledger = filled(lambda each: each.apply_level(level("A", 0), 0))

    assert ledger.on_hand(("B", LOCATION), OPENING) is None
    assert ledger.on_hand(KEY, OPENING - 1) is None
    assert ledger.on_hand(KEY, OPENING) == 0


@given(st.permutations([(OPENING, 0, 5), (OPENING, 1, 7), (OPENING + 1, 2, 4), (OPENING + 5, 3, 9)]))
def test_the_latest_event_time_wins_and_ties_go_to_the_later_offset(
    levels: list[tuple[int, int, int]],
) -> None:
    ledger = Ledger()
    for time_ms, offset, on_hand in levels:
        ledger.apply_level(level("A", on_hand, time_ms), offset)

    assert [ledger.on_hand(KEY, OPENING + after) for after in (0, 1, 4, 5)] == [7, 4, 4, 9]


def test_a_level_says_what_is_owed_and_reserved_and_what_it_leaves_out_is_nothing() -> None:
    owing = level("A", 5, OPENING, backordered=2, reserved=9)
    ledger = filled(
        lambda each: each.apply_level(owing, 0),
        lambda each: each.apply_level(level("A", 20, OPENING + DAY_MS), 1),
    )

    assert ledger.stock(KEY, OPENING) == Stock(5, backordered=2, reserved=9)
    assert Stock(5, backordered=2, reserved=9).net == -6
    assert ledger.stock(KEY, OPENING + DAY_MS) == Stock(20)
    assert ledger.stock(KEY, OPENING - 1) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12), st.integers(0, 30))
def test_net_stock_is_what_was_there_and_came_less_what_was_wanted_when_customers_wait(
    days: list[tuple[int, int]], first: int
) -> None:
    ledger, net = Ledger(), first
    for day, (arrived, wanted) in enumerate(days):
        net += arrived - wanted
        at_ms = OPENING + day * DAY_MS
        ledger.apply_level(level("A", max(net, 0), at_ms, backordered=max(-net, 0)), day)

    came, went = (sum(units) for units in zip(*days, strict=True)) if days else (0, 0)
    stock = ledger.stock(KEY, OPENING + 12 * DAY_MS) or Stock(first)
    assert stock.net == first + came - went


def test_open_orders_are_the_same_whatever_the_order_and_number_of_their_events() -> None:
    events = [
        order("placed", "po-1", OPENING, 20),
        order("received", "po-1", OPENING + 5 * DAY_MS, 8),
        order("cancelled", "po-1", OPENING + 6 * DAY_MS, 2),
        order("placed", "po-2", OPENING + DAY_MS, 5),
    ]
    for arrival in itertools.permutations([*events, events[1]]):
        ledger = filled(*(lambda each, event=event: each.apply_order(event) for event in arrival))

        assert ledger.open_orders(KEY, OPENING + 7 * DAY_MS) == [
            OpenOrder(order_id="po-1", supplier="supplier-1", outstanding=10, placed_ms=OPENING),
            OpenOrder(order_id="po-2", supplier="supplier-1", outstanding=5, placed_ms=OPENING + DAY_MS),
        ]


def test_records_later_than_the_instant_asked_for_do_not_count() -> None:
    ledger = filled(
        lambda each: each.apply_order(order("placed", "po-1", OPENING, 20)),
        lambda each: each.apply_order(order("received", "po-1", OPENING + DAY_MS, 20)),
    )

    assert ledger.open_orders(KEY, OPENING - 1) == []
    assert len(ledger.open_orders(KEY, OPENING + DAY_MS - 1)) == 1
    assert ledger.open_orders(KEY, OPENING + DAY_MS) == []


def test_what_the_supplier_acknowledges_replaces_what_was_ordered() -> None:
    ledger = filled(
        lambda each: each.apply_order(order("placed", "po-1", OPENING, 20)),
        lambda each: each.apply_order(order("acknowledged", "po-1", OPENING + 1, 12)),
    )

    assert ledger.open_orders(KEY, OPENING + 1)[0].outstanding == 12


def test_forgetting_the_past_changes_no_answer_about_later_instants() -> None:
    ledger, kept = Ledger(), Ledger()
    for each in (ledger, kept):
        for day in range(10):
            each.apply_level(level("A", day, OPENING + day * DAY_MS), day)
    ledger.forget_before(OPENING + 4 * DAY_MS + 1)

    for day in range(5, 12):
        instant = OPENING + day * DAY_MS
        assert ledger.on_hand(KEY, instant) == kept.on_hand(KEY, instant)
    assert ledger.on_hand(KEY, OPENING + 4 * DAY_MS + 1) == 4


@given(st.lists(st.integers(0, 9), max_size=4), st.integers(0, 9))
def test_a_settled_order_stays_settled_whatever_comes_again_afterwards(
    repeated: list[int], forgotten: int
) -> None:
    events = [order("placed", "po-1", OPENING, 20), order("received", "po-1", OPENING + 3 * DAY_MS, 20)]
    events += [order("placed", "po-2", OPENING + DAY_MS, 5), order("acknowledged", "po-2", OPENING + 1, 5)]
    kept, other = Ledger(), Ledger()
    for each in (kept, other):
        for event in events:
            each.apply_order(event)
    other.forget_before(OPENING + forgotten * DAY_MS)
    for number in repeated:
        other.apply_order(events[number % len(events)])

    for day in range(forgotten, 12):
        instant = OPENING + day * DAY_MS
        assert other.open_orders(KEY, instant) == kept.open_orders(KEY, instant)


def test_a_decision_counts_as_placed_from_its_order_on_however_long_ago_that_has_come() -> None:
    ledger = filled(
        lambda each: each.apply_order(order("placed", "po-1", OPENING, 5, decision_id="decided")),
        lambda each: each.apply_order(order("received", "po-1", OPENING + DAY_MS, 5)),
        lambda each: each.forget_before(OPENING + 300 * DAY_MS),
    )

    assert not ledger.is_placed(KEY, "decided", OPENING - 1)
    assert ledger.is_placed(KEY, "decided", OPENING)
    assert ledger.is_placed(KEY, "decided", OPENING + 300 * DAY_MS)
    assert not ledger.is_placed(KEY, "another", OPENING + 300 * DAY_MS)


def test_lead_times_are_calendar_days_across_the_clock_change() -> None:
    receipts = Receipts()
    receipts.apply(order("placed", "po-1", local_ms("2011-10-24") + 600_000, 5))
    receipts.apply(order("received", "po-1", local_ms("2011-10-31"), 5))

    assert receipts.observed_days(local_ms("2011-11-01"), ZONE) == {"supplier-1": [7]}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_receipt_counts_once_and_may_come_before_its_order(reverse: bool) -> None:
    events = [
        order("placed", "po-1", OPENING, 5),
        order("received", "po-1", OPENING + 6 * DAY_MS, 5),
        order("received", "po-1", OPENING + 6 * DAY_MS, 5),
    ]
    receipts = Receipts()
    for event in reversed(events) if reverse else events:
        receipts.apply(event)

    assert receipts.observed_days(OPENING + 5 * DAY_MS, ZONE) == {}
    assert receipts.observed_days(OPENING + 6 * DAY_MS, ZONE) == {"supplier-1": [6]}
