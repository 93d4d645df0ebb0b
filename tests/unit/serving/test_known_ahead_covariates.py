"""Prices and promotions in the Forecaster: what was known at an origin counts for it, and nothing else."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from batch.forecaster.predictor import Predictor
from infra.contracts.demand import DemandForecast
from infra.contracts.message import Money
from infra.contracts.shop import PlannedPrice, PricePlan
from infra.contracts.topics import FEATURES, FORECASTS, PROMOTIONS
from serving.demand_context import DemandContext, context_digests
from serving.forecast_source import ForecastSource
from tests.unit.serving.records import (
    LOCATION,
    MemoryLog,
    calendar,
    feed,
    final_row,
    heartbeats,
    local_ms,
    partition_of,
    run,
)
from tests.unit.serving.test_forecaster_stage import (
    config,
    forecaster,
    forecasts,
    log_with,
    panel,
    served,
    weights,
)

ROW = final_row("A", "2011-09-19", 4.0)
ORIGIN = local_ms("2011-09-20")
NEUTRAL_CONTEXT = "93c755fa295afc86d1deeccef52329c3b59dbb52028b1243013fe1ca5daa63b7"
"""The digest that this context had before contexts held prices and promotions."""


def plan(known: str, *prices: tuple[str, str, str | None], known_ms: int = 0) -> PricePlan:
    """Prices by the local time that they start at, known `known_ms` after a local time."""
    return PricePlan(
        event_id=f"plan-{known}-{known_ms}",
        event_time_ms=local_ms(known) + known_ms,
        sku="A",
        location=LOCATION,
        prices=[
            PlannedPrice(
                starts_ms=local_ms(day), price=Money(amount=amount, currency="GBP"), promotion_id=offer
            )
            for day, amount, offer in prices
        ],
    )


AUTUMN = (("2011-09-01", "2.00", None), ("2011-09-22", "1.50", "autumn"), ("2011-09-24", "2.00", None))


def with_plans(*plans: PricePlan, first_row: Any = ROW) -> MemoryLog:
    log = log_with(first_row)
    for each in plans:
        log.append(PROMOTIONS, partition_of("A"), each)
    return log


def forecast(log: MemoryLog) -> DemandForecast:
    return served(log)[("A", ORIGIN)]


def test_a_plan_changes_the_forecast_of_its_days_and_the_digest_of_the_context() -> None:
    plain, planned = forecast(log_with(ROW)), forecast(with_plans(plan("2011-09-10", *AUTUMN)))

    changed = (np.array(plain.quantiles) != np.array(planned.quantiles)).any(axis=1)
    # From 20 September on; the 24th is closed.
    assert changed[:5].tolist() == [False, False, True, True, False]
    assert plain.context_digest == NEUTRAL_CONTEXT != planned.context_digest


def test_a_plan_known_at_the_origin_counts_and_one_known_a_millisecond_later_does_not() -> None:
    plain = forecast(log_with(ROW))

    assert forecast(with_plans(plan("2011-09-20", *AUTUMN))) != plain
    assert forecast(with_plans(plan("2011-09-20", *AUTUMN, known_ms=1))) == plain


def test_the_plan_known_last_replaces_the_one_before_whatever_their_order_of_arrival() -> None:
    first, second = plan("2011-09-10", *AUTUMN), plan("2011-09-11", ("2011-09-01", "2.00", None))

    assert forecast(with_plans(second, first)) == forecast(with_plans(second))


@pytest.mark.parametrize("beats", [True, False])
def test_rows_wait_until_their_price_plans_have_passed_the_origin_but_not_for_ever(beats: bool) -> None:
    log, stage = log_with(ROW), forecaster(deadline_seconds=10)
    feed(stage, log.entries)
    run(stage, log, now=0.0)
    assert forecasts(log) == {}

    late = [log.append(PROMOTIONS, partition_of("A"), plan("2011-09-10", *AUTUMN))]
    feed(stage, [*late, *(heartbeats(log, (PROMOTIONS,), ORIGIN) if beats else ())])
    run(stage, log, now=9.9 if beats else 10.0)

    assert forecasts(log) == {("A", ORIGIN): forecast(with_plans(plan("2011-09-10", *AUTUMN)))}


def test_a_restart_goes_on_with_the_same_bytes() -> None:
    plans = [plan("2011-09-10", *AUTUMN), plan("2011-09-20", ("2011-09-20", "1.00", "flash"), known_ms=5)]
    days = ("2011-09-19", "2011-09-20", "2011-09-21")
    whole = with_plans(*plans)
    for day in days[1:]:
        whole.append(FEATURES, partition_of("A"), final_row("A", day, 4.0))
    undisturbed = served(whole)
    begun = with_plans(*plans)
    served(begun)
    for day in days[1:]:
        begun.append(FEATURES, partition_of("A"), final_row("A", day, 4.0))

    assert served(begun) == undisturbed
    assert len(begun.messages(FORECASTS)) == len(days)


def test_a_promotion_that_customers_met_counts_for_its_day_and_not_for_those_ahead() -> None:
    met = ROW.model_copy(update={"values": ROW.values | {"promotion_on": 1.0}})
    context = DemandContext(30, panel())
    context.append(met, calendar())

    window = context.window([("A", LOCATION)], date(2011, 9, 19), calendar(), 28)

    assert window.promotion[0].tolist() == [0.0] * 29 + [1.0]
    assert not window.future_promotion.any()
    assert forecast(log_with(met)).context_digest != NEUTRAL_CONTEXT


def test_a_price_that_never_changes_is_neutral() -> None:
    assert forecast(with_plans(plan("2011-09-10", ("2011-09-01", "2.00", None)))).context_digest == (
        NEUTRAL_CONTEXT
    )


def test_the_days_between_a_panel_and_the_stream_have_the_prices_known_then() -> None:
    context = DemandContext(10, panel())
    context.plans.put(plan("2011-09-10", *AUTUMN), 0)
    context.plans.put(plan("2011-09-24", ("2011-09-01", "9.00", None)), 1)

    context.append(final_row("A", "2011-09-23", 4.0), calendar())
    window = context.window([("A", LOCATION)], date(2011, 9, 23), calendar(), 3)

    assert_array_equal(window.price[0, -5:], [1, 1, 1, 0.75, 4.5])
    assert_array_equal(window.promotion[0, -5:], [0, 0, 0, 1, 0])
    assert_array_equal(window.future_promotion, np.zeros((1, 3)))
    assert_array_equal(window.future_price, [[4.5, 4.5, 9 / 5.5]])  # the 9.00 is half of eight days at last


def test_a_model_that_never_saw_a_promotion_ignores_it() -> None:
    ignorant = weights()
    ignorant["effects"][:, -2:] = 0
    source = ForecastSource(Predictor(config(), ignorant), "lstm-1", None, "a" * 64, 100)

    plain = served(log_with(ROW), source)[("A", ORIGIN)]
    planned = served(with_plans(plan("2011-09-10", *AUTUMN)), source)[("A", ORIGIN)]

    assert planned.quantiles == plain.quantiles
    assert planned.context_digest != plain.context_digest


def test_each_covariate_has_its_place_in_the_digest() -> None:
    context = DemandContext(10, panel())
    window = context.window([("A", LOCATION)], date(2011, 9, 18), calendar(), 10)
    digests = {tuple(context_digests(window))}
    for name in ("price", "promotion", "future_price", "future_promotion"):
        values = getattr(window, name).copy()
        values[0, 3] = 0.5
        digests.add(tuple(context_digests(replace(window, **{name: values}))))

    assert len(digests) == 5


def test_the_panels_last_prices_are_what_the_streams_first_days_are_relative_to() -> None:
    history = panel()
    prices = np.full(history.units.shape, 2.0)
    context = DemandContext(10, replace(history, unit_price=prices))
    context.plans.put(plan("2011-09-18", ("2011-09-19", "1.00", None)), 0)

    context.append(ROW, calendar())
    window = context.window([("A", LOCATION)], date(2011, 9, 19), calendar(), 60)

    assert window.price[0].tolist() == [1.0] * 9 + [0.5]
    # On the 28th day of the new price half of the 56 days have it, so that the median is between.
    assert_array_equal(window.future_price[0, 25:29], [0.5, 1 / 1.5, 1.0, 1.0])
