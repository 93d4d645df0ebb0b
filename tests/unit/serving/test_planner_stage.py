from collections.abc import Iterable
from typing import Any

import pytest

from infra.contracts.inventory import Proposal, ProposalsComplete
from infra.contracts.shop import Item
from infra.contracts.topics import (
    CALENDARS,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POSITIONS,
    PROPOSALS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
    TOPICS,
)
from serving.inventory.proposals import completion_marker
from serving.partition_log import Entry
from serving.planner_stage import PlannerStage, planner_partitions
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    EPOCH,
    GROUP,
    OPENING,
    PARTITIONS,
    MemoryLog,
    Tally,
    close_epoch,
    feed,
    forecast,
    heartbeats,
    item,
    level,
    opened_shop,
    order,
    partition_of,
    run,
)

SKUS = ["A", "B", "C", "D"]
DEADLINE = 60.0


def planner(owned: Iterable[int] = range(PARTITIONS)) -> PlannerStage:
    return PlannerStage(frozenset(owned), PARTITIONS, BOUND_MS, DEADLINE, Tally())


def restarted(log: MemoryLog, owned: Iterable[int] = range(PARTITIONS)) -> PlannerStage:
    stage = planner(owned)
    assigned = set(planner_partitions(frozenset(owned), PARTITIONS))
    feed(stage, [each for each in log.entries if (each.topic, each.partition) in assigned])
    return stage


def proposals(log: MemoryLog) -> dict[str, Proposal]:
    found = [each for each in log.messages(PROPOSALS) if isinstance(each, Proposal)]
    assert len({each.decision_id for each in found}) == len(found)
    return {each.sku: each for each in found}


def markers(log: MemoryLog) -> list[ProposalsComplete]:
    return [each for each in log.messages(PROPOSALS) if isinstance(each, ProposalsComplete)]


def decided_log(**shop: Any) -> MemoryLog:
    """A shop whose epoch has been decided in one go."""
    log = opened_shop(SKUS, **shop)
    list(close_epoch(log, SKUS))
    run(restarted(log), log, now=0.0)
    return log


def test_every_sku_is_proposed_once_and_every_partition_is_completed() -> None:
    log = decided_log()

    assert set(proposals(log)) == set(SKUS)
    assert {marker.partition: marker.count for marker in markers(log)} == {0: 2, 1: 2}
    for marker in markers(log):
        own = [each for each in proposals(log).values() if each.partition == marker.partition]
        assert marker == completion_marker(GROUP, EPOCH, marker.partition, own)


def test_replaying_the_log_orders_nothing_twice() -> None:
    log = decided_log()
    before = len(log.entries)
    stage = restarted(log)
    feed(stage, log.entries)

    run(stage, log, now=1e9)

    assert len(log.entries) == before


def test_inputs_fed_twice_in_another_order_give_the_same_proposals() -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS))
    stage = planner()
    feed(stage, [*log.entries, *sorted(log.entries, key=lambda entry: (entry.topic, entry.partition))])
    run(stage, log, now=0.0)

    assert proposals(log) == proposals(decided_log())


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_a_planner_killed_between_its_outputs_completes_the_same_epoch(batches: int) -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS))
    if batches:
        run(restarted(log), log, now=0.0, batches=batches)

    run(restarted(log), log, now=0.0)

    assert proposals(log) == proposals(decided_log())
    assert sorted(markers(log), key=lambda each: each.partition) == sorted(
        markers(decided_log()), key=lambda each: each.partition
    )


def test_two_planners_share_the_partitions_and_propose_what_one_would() -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS))
    for owned in ([0], [1]):
        run(restarted(log, owned), log, now=0.0)

    assert proposals(log) == proposals(decided_log())
    assert len(markers(log)) == PARTITIONS


def test_records_later_than_the_epoch_do_not_change_its_decision() -> None:
    log = opened_shop(SKUS)
    log.append(STOCK_LEVELS, partition_of("A"), level("A", 3, EPOCH))
    log.append(STOCK_LEVELS, partition_of("A"), level("A", 999, EPOCH + 1))
    log.append(PURCHASE_ORDERS, partition_of("A"), order("placed", "po-9", EPOCH + 1, 500))
    log.append(ITEMS, partition_of("A"), item("A", event_time_ms=EPOCH + 1, case_pack=100))
    list(close_epoch(log, SKUS))
    run(restarted(log), log, now=0.0)

    inputs = proposals(log)["A"].inputs
    assert (inputs.on_hand, inputs.open_orders, inputs.case_pack) == (3, [], 1)


def test_lead_times_are_learnt_from_receipts_of_all_partitions() -> None:
    lead_times = proposals(decided_log())["B"].inputs.lead_times

    assert {count.days: count.receipts for count in lead_times} == {5: 2, 6: 4, 7: 2, 14: 2}


@pytest.mark.parametrize("late", [STOCK_LEVELS, PURCHASE_ORDERS, ITEMS, CALENDARS, OVERRIDES])
def test_an_epoch_waits_for_every_input_then_decides_with_a_remark_at_the_deadline(late: str) -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS, without=[late]))
    stage = restarted(log)
    run(stage, log, now=100.0)
    run(stage, log, now=100.0 + DEADLINE - 1)
    assert proposals(log) == {}

    run(stage, log, now=100.0 + DEADLINE)

    assert set(proposals(log)) == set(SKUS)
    for proposal in proposals(log).values():
        assert proposal.inputs.input_stale
        assert proposal.adjustments[-1].reason == "INPUT_STALE"
        assert not proposal.blocked


