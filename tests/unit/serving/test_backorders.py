"""What customers wait for and what is reserved, from the stock level to the decision."""

from infra.contracts.topics import ITEMS, POSITIONS, PURCHASE_ORDERS, STOCK_LEVELS, STOCK_MOVEMENTS
from tests.unit.serving.records import (
    DAY_MS,
    OPENING,
    MemoryLog,
    close_epoch,
    heartbeats,
    item,
    level,
    opened_shop,
    partition_of,
    run,
)
from tests.unit.serving.test_planner_stage import proposals, restarted


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
