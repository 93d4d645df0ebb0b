"""From what a SKU needs to what can be ordered: limits, minimum order and case pack, each step on record."""

from dataclasses import dataclass, field

from infra.contracts.inventory import Adjustment, DecisionInputs, ReasonCode
from serving.inventory.ledger import Stock
from serving.inventory.local_days import local_date
from serving.inventory.supplier_days import takes_orders

MAX_UNITS = 10_000_000
"""The largest quantity a message can carry."""


@dataclass
class Steps:
    """A quantity on its way through the rules, with the record of every change."""

    quantity: int
    adjustments: list[Adjustment] = field(default_factory=list)

    def change(self, reason: ReasonCode, after: int, detail: str = "") -> None:
        """Goes on with `after`; recorded only if it differs."""
        if after != self.quantity:
            self.remark(reason, after, detail)

    def remark(self, reason: ReasonCode, after: int, detail: str = "") -> None:
        """Goes on with `after` and records the step even if nothing changes."""
        step = Adjustment(reason=reason, before=self.quantity, after=after, detail=detail)
        self.adjustments.append(step)
        self.quantity = after


def net_stock(inputs: DecisionInputs) -> int:
    """Units free, less what is owed; of an unknown stock 0."""
    return Stock(inputs.on_hand or 0, inputs.backordered, inputs.reserved).net


def position(inputs: DecisionInputs) -> int:
    """The inventory position: units on hand and on order, less what is reserved and owed."""
    return net_stock(inputs) + sum(order.outstanding for order in inputs.open_orders)


def to_be_stored(inputs: DecisionInputs) -> int:
    """Units that take up space: on hand, reserved or not, and on order, less what is owed as it comes."""
    return max(0, position(inputs) + inputs.reserved)


def room_under_maximum(inputs: DecisionInputs) -> int:
    """Units that may still be ordered without the inventory position passing the maximum stock."""
    if inputs.maximum_stock is None:
        return MAX_UNITS
    return max(0, inputs.maximum_stock - position(inputs))


def least_order(inputs: DecisionInputs) -> int:
    """The smallest quantity the supplier accepts: the minimum order in whole packs."""
    return round_up(inputs.min_order_quantity, inputs.case_pack)


def round_up(quantity: int, pack: int) -> int:
    """The next whole number of packs."""
    return -(-quantity // pack) * pack


def raise_to_minimum(steps: Steps, inputs: DecisionInputs, epoch_ms: int) -> None:
    """Lifts the inventory position to what planners want at least: the kick-start, the minimum stock."""
    if (limits := inputs.limits) is None:
        return
    kick_start, at = limits.kick_start, position(inputs)
    if kick_start is not None and epoch_ms < kick_start.until_ms:
        detail = f"a new item starts with {kick_start.quantity}"
        steps.change("KICK_START", max(steps.quantity, min(kick_start.quantity - at, MAX_UNITS)), detail)
    if limits.minimum_stock is not None:
        detail = f"at least {limits.minimum_stock} in stock and on order"
        steps.change("MINIMUM_STOCK", max(steps.quantity, min(limits.minimum_stock - at, MAX_UNITS)), detail)


def apply_order_rules(steps: Steps, inputs: DecisionInputs, cover_units: int = MAX_UNITS) -> None:
    """Applies cover cap, maximum stock, minimum order and case pack; the result never passes cap or maximum.

    Packs are rounded up, and down where rounding up would pass the maximum; where not even the least order
    fits under the maximum, nothing is ordered. With the rounding `past_maximum`, what fits before rounding
    is rounded up in any case, and flagged.

    Args:
        steps: at the wanted quantity.
        inputs: of the decision.
        cover_units: what the inventory position and this order may cover at most.
    """
    capped, room = max(0, cover_units - position(inputs)), room_under_maximum(inputs)
    steps.change("COVER_CAP", min(steps.quantity, capped), f"room for {capped}")
    steps.change("MAXIMUM_STOCK", min(steps.quantity, room), f"room for {room}")
    if 0 < steps.quantity < inputs.min_order_quantity:
        steps.change("MIN_ORDER_QUANTITY", inputs.min_order_quantity)
    packs = f"packs of {inputs.case_pack}"
    steps.change("CASE_PACK", round_up(steps.quantity, inputs.case_pack), packs)
    if steps.quantity > min(room, capped):
        _settle_past_maximum(steps, inputs, min(room, capped), room > capped)


def _settle_past_maximum(steps: Steps, inputs: DecisionInputs, room: int, is_cover: bool) -> None:
    if inputs.limits is not None and inputs.limits.rounding == "past_maximum":
        steps.remark("ROUNDED_PAST_MAXIMUM", steps.quantity, f"room for {room}")
        return
    fitting = room // inputs.case_pack * inputs.case_pack
    fitting = fitting if fitting >= least_order(inputs) else 0
    reason: ReasonCode = "COVER_CAP" if is_cover else "MAXIMUM_STOCK"
    steps.change(reason, fitting, f"room for {room}, rounded down to packs of {inputs.case_pack}")


def hold_back(steps: Steps, inputs: DecisionInputs, epoch_ms: int) -> None:
    """Orders nothing of an item on hold, or on a day on which its supplier takes no orders."""
    calendar = inputs.supplier_calendar
    if inputs.limits is not None and inputs.limits.hold:
        steps.remark("HOLD", 0, "the item is on hold")
    elif calendar is not None and not takes_orders(local_date(epoch_ms, inputs.time_zone), calendar):
        steps.remark("NO_ORDER_DAY", 0, f"{inputs.supplier} takes no orders today")
