"""Planners hold, reject and approve decisions, from the topic to the decision that supersedes."""

import json
from typing import Any

import pytest

from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISION_ACTIONS, DECISIONS, PURCHASE_ORDERS
from serving.allocator_stage import allocator_partitions
from serving.inventory.decision_words import explain_decision
from tests.unit.serving.planners import action
from tests.unit.serving.records import EPOCH, PARTITIONS, MemoryLog, Tally, feed, order, partition_of, run
from tests.unit.serving.test_allocator_stage import allocated, allocator, restarted
from tests.unit.serving.test_reproduction import Recorded, replayed

HOUR_MS = 3_600_000


def decisions_of(log: MemoryLog, sku: str = "A") -> list[ReorderDecision]:
    return [each for each in log.messages(DECISIONS) if each.sku == sku]


def act(log: MemoryLog, kind: str, decision: ReorderDecision, at_ms: int = EPOCH + HOUR_MS) -> None:
    log.append(DECISION_ACTIONS, 1, action(kind, decision, at_ms))


def place(log: MemoryLog, decision: ReorderDecision, at_ms: int) -> None:
    placed = order("placed", "po-1", at_ms, 5, decision_id=decision.decision_id)
    log.append(PURCHASE_ORDERS, partition_of("A"), placed)


def stopped(kind: str, **changes: Any) -> tuple[MemoryLog, ReorderDecision, ReorderDecision]:
    log = allocated(**changes)
    (first,) = decisions_of(log)
    act(log, kind, first)
    run(restarted(log), log, now=0.0)
    (_, second) = decisions_of(log)
    return log, first, second


@pytest.mark.parametrize(("kind", "reason"), [("hold", "HELD"), ("reject", "REJECTED")])
def test_a_decision_that_a_planner_stops_is_superseded_by_one_to_order_nothing(
    kind: str, reason: str
) -> None:
    _, first, second = stopped(kind)

    assert (second.supersedes, second.sequence) == (first.decision_id, 2)
    assert (second.status, second.quantity, second.cost.amount) == ("no_order", 0, "0.00")
    assert (second.epoch_ms, second.cause) == (EPOCH + HOUR_MS, f"{kind}:{first.decision_id}")
    assert second.adjustments[:-1] == first.adjustments
    assert second.adjustments[-1].model_dump() == {
        "reason": reason, "before": first.quantity, "after": 0, "detail": "ada: supplier strike",
    }  # fmt: skip
    assert explain_decision(second).endswith("(ada: supplier strike) → 0; nothing is ordered")


def test_the_allocator_reads_actions_and_orders_of_every_partition() -> None:
    read = {(each.topic, each.partition) for each in allocator_partitions(PARTITIONS)}

    wanted = {(topic, n) for topic in (DECISION_ACTIONS, PURCHASE_ORDERS) for n in range(PARTITIONS)}
    assert wanted <= read


def test_an_action_said_twice_or_replayed_stops_once() -> None:
    log, first, _ = stopped("hold")
    act(log, "hold", first)
    run(restarted(log), log, now=0.0)
    stage = restarted(log)
    feed(stage, log.entries)
    run(stage, log, now=1e9)

    assert len(decisions_of(log)) == 2


def test_an_allocator_killed_at_any_record_stops_the_same_decision() -> None:
    expected, first, second = stopped("hold")
    inputs = [each for each in expected.entries if each.message != second]
    for killed_after in range(len(inputs) + 1):
        log = MemoryLog()
        log.entries = inputs[:killed_after]
        run(restarted(log), log, now=0.0)
        known = log.messages(DECISIONS)
        log.entries += [each for each in inputs[killed_after:] if each.message not in known]
        run(restarted(log), log, now=0.0)

        found = {each.decision_id: each for each in decisions_of(log)}
        assert found == {first.decision_id: first, second.decision_id: second}


