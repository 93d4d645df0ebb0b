"""The warehouse twin: on-hand stock and open orders, nothing else. Pure, no clock, no chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from serving.simulation.sales_log import SaleLine


@dataclass(frozen=True)
class PurchaseOrder:
    """An order to a supplier, placed just after the midnight of `placed`, received at that of `due`."""

    order_id: str
    sku: str
    supplier: str
    quantity: int
    placed: date
    due: date
    decision_id: str | None = None


@dataclass(frozen=True)
class Sale:
    """What became of one line: `served` of its quantity, and the stock left after it."""

    line: SaleLine
    served: int
    on_hand: int

    @property
    def unmet(self) -> int:
        return self.line.quantity - self.served


class Warehouse:
    """Stock per SKU. Initial stock + receipts = on hand + served, after every call."""

    def __init__(self, on_hand: Mapping[str, int], open_orders: Iterable[PurchaseOrder] = ()) -> None:
        self.on_hand = dict(on_hand)
        self.open_orders = {order.order_id: order for order in open_orders}
        self._known = set(self.open_orders)

    def serve(self, sku: str, wanted: int) -> int:
        """Takes what is there, at most `wanted` units, and returns how many that were."""
        served = min(wanted, self.on_hand[sku])
        self.on_hand[sku] -= served
        return served

    def place(self, order: PurchaseOrder) -> bool:
        """Opens an order; False, without effect, if its id has been seen before."""
        if order.order_id in self._known:
            return False
        self._known.add(order.order_id)
        self.open_orders[order.order_id] = order
        return True

    def receive(self, day: date) -> list[PurchaseOrder]:
        """Takes in every open order due by the midnight at which `day` begins, in order of their ids."""
        due = sorted(
            (order for order in self.open_orders.values() if order.due <= day), key=lambda o: o.order_id
        )
        for order in due:
            self.on_hand[order.sku] += order.quantity
            del self.open_orders[order.order_id]
        return due

    def on_order(self, sku: str) -> int:
        """Units of all open orders of the SKU."""
        return sum(order.quantity for order in self.open_orders.values() if order.sku == sku)


def sell(warehouse: Warehouse, lines: Sequence[SaleLine]) -> list[Sale]:
    """Serves a day's lines in time order; what cannot be served is lost. Returns do not restock."""
    sales = []
    for line in lines:
        if not line.is_return:
            served = warehouse.serve(line.sku, line.quantity)
            sales.append(Sale(line, served, warehouse.on_hand[line.sku]))
    return sales
