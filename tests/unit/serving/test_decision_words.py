"""A decision says in words what led to it."""

from pathlib import Path
from typing import Any

import pytest

from infra.contracts.codec import encode
from infra.contracts.inventory import ReorderDecision
from infra.contracts.replenishment import BaseStock, ProjectedInventoryLevel
from infra.contracts.topics import DECISIONS, ITEMS, OVERRIDES, POLICIES, STOCK_LEVELS
from infra.errors import StockstreamError
from serving.inventory.decision_words import explain_decision
from serving.show_decision import as_json, decision, decision_by_id, latest_decision
from tests.unit.serving.planners import override
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    LOCATION,
    MemoryLog,
    close_epoch,
    item,
    level,
    opened_shop,
    partition_of,
    policy,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import DEADLINE
from tests.unit.serving.test_planner_stage import restarted as planner


def decided(*records: tuple[str, Any], without: tuple[str, ...] = (), **item_a: Any) -> MemoryLog:
    log = opened_shop(["A", "B"])
    log.append(ITEMS, partition_of("A"), item("A", event_time_ms=EPOCH - DAY_MS, **item_a))
    for topic, record in records:
        log.append(topic, 0, record)
    list(close_epoch(log, ["A", "B"], without=without))
    stage = planner(log)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE)
    run(allocator(log), log, now=0.0)
    return log


def of(log: MemoryLog, sku: str = "A") -> ReorderDecision:
    return latest_decision(log.messages(DECISIONS), (sku, LOCATION))


def words(*records: tuple[str, Any], **changes: Any) -> str:
    return explain_decision(of(decided(*records, **changes)))


def test_a_plain_decision_says_days_service_cost_and_arrival() -> None:
    assert words() == (
        "wanted 121 to cover 13 days at 95 %; 121 from supplier-1 for 157.30 GBP, expected 2011-10-02"
    )


def test_what_is_owed_and_reserved_is_said_where_there_is_any() -> None:
    owing = level("A", 40, EPOCH - DAY_MS, backordered=7, reserved=2)

    assert words((STOCK_LEVELS, owing)).startswith(
        "wanted 121 to cover 13 days at 95 % with 7 backordered and 2 reserved; "
    )


def test_a_policy_for_lost_sales_does_not_decide_where_customers_wait_and_it_is_said() -> None:
    policy = ProjectedInventoryLevel(policy="projected-inventory-level", level=0.9)

    assert words(replenishment=policy, unmet_demand="backordered").startswith(
        "wanted 232 by cover-until-next-arrival, since projected-inventory-level is for lost sales; "
    )


def test_pack_and_budget_are_said_with_the_price_of_money_and_where_they_lead() -> None:
    made = of(decided((POLICIES, policy("150.00")), case_pack=12))
    (price,) = [step.detail.split("λ = ")[1] for step in made.adjustments if step.reason == "BUDGET"]

    assert explain_decision(made) == (
        "wanted 121 to cover 13 days at 95 %; packs of 12 → 132; "
        f"budget 150.00 GBP, λ = {price} → {made.quantity}; "
        f"{made.quantity} from supplier-1 for {made.cost.amount} GBP, expected 2011-10-02"
    )
    assert 0 < float(price) < 10


def test_overrides_name_their_author_and_reason() -> None:
    assert words((OVERRIDES, override("order_quantity", 37.0))) == (
        "wanted 121 to cover 13 days at 95 %; overridden quantity (ada: magazine cover) → 37; "
        "37 from supplier-1 for 48.10 GBP, expected 2011-10-02"
    )


def test_a_policy_by_name_is_named_once() -> None:
    assert words(replenishment=BaseStock(policy="base-stock", level=100)).startswith(
        "wanted 60 by base-stock; "
    )


def test_a_blocked_decision_says_what_is_missing_and_that_nothing_is_ordered() -> None:
    assert words(without=("A",)) == (
        "wanted 0; forecast missing (no forecast with the epoch as origin); blocked, nothing is ordered"
    )


def test_enough_stock_orders_nothing() -> None:
    assert words(maximum_stock=40).endswith("; maximum stock (room for 0) → 0; nothing is ordered")


def test_a_decision_is_found_by_its_id_or_as_the_latest_of_its_sku(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = decided()
    decisions = log.messages(DECISIONS)
    made = of(log, "B")
    (tmp_path / f"{DECISIONS}.jsonl").write_bytes(b"\n".join(encode(DECISIONS, each) for each in decisions))

    assert decision_by_id(decisions, made.decision_id) == made
    decision(sku="B", file=tmp_path)
    assert capsys.readouterr().out == (
        f"B at gb-main, decision {made.decision_id}\n  {explain_decision(made)}\n"
    )
    assert as_json(made)["explanation"] == explain_decision(made)


def test_what_cannot_be_found_is_named(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match="there is no decision unknown"):
        decision_by_id([], "unknown")
    with pytest.raises(StockstreamError, match="there is no decision of A at gb-main"):
        latest_decision([], ("A", LOCATION))
    with pytest.raises(StockstreamError, match="either a decision's id or --sku"):
        decision(decision_id="x", sku="A", file=tmp_path)
