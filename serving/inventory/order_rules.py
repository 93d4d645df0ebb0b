"""From what a SKU needs to what can be ordered: cap, minimum order and case pack, each step on record."""

from dataclasses import dataclass, field

from infra.contracts.inventory import Adjustment, DecisionInputs, ReasonCode

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


def room_under_maximum(inputs: DecisionInputs) -> int:
    """Units that may still be ordered without on hand and open orders passing the maximum stock."""
    if inputs.maximum_stock is None:
        return MAX_UNITS
    on_order = sum(order.outstanding for order in inputs.open_orders)
    return max(0, inputs.maximum_stock - (inputs.on_hand or 0) - on_order)


def least_order(inputs: DecisionInputs) -> int:
    """The smallest quantity the supplier accepts: the minimum order in whole packs."""
    return round_up(inputs.min_order_quantity, inputs.case_pack)


def round_up(quantity: int, pack: int) -> int:
    """The next whole number of packs."""
    return -(-quantity // pack) * pack


def apply_order_rules(steps: Steps, inputs: DecisionInputs) -> None:
    """Applies maximum stock, minimum order and case pack; the result never passes the maximum.

    Packs are rounded up, and down where rounding up would pass the maximum; where not even the least order
    fits under the maximum, nothing is ordered.
    """
    room = room_under_maximum(inputs)
    steps.change("MAXIMUM_STOCK", min(steps.quantity, room), f"room for {room}")
    if 0 < steps.quantity < inputs.min_order_quantity:
        steps.change("MIN_ORDER_QUANTITY", inputs.min_order_quantity)
    packs = f"packs of {inputs.case_pack}"
    steps.change("CASE_PACK", round_up(steps.quantity, inputs.case_pack), packs)
    if steps.quantity > room:
        fitting = room // inputs.case_pack * inputs.case_pack
        fitting = fitting if fitting >= least_order(inputs) else 0
        steps.change("MAXIMUM_STOCK", fitting, f"room for {room}, rounded down to {packs}")
