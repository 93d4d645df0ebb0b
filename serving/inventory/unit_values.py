"""What the units of an order are worth, for sharing a budget."""

import numpy as np

from infra.contracts.inventory import DecisionInputs, ValueSegment
from serving.inventory.cover import Floats, chances_needed
from serving.inventory.money import decimal_of
from serving.inventory.order_rules import least_order

MAX_SEGMENTS = 16


def value_segments(quantity: int, required: Floats, inputs: DecisionInputs) -> list[ValueSegment]:
    """The units of an order, best first: unit margin x chance that the unit is needed until the next arrival.

    The first segment is the least order, which is bought whole or not at all; the rest is cut into at most
    `MAX_SEGMENTS - 1` blocks of whole packs. Values never rise. Where price and cost are in different
    currencies no margin is known, and nothing is worth anything.

    Args:
        quantity: units wanted, whole packs.
        required: units needed per path, ascending [paths].
        inputs: gives margin, pack and minimum order.
    """
    if quantity == 0:
        return []
    bounds = np.array(_bounds(quantity, inputs))
    values = max(0.0, _margin(inputs)) * chances_needed(required, bounds)
    return [
        ValueSegment(quantity=units, unit_value=value)
        for units, value in zip(np.diff(bounds).tolist(), values.tolist(), strict=True)
    ]


def _margin(inputs: DecisionInputs) -> float:
    if inputs.price.currency != inputs.unit_cost.currency:
        return 0.0
    return float(decimal_of(inputs.price) - decimal_of(inputs.unit_cost))


def _bounds(quantity: int, inputs: DecisionInputs) -> list[int]:
    first = least_order(inputs)
    packs = (quantity - first) // inputs.case_pack
    block = max(1, -(-packs // (MAX_SEGMENTS - 1))) * inputs.case_pack
    between = range(first + block, quantity, block)
    return [0, first, *between, quantity] if quantity > first else [0, first]
