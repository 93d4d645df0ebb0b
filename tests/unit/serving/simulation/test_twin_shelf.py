"""The law of conservation, whatever is ordered, wanted, thrown away or owed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.simulation.twin.shelf import Shelf
from serving.simulation.twin.world import Order
from tests.unit.serving.records import item

DAYS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=25)
"""Of each day: units wanted, units ordered, lead time."""


@given(
    DAYS,
    st.integers(0, 20),
    st.sampled_from(["lost", "backordered"]),
    st.sampled_from(["independent", "fifo"]),
    st.one_of(st.none(), st.integers(1, 4)),
)
def test_no_unit_appears_or_disappears(
    days: list[tuple[int, int, int]], first: int, unmet: Any, delivery: Any, shelf_life: int | None
) -> None:
    shelf = Shelf(np.array([first]), [], [item("A", unmet_demand=unmet, delivery=delivery)], shelf_life)
    received = served = demanded = wasted = 0
    for day, (wanted, quantity, lead) in enumerate(days):
        wasted += int(shelf.age()[0])
        received += sum(order.quantity for order in shelf.receive(day))
        shelf.place([Order(f"po-{day}", 0, quantity, day, day + lead)])
        now = int(shelf.serve(np.array([wanted]))[0])
        served, demanded = served + now, demanded + wanted
        owed = int(shelf.backlog[0])
        handed_out_later = demanded - served - owed if unmet == "backordered" else 0

        assert 0 <= now <= wanted
        assert first + received == shelf.on_hand[0] + served + handed_out_later + wasted
        assert owed == 0 or unmet == "backordered"
        assert sum(ordered for _, ordered, _ in days[: day + 1]) == received + shelf.on_order[0]


def test_an_order_that_may_not_overtake_waits_for_the_one_ahead() -> None:
    shelf = Shelf(np.array([0]), [], [item("A", delivery="fifo")])
    shelf.place([Order("slow", 0, 1, 0, 9)])

    (quick,) = shelf.place([Order("quick", 0, 1, 1, 3)])

    assert quick.due == 9
    assert shelf.receive(8) == []
    assert [order.order_id for order in shelf.receive(9)] == ["slow", "quick"]


def test_the_oldest_units_are_sold_first_and_old_ones_are_thrown_away() -> None:
    shelf = Shelf(np.array([5]), [Order("po", 0, 4, 0, 1)], [item("A")], shelf_life_days=2)
    wasted = []
    for day, wanted in enumerate([1, 2, 0, 0]):
        wasted.append(int(shelf.age()[0]) if day else 0)
        shelf.receive(day)
        shelf.serve(np.array([wanted]))

    assert wasted == [0, 0, 2, 4]


@pytest.mark.parametrize(("unmet", "owed"), [("lost", 0), ("backordered", 3)])
def test_customers_wait_or_leave(unmet: Any, owed: int) -> None:
    shelf = Shelf(np.array([2]), [Order("po", 0, 10, 0, 1)], [item("A", unmet_demand=unmet)])

    assert shelf.serve(np.array([5])).tolist() == [2]
    assert shelf.backlog.tolist() == [owed]
    shelf.receive(1)
    assert shelf.on_hand.tolist() == [10 - owed]
    assert shelf.backlog.tolist() == [0]
