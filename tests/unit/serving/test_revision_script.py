"""A fixed script of triggers gives the same decisions whatever happens to the stages meanwhile."""

from typing import Any

import pytest

from infra.contracts.inventory import Proposal, ReorderDecision
from infra.contracts.topics import (
    DECISIONS,
    PROPOSALS,
    PURCHASE_ORDERS,
)
from serving.partition_log import Entry
from serving.planner_stage import PlannerStage
from tests.unit.serving.between_reviews import (
    CLOCKED,
    HOUR_MS,
    NEXT_EPOCH,
    SKUS,
    TUESDAY,
    WEDNESDAY,
    advance,
    count,
    happen,
    reviewed,
    set_quantity,
    settle,
)
from tests.unit.serving.records import (
    MemoryLog,
    Tally,
    feed,
    heartbeats,
    partition_of,
)
from tests.unit.serving.test_allocator_stage import allocator as allocator_stage
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_planner_stage import restarted as planner
from tests.unit.serving.test_reproduction import Recorded, replayed

SCRIPT: list[list[tuple[str, Any]]] = [
    [set_quantity(50)],
    count("B", TUESDAY + HOUR_MS, 5),
    [set_quantity(70, WEDNESDAY, scope="category:none", override_id="override-2")],
    count("C", WEDNESDAY + HOUR_MS, 0),
    [set_quantity(50, WEDNESDAY + 2 * HOUR_MS)],
]
"""Overrides and stock counts of three days."""


def scripted(log: MemoryLog) -> dict[str, ReorderDecision]:
    advance(log, NEXT_EPOCH)
    return {each.decision_id: each for each in log.messages(DECISIONS)}


def played() -> MemoryLog:
    log = reviewed(budget="600.00")
    for step in SCRIPT:
        happen(log, *step)
    return log


def test_the_same_script_gives_the_same_decisions_whatever_is_killed_in_between() -> None:
    undisturbed = played()
    expected = scripted(undisturbed)
    assert len(expected) > 2 * len(SKUS) + 3
    inputs = played().entries
    for killed_after in range(len(reviewed("600.00").entries), len(inputs)):
        log = MemoryLog()
        log.entries = list(inputs[:killed_after])
        settle(log)
        known = {each.decision_id for each in log.messages(PROPOSALS) if isinstance(each, Proposal)}
        known |= {each.decision_id for each in log.messages(DECISIONS)}
        for entry in inputs[killed_after:]:
            if getattr(entry.message, "decision_id", "") not in known or entry.topic == PURCHASE_ORDERS:
                log.entries.append(entry)
        assert scripted(log) == expected, killed_after


def test_stages_that_live_through_the_script_decide_what_restarted_ones_do() -> None:
    log = reviewed(budget="600.00")
    stages: tuple[PlannerStage, Any] = planner(log), allocator(log)
    read = len(log.entries)
    for step in [*SCRIPT, []]:
        for topic, record in step:
            log.append(topic, partition_of(getattr(record, "sku", "A")), record)
        heartbeats(log, CLOCKED, max((r.event_time_ms for _, r in step), default=NEXT_EPOCH))
        for _ in range(12):
            entries, read = log.entries[read:], len(log.entries)
            for stage in stages:
                feed(stage, entries)
            for stage in stages:
                for batch in stage.due(0.0):
                    for outgoing in batch:
                        log.append(outgoing.topic, _partition(outgoing), outgoing.message)

    assert {each.decision_id: each for each in log.messages(DECISIONS)} == scripted(played())


def _partition(outgoing: Any) -> int:
    key = outgoing.key.decode()
    return partition_of(key.partition("|")[0] if "|" in key else "")


def test_every_revision_of_the_script_is_reproduced_from_its_inputs() -> None:
    recorded = Recorded(played())
    result = replayed(recorded)

    assert result.differences == []
    assert result.reproduced == len(recorded.records[DECISIONS])


def test_a_proposal_between_reviews_that_comes_again_otherwise_is_counted_and_the_first_counts() -> None:
    log = played()
    made = (each for each in log.messages(PROPOSALS) if isinstance(each, Proposal))
    first = next(each for each in made if each.supersedes)
    forged = first.model_copy(update={"quantity": 1, "input_digest": "f" * 64})
    tally = Tally()
    stage = allocator_stage(tally)
    feed(stage, [*log.entries, Entry(PROPOSALS, 0, 999, forged)])

    assert tally.sums["stockstream_conflicts_total"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unspent_budget", {"amount": "1.00", "currency": "GBP"}),
        ("quantity", 3),
        ("supersedes", "another-id"),
        ("sequence", 9),
        ("cause", "override:another"),
        ("epoch_ms", TUESDAY + 1),
        ("allocation_digest", "f" * 64),
        ("adjustments", []),
    ],
)
def test_a_changed_revision_is_found(name: str, value: object) -> None:
    recorded = Recorded(happen(reviewed(budget="330.00"), *count("A", TUESDAY, 0)))
    revision = next(each for each in recorded.records[DECISIONS] if each["supersedes"])
    revision[name] = value

    assert replayed(recorded).differences
