"""Exact amounts: decimal arithmetic between decimal strings."""

from decimal import Decimal

from infra.contracts.inventory import TotalCost
from infra.contracts.message import Money


def decimal_of(money: Money | TotalCost) -> Decimal:
    """The amount as an exact decimal."""
    return Decimal(money.amount)


def total_of(amount: Decimal, currency: str) -> TotalCost:
    """An amount of at most four decimals as it is written on the wire, with at least two."""
    text = f"{amount.normalize():f}"
    whole, _, fraction = text.partition(".")
    return TotalCost(amount=f"{whole}.{fraction:0<2}", currency=currency)


def cost_of(quantity: int, unit_cost: Money) -> TotalCost:
    """What `quantity` units cost."""
    return total_of(decimal_of(unit_cost) * quantity, unit_cost.currency)
