"""What customers wait for and what is reserved, from the stock level to the decision."""

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.contracts.inventory import LeadTimeCount, OpenOrder
from infra.contracts.replenishment import OrderLimits, Replenishment
from infra.contracts.topics import ITEMS, POSITIONS, PURCHASE_ORDERS, STOCK_LEVELS, STOCK_MOVEMENTS
from serving.inventory.named_policies import DEFAULT_POLICY, FOR_LOST_SALES
from serving.inventory.order_rules import to_be_stored
from serving.inventory.policy import decide, joint_draws
from serving.inventory.projection import stock_paths
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import board_of, client, shop_log
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    OPENING,
    MemoryLog,
    close_epoch,
    forecast,
    heartbeats,
    item,
    level,
    opened_shop,
    partition_of,
    run,
)
from tests.unit.serving.test_named_policies import POLICIES, each_policy
from tests.unit.serving.test_order_rules import inputs
from tests.unit.serving.test_planner_stage import proposals, restarted
from tests.unit.serving.test_policy import request, wanted

SIX_DAYS = [LeadTimeCount(days=6, receipts=9)]


def test_what_is_owed_and_reserved_reaches_the_position_and_the_inputs_after_a_restart_too() -> None:
    log = opened_shop(["A", "C"])
    owing = level("A", 4, OPENING + 1, backordered=7, reserved=2)
    log.append(STOCK_LEVELS, partition_of("A"), owing)
    waits = item("A", event_time_ms=OPENING + 1, unmet_demand="backordered")
    log.append(ITEMS, partition_of("A"), waits)
    list(heartbeats(log, (STOCK_LEVELS, STOCK_MOVEMENTS, PURCHASE_ORDERS), OPENING + DAY_MS))
    list(close_epoch(log, ["A", "C"]))
    begun = MemoryLog()
    begun.entries = list(log.entries)
    run(restarted(log), log, now=0.0)
    run(restarted(begun), begun, now=0.0, batches=1)
    run(restarted(begun), begun, now=0.0)

    made = proposals(log)
    owed = made["A"].inputs
    assert (owed.on_hand, owed.backordered, owed.reserved, owed.unmet_demand) == (4, 7, 2, "backordered")
    assert not {"backordered", "reserved", "unmet_demand"} & made["C"].inputs.model_dump().keys()
    position = next(each for each in log.messages(POSITIONS) if each.sku == "A")
    assert (position.on_hand, position.backordered, position.reserved) == (4, 7, 2)
    assert proposals(begun) == made


def coming(units: int) -> list[OpenOrder]:
    """An order that is here before one of now."""
    return [
        OpenOrder(order_id="po-1", supplier="supplier-1", outstanding=units, placed_ms=EPOCH - 2 * DAY_MS)
    ]


@each_policy
def test_what_is_reserved_or_owed_is_not_there(policy: Replenishment) -> None:
    promised = wanted(replenishment=policy, on_hand=40, reserved=10, backordered=5)

    assert promised.quantity == wanted(replenishment=policy, on_hand=25).quantity


@each_policy
def test_what_is_owed_is_served_first_from_what_arrives(policy: Replenishment) -> None:
    empty: dict[str, Any] = {"replenishment": policy, "on_hand": 0, "lead_times": SIX_DAYS}

    assert wanted(backordered=30, open_orders=coming(30), **empty) == wanted(**empty)


@pytest.mark.parametrize(
    "policy",
    [each for each in POLICIES if each.policy not in ("capped-base-stock", "reorder-quantity")],
    ids=lambda policy: policy.policy,
)
def test_what_nothing_on_order_will_serve_is_ordered_on_top(policy: Replenishment) -> None:
    """A cap cuts it off, and whole lots need not grow with it. More is reserved than is there: it is owed."""
    owing = wanted(replenishment=policy, on_hand=0, reserved=30)

    assert owing.quantity == wanted(replenishment=policy, on_hand=0).quantity + 30


