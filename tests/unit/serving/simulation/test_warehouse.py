from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from serving.simulation.sales_log import SaleLine
from serving.simulation.warehouse import PurchaseOrder, Warehouse, sell

DAY = date(2011, 10, 3)
SKUS = ("10001", "10002")


def order(order_id: str, quantity: int, lead_time: int, sku: str = "10001") -> PurchaseOrder:
    return PurchaseOrder(order_id, sku, "supplier-01", quantity, DAY, DAY + timedelta(days=lead_time))


def line(quantity: int, is_return: bool = False) -> SaleLine:
    return SaleLine("line-1", "10001", 0, quantity, Decimal(1), is_return, "s", None)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("serve"), st.sampled_from(SKUS), st.integers(1, 50)),
        st.tuples(st.just("place"), st.sampled_from(SKUS), st.integers(1, 50)),
        st.tuples(st.just("receive"), st.sampled_from(SKUS), st.integers(0, 20)),
    ),
    max_size=40,
)


@given(start=st.integers(0, 100), steps=STEPS)
def test_no_unit_appears_or_vanishes(start: int, steps: list[tuple[str, str, int]]) -> None:
    warehouse = Warehouse(dict.fromkeys(SKUS, start))
    served = dict.fromkeys(SKUS, 0)
    received = dict.fromkeys(SKUS, 0)
    for number, (step, sku, amount) in enumerate(steps):
        if step == "serve":
            served[sku] += warehouse.serve(sku, amount)
        elif step == "place":
            warehouse.place(order(f"po-{number}", amount, lead_time=amount % 14, sku=sku))
        else:
            for receipt in warehouse.receive(DAY + timedelta(days=amount)):
                received[receipt.sku] += receipt.quantity
        assert all(start + received[sku] == warehouse.on_hand[sku] + served[sku] for sku in SKUS)
        assert min(warehouse.on_hand.values()) >= 0


@given(on_hand=st.integers(0, 30), wanted=st.integers(1, 30))
def test_a_line_is_served_as_far_as_stock_goes(on_hand: int, wanted: int) -> None:
    warehouse = Warehouse({"10001": on_hand})

    (sale,) = sell(warehouse, [line(wanted)])

    assert sale.served == min(on_hand, wanted)
    assert sale.unmet == wanted - sale.served
    assert sale.on_hand == on_hand - sale.served


def test_an_order_of_the_close_of_day_t_serves_from_day_t_plus_lead_time_plus_one() -> None:
    warehouse = Warehouse({"10001": 0}, [order("po-1", 5, lead_time=6)])
    closed = DAY - timedelta(days=1)

    served = {}
    for offset in range(1, 9):
        day = closed + timedelta(days=offset)
        warehouse.receive(day)
        served[offset] = warehouse.serve("10001", 1)

    assert [offset for offset, units in served.items() if units] == [7, 8]


def test_an_order_id_seen_again_opens_nothing_even_after_its_receipt() -> None:
    warehouse = Warehouse({"10001": 0})

    assert warehouse.place(order("po-1", 5, lead_time=1))
    assert not warehouse.place(order("po-1", 5, lead_time=1))
    warehouse.receive(DAY + timedelta(days=1))
    assert not warehouse.place(order("po-1", 5, lead_time=1))
    assert (warehouse.on_hand["10001"], warehouse.on_order("10001")) == (5, 0)


def test_a_return_does_not_restock() -> None:
    warehouse = Warehouse({"10001": 3})

    assert sell(warehouse, [line(2, is_return=True)]) == []
    assert warehouse.on_hand == {"10001": 3}
