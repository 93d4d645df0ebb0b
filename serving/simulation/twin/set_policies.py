"""The policies of production by name: what a planner says to have items replenished by each.

Their parameter is a service level, or an exchange rate: how much money may lie in stock for a year to spare
one unit of unmet demand. At one exchange rate dear items are given less service than cheap ones.
"""

from infra.contracts.replenishment import (
    CappedBaseStock,
    CoverUntilNextArrival,
    CycleService,
    EconomicLot,
    FillRate,
    GroupFillRate,
    LeastCost,
    Lookahead,
    MinMax,
    OrderUpTo,
    ProjectedInventoryLevel,
    Replenishment,
)
from infra.contracts.shop import Item

CAP = 0.9
HOLDING_RATE, LARGEST_RATE = 1.0, 1000.0
LOT_SERVICE, LOT_HOLDING_RATE = 0.95, 0.25


def covering(level: float) -> Replenishment:
    """The default policy at a cycle service level."""
    return CoverUntilNextArrival(policy="cover-until-next-arrival", target=_cycle_service(level))


def covering_for_group(exchange: float) -> Replenishment:
    """The default policy for the fill rate of all units."""
    target = GroupFillRate(kind="group_fill_rate", exchange=f"{exchange:.4f}")
    return CoverUntilNextArrival(policy="cover-until-next-arrival", target=target)


def ordering_up_to(level: float) -> Replenishment:
    """(R,S) at a cycle service level."""
    return OrderUpTo(policy="order-up-to", target=_cycle_service(level))


def ordering_up_to_fill_rate(level: float) -> Replenishment:
    """(R,S) at a fill rate."""
    return OrderUpTo(policy="order-up-to", target=FillRate(kind="fill_rate", level=level))


def ordering_in_lots(ordering_cost: float) -> Replenishment:
    """(R,s,S) with the lots that this cost of an order line makes economic."""
    lot = EconomicLot(kind="economic", ordering_cost=f"{ordering_cost:.4f}", holding_rate=LOT_HOLDING_RATE)
    return MinMax(policy="min-max", target=_cycle_service(LOT_SERVICE), lot=lot)


def capped(level: float) -> Replenishment:
    """Capped base stock at a cycle service level."""
    return CappedBaseStock(policy="capped-base-stock", target=_cycle_service(level), cap=CAP)


def projecting(level: float) -> Replenishment:
    """Projected inventory level at a quantile."""
    return ProjectedInventoryLevel(policy="projected-inventory-level", level=level)


def ordering_up_to_cost(item: Item, exchange: float) -> Replenishment:
    """(R,S) at least cost of this item."""
    rate = _stockout_rate(item, exchange)
    target = LeastCost(kind="cost", stockout_rate=rate, holding_rate=HOLDING_RATE)
    return OrderUpTo(policy="order-up-to", target=target)


def looking_ahead(item: Item, exchange: float) -> Replenishment:
    """Lookahead at least cost of this item."""
    rate = _stockout_rate(item, exchange)
    return Lookahead(policy="lookahead", stockout_rate=rate, holding_rate=HOLDING_RATE)


def _cycle_service(level: float) -> CycleService:
    return CycleService(kind="cycle_service", level=level)


def _stockout_rate(item: Item, exchange: float) -> float:
    """Cost of a unit short in unit costs, where holding a unit for a year costs one."""
    return min(exchange / max(float(item.unit_cost.amount), 1e-4), LARGEST_RATE)