def test_where_customers_wait_demand_before_the_arrival_is_ordered_too() -> None:
    waits: dict[str, Any] = {"on_hand": 0, "unmet_demand": "backordered", "lead_times": SIX_DAYS}
    demand, _ = joint_draws(request(**waits), forecast("A"))

    covered = np.sort(demand[:, : 6 + 7].sum(axis=1))
    assert wanted(**waits).quantity == np.ceil(covered[int(np.ceil(0.95 * len(covered))) - 1])
    assert wanted(**waits).quantity > wanted(**{**waits, "unmet_demand": "lost"}).quantity


def test_a_decision_is_the_same_alone_and_among_others_that_lose_or_owe() -> None:
    unmet, named = cycle(["lost", "backordered", "backordered"]), cycle([None, *POLICIES])
    requests = [
        request(
            f"S{n}",
            on_hand=n,
            backordered=7 * (n % 4),
            reserved=n % 3,
            unmet_demand=next(unmet),
            replenishment=next(named),
            open_orders=coming(n),
        )
        for n in range(40)
    ]

    assert decide(requests) == [decide([each])[0] for each in requests]
    assert decide(requests[::-1]) == decide(requests)[::-1]


@each_policy
def test_where_customers_wait_the_default_decides_in_place_of_a_policy_for_lost_sales(
    policy: Replenishment,
) -> None:
    made = wanted(replenishment=policy, on_hand=10, unmet_demand="backordered")

    (remark,) = [step for step in made.adjustments if step.reason == "POLICY"]
    if policy.policy in FOR_LOST_SALES:
        assert made.quantity == wanted(on_hand=10, unmet_demand="backordered").quantity
        assert remark.detail == f"{DEFAULT_POLICY}, since {policy.policy} is for lost sales"
    else:
        assert remark.detail == policy.policy


def test_limits_bound_what_is_left_once_everybody_has_been_served() -> None:
    owing: dict[str, Any] = {"on_hand": 0, "backordered": 30}

    assert wanted(maximum_stock=50, **owing).quantity == 50 + 30
    assert wanted(limits=OrderLimits(minimum_stock=400), **owing).quantity == 400 + 30
    assert to_be_stored(inputs(on_hand=20, reserved=15, open_orders=coming(10))) == 30
    assert to_be_stored(inputs(open_orders=coming(10), backordered=4)) == 6
    assert to_be_stored(inputs(open_orders=coming(10), backordered=40)) == 0


def test_the_projection_starts_at_what_is_owed_and_only_those_who_wait_add_to_it() -> None:
    demand, arrivals = np.full((1, 3), 4.0), np.array([[0.0, 10.0, 0.0]])
    owing: dict[str, Any] = {"on_hand": 1, "backordered": 3, "reserved": 1}

    lost = stock_paths(demand, arrivals, inputs(**owing))
    waiting = stock_paths(demand, arrivals, inputs(**owing, unmet_demand="backordered"))
    assert [each.tolist() for each in lost] == [[[-3.0, 3.0, 0.0]], [[0.0, 4.0, 3.0]]]
    assert [each.tolist() for each in waiting] == [[[-7.0, -1.0, -5.0]], [[0.0, 3.0, 0.0]]]


def test_what_is_owed_and_reserved_is_shown_and_is_not_there(tmp_path: Path) -> None:
    log = shop_log()
    owing = level("B", 35, EPOCH + DAY_MS, backordered=20, reserved=15)
    emptied = level("B", 0, EPOCH + DAY_MS)
    answers = []
    for stock in (owing, emptied):
        told = board_of([*log.entries, Entry(STOCK_LEVELS, 0, 99, stock)])
        answers.append(client(tmp_path, told).get("/v1/skus/gb-main/B").json())

    shown, bare = answers
    assert (shown["on_hand"], shown["backordered"], shown["reserved"]) == (35, 20, 15)
    assert (bare["backordered"], bare["reserved"]) == (0, 0)
    assert (shown["stock_out_risk"], shown["days_of_cover"]) == (bare["stock_out_risk"], 0)
