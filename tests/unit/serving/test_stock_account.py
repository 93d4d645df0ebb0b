"""Stock does not appear from nowhere: what levels gain, movements must have brought."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.inventory import Position
from infra.contracts.shop import StockMovement
from infra.contracts.topics import ITEMS, POSITIONS, PURCHASE_ORDERS, STOCK_LEVELS, STOCK_MOVEMENTS
from serving.inventory.stock_account import StockAccount
from serving.planner_stage import PlannerStage
from tests.unit.serving.records import (
    BOUND_MS,
    DAY_MS,
    LOCATION,
    OPENING,
    PARTITIONS,
    MemoryLog,
    Tally,
    feed,
    heartbeats,
    level,
    opened_shop,
    partition_of,
    run,
)

KEY = ("A", LOCATION)
KINDS = get_args(StockMovement.model_fields["event_type"].annotation)
UNITS = st.integers(1, 50)


def movement(kind: Any, quantity: int, at_ms: int, number: int = 0) -> StockMovement:
    return StockMovement(
        event_type=kind,
        event_id=f"m-{at_ms}-{number}",
        event_time_ms=at_ms,
        sku="A",
        location=LOCATION,
        quantity=quantity,
    )


def on_shelf(kind: str, quantity: int) -> int:
    return -quantity if kind in ("transfer_out", "write_off") else quantity


MOVES = st.lists(st.tuples(st.sampled_from([k for k in KINDS if k != "stock_count"]), UNITS), max_size=8)


@given(MOVES, st.integers(0, 30), st.integers(0, 40), st.randoms())
def test_a_gain_is_found_exactly_whatever_is_repeated_or_out_of_order(
    moves: list[tuple[Any, int]], sold: int, appeared: int, random: Any
) -> None:
    movements = [movement(kind, units, OPENING + n + 1, n) for n, (kind, units) in enumerate(moves)]
    before = 1000
    after = before + sum(on_shelf(kind, units) for kind, units in moves) - sold + appeared
    account = StockAccount()
    for each in random.sample([*movements, *movements], 2 * len(movements)):
        account.apply(each)
    account.apply(movement("receipt", 7, OPENING))
    account.apply(movement("receipt", 9, OPENING + DAY_MS + 1))

    gain = account.unexplained_gain(KEY, OPENING, OPENING + DAY_MS, before, after)

    assert gain == max(0, appeared - sold)


def test_a_count_settles_its_interval_and_an_unknown_level_says_nothing() -> None:
    account = StockAccount()
    account.apply(movement("stock_count", 40, OPENING + 5))

    assert account.unexplained_gain(KEY, OPENING, OPENING + 5, 10, 40) == 0
    assert account.unexplained_gain(KEY, OPENING + 5, OPENING + 9, 10, 40) == 30
    assert account.unexplained_gain(KEY, OPENING + 5, OPENING + 9, None, 40) == 0


def test_forgetting_the_past_changes_no_later_interval() -> None:
    account = StockAccount()
    for day in range(4):
        account.apply(movement("receipt", 1 + day, OPENING + day))
    account.forget_before(OPENING + 1)

    assert account.unexplained_gain(KEY, OPENING + 1, OPENING + 3, 0, 8) == 1


def closed_days(*events: tuple[str, Any]) -> tuple[list[Position], Tally]:
    """Positions of two days; the events belong to the second."""
    log, tally = opened_shop(["A"], on_hand=40), Tally()
    stage = PlannerStage(frozenset(range(PARTITIONS)), PARTITIONS, BOUND_MS, 60.0, tally)
    feed(stage, log.entries)
    _close(stage, log, OPENING + DAY_MS)
    for topic, message in events:
        stage.apply(log.append(topic, partition_of("A"), message))
    _close(stage, log, OPENING + 2 * DAY_MS)
    return log.messages(POSITIONS), tally


def _close(stage: PlannerStage, log: MemoryLog, at_ms: int) -> None:
    feed(stage, heartbeats(log, (STOCK_LEVELS, STOCK_MOVEMENTS, PURCHASE_ORDERS, ITEMS), at_ms))
    run(stage, log, now=0.0)


@pytest.mark.parametrize(("received", "gain"), [(25, 0), (20, 5)])
def test_a_position_names_the_stock_that_no_movement_brought(received: int, gain: int) -> None:
    at_ms = OPENING + DAY_MS + 1000
    positions, tally = closed_days(
        (STOCK_LEVELS, level("A", 65, at_ms)), (STOCK_MOVEMENTS, movement("receipt", received, at_ms))
    )

    assert [each.on_hand for each in positions] == [40, 65]
    assert [each.unexplained_gain for each in positions] == [0, gain]
    assert tally.sums["stockstream_unexplained_gains_total"] == (gain > 0)


def test_stock_that_falls_needs_no_movement() -> None:
    positions, tally = closed_days((STOCK_LEVELS, level("A", 3, OPENING + DAY_MS + 1)))

    assert positions[-1].unexplained_gain == 0
    assert b"unexplained" not in positions[-1].model_dump_json().encode()
    assert tally.sums["stockstream_unexplained_gains_total"] == 0
