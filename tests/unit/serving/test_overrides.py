"""Planners' overrides, from the topics to the decision."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.codec import decode, encode
from infra.contracts.inventory import Proposal
from infra.contracts.planning import Override
from infra.contracts.topics import FORECASTS, ITEMS, OVERRIDES, POLICIES, PROPOSALS
from infra.errors import ContractError
from serving.inventory.local_days import midnight_after
from serving.inventory.overrides import Overrides, demand_factors
from tests.unit.serving.planners import override
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    PLANNER_TOPICS,
    ZONE,
    MemoryLog,
    close_epoch,
    forecast,
    heartbeats,
    item,
    opened_shop,
    partition_of,
    run,
)
from tests.unit.serving.test_allocator_stage import restarted as allocator
from tests.unit.serving.test_order_rules import inputs
from tests.unit.serving.test_planner_stage import proposals, restarted
from tests.unit.serving.test_reproduction import Recorded, replayed

NEXT_EPOCH = EPOCH + 7 * DAY_MS
HOUR_MS = 3_600_000


def overridden_log(*overrides: Override, **changes: Any) -> MemoryLog:
    """A log whose epoch the Planner has decided; the changes are those of item A."""
    log = opened_shop(["A", "B"])
    if changes:
        log.append(ITEMS, partition_of("A"), item("A", event_time_ms=EPOCH - DAY_MS, **changes))
    for each in overrides:
        log.append(OVERRIDES, 1, each)
    list(close_epoch(log, ["A", "B"]))
    run(restarted(log), log, now=0.0)
    return log


def proposal(*overrides: Override, **changes: Any) -> Proposal:
    return proposals(overridden_log(*overrides, **changes))["A"]


def reasons(made: Proposal) -> list[str]:
    return [step.reason for step in made.adjustments]


def test_a_factor_scales_the_demand_that_an_order_covers_and_names_its_author() -> None:
    plain, doubled = proposal(), proposal(override("forecast_factor", 2.0))
    (step,) = doubled.adjustments

    assert doubled.unconstrained_quantity == plain.quantity
    assert (step.reason, step.before, step.after) == ("OVERRIDE_FORECAST", plain.quantity, doubled.quantity)
    assert step.detail == "demand × 2, ada: magazine cover"
    assert doubled.quantity > 1.8 * plain.quantity


def test_a_factor_scales_the_distribution_as_a_forecast_of_scaled_quantiles_would() -> None:
    log = opened_shop(["A"])
    scaled = forecast("A")
    table = [[value * 1.5 for value in row] for row in scaled.quantiles]
    log.append(FORECASTS, 1, scaled.model_copy(update={"quantiles": table, "cumulative": table}))
    heartbeats(log, (*PLANNER_TOPICS, POLICIES), EPOCH)
    run(restarted(log), log, now=0.0)
    whole = override("forecast_factor", 1.5, to_ms=EPOCH + 60 * DAY_MS)

    assert abs(proposal(whole).quantity - proposals(log)["A"].quantity) <= 1


def test_a_factor_counts_on_its_dates_only() -> None:
    on_dates = {"from_ms": EPOCH, "to_ms": EPOCH + 10 * DAY_MS}
    plain, short, long = (
        proposal().quantity,
        proposal(override("forecast_factor", 1.5, **on_dates)).quantity,
        proposal(override("forecast_factor", 1.5)).quantity,
    )

    assert plain < short < long
    factors = demand_factors(proposal(override("forecast_factor", 1.5, **on_dates)).inputs, EPOCH, 28)
    assert factors.tolist() == [1.5] * 10 + [1.0] * 18


def test_a_quantity_replaces_what_is_wanted_and_still_passes_the_order_rules() -> None:
    made = proposal(override("order_quantity", 37.0), case_pack=12, maximum_stock=80)

    assert (made.unconstrained_quantity, made.quantity) == (proposal().quantity, 36)
    assert reasons(made) == ["OVERRIDE_QUANTITY", "CASE_PACK", "MAXIMUM_STOCK"]
    assert made.adjustments[0].detail == "ada: magazine cover"


def test_a_quantity_never_orders_past_the_end_of_life() -> None:
    ending = proposal(override("order_quantity", 500.0), end_ms=EPOCH + 8 * DAY_MS)

    assert ending.quantity == proposal(end_ms=EPOCH + 8 * DAY_MS).quantity
    assert reasons(ending) == ["OVERRIDE_QUANTITY", "END_OF_LIFE"]


def test_a_quantity_passes_the_budget_and_the_decision_is_reproduced_from_its_inputs() -> None:
    log = overridden_log(override("order_quantity", 37.0), override("forecast_factor", 1.2, scope="sku:B"))
    run(allocator(log), log, now=0.0)
    recorded = Recorded(log)

    assert replayed(recorded).differences == []
    assert replayed(recorded).reproduced == 2


def test_without_overrides_the_inputs_keep_their_bytes() -> None:
    assert "overrides" not in proposal().inputs.model_dump(mode="json")
    assert b"from_ms" not in encode(OVERRIDES, override("order_quantity", 37.0))


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ({"scope": "sku:A"}, {"scope": "sku:A", "event_time_ms": EPOCH - HOUR_MS + 1}),
        ({"scope": "location:gb-main", "event_time_ms": EPOCH}, {"scope": "sku:A"}),
        ({"scope": "sku:A", "event_time_ms": EPOCH}, {"scope": "sku:A|gb-main"}),
        ({"scope": "category:toys", "event_time_ms": EPOCH}, {"scope": "location:gb-main"}),
        ({"scope": "category:toys", "event_time_ms": EPOCH}, {"scope": "category:toys:wooden"}),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_most_specific_scope_wins_then_the_newest(
    weaker: dict[str, Any], stronger: dict[str, Any], swapped: bool
) -> None:
    pair = [
        override("order_quantity", 11.0, override_id="weaker", **weaker),
        override("order_quantity", 22.0, override_id="stronger", **stronger),
    ]
    made = proposal(*(reversed(pair) if swapped else pair), category="toys:wooden")

    assert [each.override_id for each in made.inputs.overrides] == ["stronger"]
    assert made.quantity == 22


def test_two_promotions_on_different_dates_both_count_and_the_winner_on_days_of_both() -> None:
    def promotion(name: str, value: float, first: int, last: int, **changes: Any) -> Override:
        dates = {"from_ms": EPOCH + first * DAY_MS, "to_ms": EPOCH + last * DAY_MS}
        return override("forecast_factor", value, override_id=name, **dates, **changes)

    made = proposal(
        promotion("spring", 2.0, 0, 3),
        promotion("summer", 3.0, 2, 5, event_time_ms=EPOCH),
        promotion("covered", 9.0, 3, 4, event_time_ms=EPOCH - DAY_MS),
    )

    assert [each.override_id for each in made.inputs.overrides] == ["summer", "spring"]
    assert demand_factors(made.inputs, EPOCH, 6).tolist() == [2.0, 2.0, 3.0, 3.0, 3.0, 1.0]


@pytest.mark.parametrize(
    "inactive",
    [
        {"event_time_ms": EPOCH + 1},
        {"expires_ms": EPOCH},
        {"scope": "sku:B"},
        {"scope": "sku:A|elsewhere"},
        {"scope": "category:toy"},
    ],
)
def test_what_is_later_expired_or_of_something_else_changes_nothing(inactive: dict[str, Any]) -> None:
    assert proposal(override("order_quantity", 77.0, **inactive)).inputs.overrides == []


def test_an_override_is_withdrawn_by_a_newer_record_that_has_expired() -> None:
    withdrawal = override("order_quantity", 77.0, event_time_ms=EPOCH, expires_ms=EPOCH)

    assert proposal(override("order_quantity", 77.0), withdrawal).inputs.overrides == []


def test_an_override_survives_every_replan_until_it_expires() -> None:
    log = overridden_log(override("order_quantity", 80.0, expires_ms=NEXT_EPOCH + 1))
    for epoch_ms in (NEXT_EPOCH, NEXT_EPOCH + 7 * DAY_MS):
        run(allocator(log), log, now=0.0)
        for sku in ("A", "B"):
            log.append(FORECASTS, partition_of(sku), forecast(sku, epoch_ms))
        heartbeats(log, (*PLANNER_TOPICS, POLICIES), epoch_ms)
        run(restarted(log), log, now=0.0)

    made = [each for each in log.messages(PROPOSALS) if isinstance(each, Proposal) and each.sku == "A"]
    assert [each.quantity == 80 for each in made] == [True, True, False]
    assert reasons(made[2]) == []


def test_a_factor_of_a_daylight_saving_week_counts_whole_local_days() -> None:
    change = EPOCH + 30 * DAY_MS  # clocks go back on 30 October 2011
    dates = {"from_ms": midnight_after(change, 3, ZONE), "to_ms": midnight_after(change, 6, ZONE)}
    overrides = Overrides()
    overrides.put(override("forecast_factor", 1.5, expires_ms=change + 30 * DAY_MS, **dates), 0)
    applied = inputs(overrides=overrides.applying(item("A"), change))

    start = midnight_after(change, 0, ZONE)
    assert demand_factors(applied, start, 8).tolist() == [1.0] * 3 + [1.5] * 3 + [1.0] * 2


@given(st.permutations([0, 1, 2, 3, 4, 5]), st.integers(-2, 6))
def test_what_applies_does_not_depend_on_the_order_of_arrival(order: list[int], days: int) -> None:
    made = [
        override(
            "forecast_factor" if number % 2 else "order_quantity",
            float(number),
            override_id=f"override-{number % 3}",
            event_time_ms=EPOCH + number * DAY_MS,
            scope=("sku:A", "location:gb-main")[number // 3],
        )
        for number in range(6)
    ]
    shuffled, sorted_ = Overrides(), Overrides()
    for number in order:
        shuffled.put(made[number], number)
    for number in range(6):
        sorted_.put(made[number], number)

    at = EPOCH + days * DAY_MS
    assert shuffled.applying(item("A"), at) == sorted_.applying(item("A"), at)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target": "order_quantity", "value": 1.5}, "whole number of units"),
        ({"value": -1.0}, "greater than or equal to 0"),
        ({"value": 1e9}, "less than or equal to 10000000"),
        ({"scope": "shop:A"}, "pattern"),
        ({"from_ms": EPOCH, "to_ms": EPOCH}, "from_ms must be before to_ms"),
    ],
)
def test_an_override_that_cannot_be_applied_is_refused_by_name(changes: dict[str, Any], says: str) -> None:
    record = override("forecast_factor", 1.5).model_dump(mode="json") | changes

    with pytest.raises(ContractError, match=says):
        decode(OVERRIDES, json.dumps(record).encode())
