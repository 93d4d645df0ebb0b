from decimal import Decimal

import pytest

from infra.contracts.inventory import AllocationRun, ProposalsComplete, ReorderDecision
from infra.contracts.topics import ALLOCATION_RUNS, DECISIONS, POLICIES, PROPOSALS
from serving.allocator_stage import AllocatorStage
from serving.inventory.allocation import solver_options
from serving.partition_log import Entry
from tests.unit.serving.records import (
    BOUND_MS,
    EPOCH,
    OPENING,
    PARTITIONS,
    MemoryLog,
    Tally,
    feed,
    policy,
    run,
)
from tests.unit.serving.test_planner_stage import SKUS, decided_log

DEADLINE = 90.0


def allocator(tally: Tally | None = None) -> AllocatorStage:
    return AllocatorStage(PARTITIONS, BOUND_MS, DEADLINE, solver_options(10.0), tally or Tally())


def restarted(log: MemoryLog) -> AllocatorStage:
    stage = allocator()
    feed(stage, log.entries)
    return stage


def decisions(log: MemoryLog) -> dict[str, ReorderDecision]:
    found = log.messages(DECISIONS)
    assert len({each.decision_id for each in found}) == len(found)
    return {each.sku: each for each in found}


def runs(log: MemoryLog) -> list[AllocationRun]:
    return list(log.messages(ALLOCATION_RUNS))


def allocated(budget: str | None = None) -> MemoryLog:
    log = decided_log()
    if budget is not None:
        log.append(POLICIES, 0, policy(budget))
    run(restarted(log), log, now=0.0)
    return log


def test_every_proposal_becomes_one_decision_of_the_one_run() -> None:
    log = allocated()
    (only,) = runs(log)

    assert set(decisions(log)) == set(SKUS)
    assert {each.allocation_run_id for each in decisions(log).values()} == {only.run_id}
    assert only.status == "unconstrained"
    assert {line.decision_id: line.allocated for line in only.lines} == {
        each.decision_id: each.quantity for each in decisions(log).values()
    }
    assert Decimal(only.spent.amount) == sum(Decimal(each.cost.amount) for each in decisions(log).values())


def test_a_budget_is_kept_and_each_cut_is_on_record() -> None:
    log = allocated(budget="150.00")
    (only,) = runs(log)

    assert only.status == "optimal"
    assert Decimal("140") < Decimal(only.spent.amount) <= Decimal("150.00")
    assert only.shadow_price is not None
    assert only.shadow_price > 0
    for decision in decisions(log).values():
        wanted = next(line.wanted for line in only.lines if line.decision_id == decision.decision_id)
        cuts = [step for step in decision.adjustments if step.reason == "BUDGET"]
        assert [(cut.before, cut.after) for cut in cuts] == (
            [(wanted, decision.quantity)] if wanted != decision.quantity else []
        )
        assert decision.status == ("order" if decision.quantity else "no_order")


def test_without_a_policy_nothing_is_cut() -> None:
    log = decided_log()
    log.entries = [entry for entry in log.entries if not isinstance(entry.message, type(policy(None)))]
    run(restarted(log), log, now=0.0)

    assert [(each.status, each.budget) for each in runs(log)] == [("unconstrained", None)]


@pytest.mark.parametrize("batches", [1, 2])
def test_an_allocator_killed_between_run_and_decisions_completes_from_the_stored_run(batches: int) -> None:
    log = decided_log()
    run(restarted(log), log, now=0.0, batches=batches)
    log.append(POLICIES, 0, policy("1.00"))  # a budget that came too late for the stored run

    run(restarted(log), log, now=0.0)

    assert decisions(log) == decisions(allocated())
    assert runs(log) == runs(allocated())


def test_decisions_lost_in_part_are_completed_and_none_is_made_twice() -> None:
    log = allocated()
    lost = log.entries.pop()
    assert isinstance(lost.message, ReorderDecision)

    run(restarted(log), log, now=0.0)

    assert decisions(log) == decisions(allocated())


def test_the_result_does_not_depend_on_the_order_of_arrival() -> None:
    log = decided_log()
    log.append(POLICIES, 0, policy("150.00"))
    stage = allocator()
    feed(stage, reversed(log.entries))
    run(stage, log, now=0.0)

    assert decisions(log) == decisions(allocated(budget="150.00"))


def without_marker(log: MemoryLog, partition: int) -> list[Entry]:
    return [
        entry
        for entry in log.entries
        if not (isinstance(entry.message, ProposalsComplete) and entry.message.partition == partition)
    ]


def test_a_missing_partition_is_waited_for_and_named_at_the_deadline() -> None:
    log = decided_log()
    log.entries = without_marker(log, 1)
    stage = restarted(log)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE - 1)
    assert runs(log) == []

    run(stage, log, now=DEADLINE)

    assert runs(log)[0].missing_partitions == [1]
    for decision in decisions(log).values():
        assert decision.adjustments[-1].reason == "PARTITION_MISSING"


def test_a_proposal_that_comes_after_the_run_is_blocked_with_a_reason() -> None:
    log = decided_log()
    late = next(entry for entry in log.entries if entry.topic == PROPOSALS)
    log.entries = [entry for entry in without_marker(log, late.message.partition) if entry != late]
    stage = restarted(log)
    run(stage, log, now=0.0)
    run(stage, log, now=DEADLINE)
    stage.apply(late)
    run(stage, log, now=DEADLINE)

    blocked = decisions(log)[late.message.sku]
    assert (blocked.status, blocked.quantity) == ("blocked", 0)
    assert blocked.adjustments[-1].reason == "PARTITION_MISSING"
    assert len(runs(log)) == 1


def test_policies_must_have_passed_the_epoch() -> None:
    log = decided_log()
    log.entries = [
        entry
        for entry in log.entries
        if entry.topic != POLICIES or isinstance(entry.message, type(policy(None)))
    ]
    stage = restarted(log)
    run(stage, log, now=0.0)

    assert runs(log) == []


@pytest.mark.parametrize("swapped", [False, True])
def test_the_newest_policy_of_a_group_holds_from_its_event_time_on_and_may_lift_the_budget(
    swapped: bool,
) -> None:
    said = [
        policy("100.00").model_copy(update={"policy_id": "later-id", "event_time_ms": OPENING + 5}),
        policy("150.00").model_copy(update={"policy_id": "earlier-id", "event_time_ms": OPENING + 5}),
        policy("1.00").model_copy(update={"policy_id": "too-late", "event_time_ms": EPOCH + 1}),
    ]
    log, lifted = decided_log(), decided_log()
    for each in reversed(said) if swapped else said:
        log.append(POLICIES, 0, each)
        lifted.append(POLICIES, 0, each)
    lifted.append(POLICIES, 0, policy(None).model_copy(update={"event_time_ms": EPOCH}))
    for each_log in (log, lifted):
        run(restarted(each_log), each_log, now=0.0)

    assert [each.budget and each.budget.amount for each in (runs(log)[0], runs(lifted)[0])] == [
        "100.00",
        None,
    ]


def test_the_same_id_with_another_digest_is_counted_and_the_first_stays() -> None:
    log = allocated()
    (first, *_) = decisions(log).values()
    forged = first.model_copy(update={"quantity": 77, "input_digest": "f" * 64})
    tally = Tally()
    stage = allocator(tally)
    feed(stage, [*log.entries, Entry(DECISIONS, 0, 99, forged)])
    run(stage, log, now=0.0)

    assert tally.sums["stockstream_conflicts_total"] == 1
    assert decisions(log) == decisions(allocated())
