"""A policy without what it needs is refused, naming the field, the value and what is accepted."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infra.contracts.codec import decode
from infra.contracts.table import json_schema
from infra.contracts.topics import ITEMS, TOPICS
from infra.errors import ContractError
from tests.unit.infra.test_contracts import golden_lines

COST = {"kind": "cost", "stockout_rate": 0.8, "holding_rate": 0.25}
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"policy": "best"}, "replenishment", "'order-up-to'"),
    ({"policy": "order-up-to"}, "replenishment.order-up-to.target", "required"),
    (
        {"policy": "order-up-to", "target": {"kind": "cost", "stockout_rate": 0.8}},
        "replenishment.order-up-to.target.cost.holding_rate",
        "required",
    ),
    ({"policy": "min-max", "target": COST}, "replenishment.min-max.lot", "required"),
    (
        {"policy": "min-max", "target": COST, "lot": {"kind": "economic", "ordering_cost": "0.00"}},
        "replenishment.min-max.lot.economic.ordering_cost",
        "pattern",
    ),
    ({"policy": "lookahead", "stockout_rate": 0.8}, "replenishment.lookahead.holding_rate", "required"),
    (
        {"policy": "newsvendor", "underage_rate": 0.0, "overage_rate": 0.2},
        "replenishment.newsvendor.underage_rate",
        "greater than 0",
    ),
    (
        {"policy": "projected-inventory-level", "level": 1.0},
        "replenishment.projected-inventory-level.level",
        "less than 1",
    ),
]


@pytest.mark.parametrize(("replenishment", "field", "accepted"), BROKEN)
def test_a_policy_without_what_it_needs_is_refused(
    replenishment: dict[str, Any], field: str, accepted: str
) -> None:
    item = json.loads(golden_lines(ITEMS)[0]) | {"replenishment": replenishment}

    with pytest.raises(ContractError) as refused:
        decode(ITEMS, json.dumps(item).encode())

    assert field in str(refused.value)
    assert accepted in str(refused.value)
    assert not Draft202012Validator(json_schema(TOPICS[ITEMS])).is_valid(item)
