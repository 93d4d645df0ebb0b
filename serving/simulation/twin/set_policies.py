"""The policies of production by name: what an item's catalogue entry says to be replenished by each.

Their parameter is a service level, or an exchange rate: how much money may lie in stock for a year to spare
one unit of unmet demand. At one exchange rate dear items are given less service than cheap ones.
"""

from infra.contracts.replenishment import (
    CappedBaseStock,
    CoverUntilNextArrival,
    CycleService,
    FillRate,
    GroupFillRate,
    LeastCost,
    Lookahead,
    OrderUpTo,
    ProjectedInventoryLevel,
    Replenishment,
)
from infra.contracts.shop import Item

CAP = 0.9
HOLDING_RATE, LARGEST_RATE = 1.0, 1000.0


def covering(item: Item, level: float) -> Item:
    """The default policy at a cycle service level."""
    return item.model_copy(update={"cycle_service_level": level, "replenishment": None})


def covering_for_group(item: Item, exchange: float) -> Item:
    """The default policy for the fill rate of all units."""
    target = GroupFillRate(kind="group_fill_rate", exchange=f"{exchange:.4f}")
    return _replenished(item, CoverUntilNextArrival(policy="cover-until-next-arrival", target=target))


def ordering_up_to(item: Item, level: float) -> Item:
    """(R,S) at a cycle service level."""
    target = CycleService(kind="cycle_service", level=level)
    return _replenished(item, OrderUpTo(policy="order-up-to", target=target))


def ordering_up_to_fill_rate(item: Item, level: float) -> Item:
    """(R,S) at a fill rate."""
    target = FillRate(kind="fill_rate", level=level)
    return _replenished(item, OrderUpTo(policy="order-up-to", target=target))


def ordering_up_to_cost(item: Item, exchange: float) -> Item:
    """(R,S) at least cost."""
    rate = _stockout_rate(item, exchange)
    target = LeastCost(kind="cost", stockout_rate=rate, holding_rate=HOLDING_RATE)
    return _replenished(item, OrderUpTo(policy="order-up-to", target=target))


def capped(item: Item, level: float) -> Item:
    """Capped base stock at a cycle service level."""
    target = CycleService(kind="cycle_service", level=level)
    return _replenished(item, CappedBaseStock(policy="capped-base-stock", target=target, cap=CAP))


def projecting(item: Item, level: float) -> Item:
    """Projected inventory level at a quantile."""
    return _replenished(item, ProjectedInventoryLevel(policy="projected-inventory-level", level=level))


def looking_ahead(item: Item, exchange: float) -> Item:
    """Lookahead at least cost."""
    rate = _stockout_rate(item, exchange)
    return _replenished(item, Lookahead(policy="lookahead", stockout_rate=rate, holding_rate=HOLDING_RATE))


def _stockout_rate(item: Item, exchange: float) -> float:
    """Cost of a unit short in unit costs, where holding a unit for a year costs one."""
    return min(exchange / max(float(item.unit_cost.amount), 1e-4), LARGEST_RATE)


def _replenished(item: Item, policy: Replenishment) -> Item:
    return item.model_copy(update={"replenishment": policy})
