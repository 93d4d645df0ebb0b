"""The numbers of a row that an item, a stock level, a position or a decision states."""

from infra.contracts.inventory import DecisionInputs, Position, ReorderDecision
from infra.contracts.shop import Item, StockLevel
from serving.inventory.lead_times import median_lead_days
from serving.inventory.local_days import days_between

_LATE = 0.95
"""Share of a supplier's receipts after whose lead time an order counts as late."""


def item_values(item: Item) -> dict[str, float]:
    """Cost, price, target; and the agreed lead time, until a decision says what receipts took."""
    return {
        "unit_cost": float(item.unit_cost.amount),
        "price": float(item.price.amount),
        "service_target": item.cycle_service_level,
    }


def level_values(level: StockLevel) -> dict[str, float]:
    """What is there, owed and reserved, and since when that is known."""
    return {
        "on_hand": level.on_hand,
        "backordered": level.backordered,
        "reserved": level.reserved,
        "on_hand_ms": level.event_time_ms,
    }


def decision_values(decision: ReorderDecision) -> dict[str, float]:
    """What was decided, and what the budget or a missing input took from it."""
    cuts = [step.before - step.after for step in decision.adjustments if step.reason == "BUDGET"]
    return {
        "epoch_ms": decision.epoch_ms,
        "quantity": decision.quantity,
        "cost": float(decision.cost.amount),
        "budget_cut": sum(cuts),
        "blocked": decision.status == "blocked",
        "stale": decision.inputs.input_stale,
        "lead_days": median_lead_days(decision.inputs.lead_times),
    }


def position_values(position: Position, decision: ReorderDecision | None) -> dict[str, float]:
    """Units on order, due before an order of today, and later than the supplier's receipts."""
    values = {"on_order": float(sum(order.outstanding for order in position.open_orders))}
    if decision is None:
        return values
    inputs = decision.inputs
    lead, late_after = median_lead_days(inputs.lead_times), late_days(inputs)
    ages = [
        (days_between(order.placed_ms, position.as_of_ms, inputs.time_zone), order.outstanding)
        for order in position.open_orders
    ]
    late = [(age - late_after, units) for age, units in ages if age > late_after]
    return values | {
        "due_units": float(sum(units for age, units in ages if age > 0 or lead == 0)),
        "late_units": float(sum(units for _, units in late)),
        "late_days": float(max((days for days, _ in late), default=0)),
    }


def late_days(inputs: DecisionInputs) -> int:
    """The lead time that 95 % of the supplier's receipts met."""
    needed = _LATE * sum(count.receipts for count in inputs.lead_times)
    met = 0
    for count in inputs.lead_times:
        met += count.receipts
        if met >= needed:
            return count.days
    return inputs.lead_times[-1].days