def test_an_action_may_come_before_the_decision_that_it_names() -> None:
    log, first, second = stopped("hold")
    stage = allocator()
    feed(stage, sorted(log.entries, key=lambda entry: entry.topic != DECISION_ACTIONS))
    run(stage, log, now=0.0)

    assert decisions_of(log) == [first, second]


def outcome(log: MemoryLog) -> Tally:
    tally = Tally()
    stage = allocator(tally)
    feed(stage, log.entries)
    run(stage, log, now=0.0)
    return tally


def test_what_has_been_placed_is_no_longer_stopped_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    log = allocated()
    (first,) = decisions_of(log)
    place(log, first, EPOCH + HOUR_MS)
    act(log, "hold", first)
    outcome(log)

    assert decisions_of(log) == [first]
    assert "hold of decision" in caplog.text
    assert "by ada has no effect: already placed" in caplog.text


def test_an_order_placed_after_the_hold_does_not_undo_it() -> None:
    log = allocated()
    (first,) = decisions_of(log)
    place(log, first, EPOCH + HOUR_MS + 1)
    act(log, "hold", first)
    outcome(log)

    assert len(decisions_of(log)) == 2


@pytest.mark.parametrize("at_ms", [EPOCH - 1, EPOCH + HOUR_MS])
def test_an_approval_and_an_action_before_its_decision_change_nothing(at_ms: int) -> None:
    log = allocated()
    (first,) = decisions_of(log)
    act(log, "approve" if at_ms > EPOCH else "hold", first, at_ms)

    assert outcome(log).sums["stockstream_decision_actions_total"] == 1
    assert decisions_of(log) == [first]


def test_an_approval_releases_a_held_decision_and_not_a_rejected_one() -> None:
    for kind, released in (("hold", True), ("reject", False)):
        log, first, second = stopped(kind)
        act(log, "approve", second, EPOCH + 2 * HOUR_MS)
        outcome(log)
        made = decisions_of(log)

        assert len(made) == 2 + released
        if released:
            assert (made[2].quantity, made[2].cost, made[2].supersedes) == (
                first.quantity, first.cost, second.decision_id,
            )  # fmt: skip
            assert explain_decision(made[2]).count("released (ada: supplier strike) →") == 1
        assert replayed(Recorded(log)).differences == []


def test_a_held_decision_is_not_released_where_its_money_is_gone() -> None:
    log, first, second = stopped("hold", budget="150.00")
    spent = first.model_copy(
        update={"decision_id": "spent-elsewhere", "cause": "override:1", "sku": "B", "epoch_ms": EPOCH + 1}
    )
    log.append(DECISIONS, partition_of("B"), spent)
    act(log, "approve", second, EPOCH + 2 * HOUR_MS)
    outcome(log)

    assert decisions_of(log) == [first, second]


def test_only_the_newest_decision_of_a_sku_is_stopped() -> None:
    log, first, _ = stopped("hold")
    act(log, "reject", first, EPOCH + 2 * HOUR_MS)
    outcome(log)

    assert len(decisions_of(log)) == 2


def test_a_stopped_decision_is_reproduced_and_every_change_to_it_is_found() -> None:
    log, _, second = stopped("reject", budget="150.00")
    recorded = Recorded(log)
    assert replayed(recorded).differences == []
    assert replayed(recorded).reproduced == 5

    for name in sorted(second.model_dump().keys() - {"version"}):
        changed = Recorded(log)
        record = next(each for each in changed.records[DECISIONS] if each["supersedes"])
        record[name] = json.loads(json.dumps(_other(name, record[name])))
        assert replayed(changed).differences, name


def _other(name: str, value: Any) -> Any:
    others: dict[str, Any] = {
        "action": {"author": "bob"},
        "inputs": {"on_hand": 41},
        "cost": {"amount": "0.01"},
        "adjustments": [],
        "expected_receipt_ms": EPOCH,
        "status": "order",
        "forecaster": "empirical_56_open_days",
    }
    other = others.get(name, value + 1 if isinstance(value, int) else "f" * 64)
    return {**value, **other} if isinstance(other, dict) else other