def test_a_missing_forecast_blocks_its_sku_at_the_deadline_and_no_other() -> None:
    log = opened_shop(SKUS)
    list(close_epoch(log, SKUS, without=["C"]))
    stage = restarted(log)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE)

    assert {sku: each.blocked for sku, each in proposals(log).items()} == {
        "A": False, "B": False, "C": True, "D": False,
    }  # fmt: skip
    assert [step.reason for step in proposals(log)["C"].adjustments] == ["FORECAST_MISSING"]


def test_missing_stock_blocks_a_sku_and_never_means_zero() -> None:
    log = opened_shop(SKUS)
    log.append(ITEMS, partition_of("E"), item("E"))
    list(close_epoch(log, [*SKUS, "E"]))
    run(restarted(log), log, now=0.0)

    blocked = proposals(log)["E"]
    assert (blocked.blocked, blocked.quantity, blocked.inputs.on_hand) == (True, 0, None)
    assert [step.reason for step in blocked.adjustments] == ["STOCK_UNKNOWN"]


@pytest.mark.parametrize(
    "changed", [item("B", end_ms=EPOCH), item("B", event_time_ms=EPOCH + 1, event_id="later")]
)
def test_ended_and_future_items_are_not_owed(changed: Item) -> None:
    skus = ["A", "C", "D"]
    log = opened_shop(skus)
    log.append(ITEMS, partition_of("B"), changed)
    list(close_epoch(log, [*skus, "B"]))
    run(restarted(log), log, now=0.0)

    assert set(proposals(log)) == set(skus)


def test_a_partition_without_skus_is_completed_with_none() -> None:
    log = opened_shop(["A", "C"])
    list(close_epoch(log, ["A", "C"]))
    stage = restarted(log)
    run(stage, log, now=0.0)
    run(stage, log, now=0.0)

    assert {marker.partition: marker.count for marker in markers(log)} == {0: 0, 1: 2}


def test_no_decision_on_a_day_without_review() -> None:
    log = opened_shop(SKUS)
    for sku in SKUS:
        log.append(FORECASTS, partition_of(sku), forecast(sku, OPENING + DAY_MS))
    topics = (STOCK_LEVELS, PURCHASE_ORDERS, ITEMS, CALENDARS)
    list(heartbeats(log, topics, OPENING + DAY_MS))
    run(restarted(log), log, now=0.0)

    assert log.messages(PROPOSALS) == []


def test_a_changed_proposal_in_the_log_is_refused_and_counted() -> None:
    log = decided_log()
    (first, *_) = proposals(log).values()
    forged = first.model_copy(update={"quantity": 1, "input_digest": "f" * 64})
    log.entries.append(Entry(PROPOSALS, 0, 99, forged))
    tally = Tally()
    stage = PlannerStage(frozenset(range(PARTITIONS)), PARTITIONS, BOUND_MS, DEADLINE, tally)
    feed(stage, log.entries)

    assert tally.sums["stockstream_conflicts_total"] == 1


def test_positions_are_published_once_per_closed_day_with_all_open_orders() -> None:
    log = opened_shop(["A"])
    for number in range(2):
        log.append(PURCHASE_ORDERS, 1, order("placed", f"po-{number}", OPENING + number, 10))
    list(heartbeats(log, (STOCK_LEVELS, STOCK_MOVEMENTS, PURCHASE_ORDERS), OPENING + DAY_MS))
    log.append(STOCK_LEVELS, 1, level("A", 5, OPENING + DAY_MS + 1))
    stage = restarted(log)
    run(stage, log, now=0.0)
    run(stage, log, now=1.0)

    (position,) = log.messages(POSITIONS)
    assert (position.as_of_ms, position.on_hand) == (OPENING + DAY_MS, 40)
    assert [each.order_id for each in position.open_orders] == ["po-0", "po-1"]
    later = position.source_offsets[STOCK_LEVELS]
    assert all(
        entry.message.event_time_ms > position.as_of_ms
        for entry in log.entries
        if (entry.topic, entry.partition) == (STOCK_LEVELS, 1) and entry.offset >= later
    )


def compacted(log: MemoryLog) -> MemoryLog:
    """The log after compaction: of each compacted topic the last record per key and partition."""
    last = {_compaction_key(entry): entry for entry in log.entries}
    kept = MemoryLog()
    kept.entries = [entry for entry in log.entries if last[_compaction_key(entry)] is entry]
    return kept


def _compaction_key(entry: Entry) -> tuple[object, ...]:
    if TOPICS[entry.topic].cleanup != "compact":
        return (entry.topic, entry.partition, entry.offset)
    key = getattr(entry.message, "sku", None) or getattr(entry.message, "event_type", None)
    return (entry.topic, entry.partition, key)


def test_a_planner_rebuilt_from_compacted_topics_proposes_the_same() -> None:
    log = opened_shop(SKUS)
    for day in range(1, 7):
        heartbeats(log, (STOCK_LEVELS, PURCHASE_ORDERS, ITEMS, CALENDARS), OPENING + day * DAY_MS)
    log.append(ITEMS, partition_of("A"), item("A", event_time_ms=OPENING + DAY_MS, case_pack=6))
    list(close_epoch(log, SKUS))
    rebuilt = compacted(log)
    for each in (log, rebuilt):
        run(restarted(each), each, now=0.0)

    assert len(rebuilt.entries) < len(log.entries)
    assert proposals(rebuilt) == proposals(log)
    assert proposals(rebuilt)["A"].inputs.case_pack == 6
