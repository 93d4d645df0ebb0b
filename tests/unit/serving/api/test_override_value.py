from pathlib import Path
from typing import Any

import pytest

from infra.contracts.demand import QUANTILE_LEVELS
from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import AppliedOverride
from infra.contracts.topics import DECISIONS, FEATURES, FORECASTS
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import board_of, client, final, shop_log
from tests.unit.serving.records import DAY_MS, EPOCH, forecast

MEDIAN = float(forecast("A").quantiles[0][QUANTILE_LEVELS.index(0.5)])


def applied(target: Any, value: float, **changes: Any) -> AppliedOverride:
    return AppliedOverride.model_validate(
        {
            "override_id": "o1",
            "scope": "sku:A",
            "target": target,
            "value": value,
            "from_ms": EPOCH,
            "to_ms": EPOCH + 20 * DAY_MS,
            "author": "anna",
            "reason": "fair",
            **changes,
        }
    )


def overridden(override: AppliedOverride, **changes: Any) -> ReorderDecision:
    made: ReorderDecision = next(each for each in shop_log().messages(DECISIONS) if each.sku == "A")
    return made.model_copy(
        update={"inputs": made.inputs.model_copy(update={"overrides": [override]}), **changes}
    )


def values(folder: Path, decision: ReorderDecision, days: dict[int, float], share: float = 1.0) -> list[Any]:
    """What the API says when the days after the epoch sold so much."""
    rows = [Entry(FEATURES, 0, day, final("A", day, units, share)) for day, units in days.items()]
    told = [Entry(FORECASTS, 0, 0, forecast("A")), Entry(DECISIONS, 0, 0, decision), *rows]
    items: list[Any] = client(folder, board_of(told)).get("/v1/override-value").json()["items"]
    return items


def test_a_factor_that_comes_true_removes_the_models_error(tmp_path: Path) -> None:
    (value,) = values(tmp_path, overridden(applied("forecast_factor", 2.0)), {0: 2 * MEDIAN})

    assert (value["author"], value["reason"], value["target"]) == ("anna", "fair", "forecast_factor")
    assert (value["overrides"], value["scored"]) == (1, 1)
    assert value["model_error"] == pytest.approx(MEDIAN, rel=1e-5)
    assert value["override_error"] == pytest.approx(0, abs=1e-4)
    assert value["value_added"] == pytest.approx(1.0, abs=1e-4)


def test_a_factor_that_was_wrong_has_a_negative_value(tmp_path: Path) -> None:
    (value,) = values(tmp_path, overridden(applied("forecast_factor", 3.0)), {0: 1.5 * MEDIAN})

    assert value["value_added"] == pytest.approx(-2.0, abs=1e-4)


def test_a_day_is_scored_by_what_was_forecast_before_the_decision(tmp_path: Path) -> None:
    """Of the days after the first, only the 7th, 14th and 28th are kept of a forecast."""
    days = dict.fromkeys(range(14), 5.0)
    (value,) = values(tmp_path, overridden(applied("forecast_factor", 1.0)), days)

    assert value["scored"] == 3


def test_days_with_stock_outs_and_days_outside_the_dates_are_not_scored(tmp_path: Path) -> None:
    factor = applied("forecast_factor", 2.0)
    later = applied("forecast_factor", 2.0, from_ms=EPOCH + 2 * DAY_MS)

    assert values(tmp_path, overridden(factor), {0: 9.0}, share=0.5) == []
    assert values(tmp_path, overridden(later), {0: 9.0}) == []


def test_a_quantity_is_worth_the_cost_of_units_short_and_left_that_it_saved(tmp_path: Path) -> None:
    """40 on hand; the window is 6 days of lead time and 7 of review, and sells 130 units: 90 were needed."""
    wanted = {"unconstrained_quantity": 80, "quantity": 100}
    decision = overridden(applied("order_quantity", 100.0), **wanted)
    margin = 2.95 - 1.30
    (value,) = values(tmp_path, decision, dict.fromkeys(range(13), 10.0))

    assert decision.inputs.on_hand == 40
    assert value["model_error"] == pytest.approx(10 * margin)
    assert value["override_error"] == pytest.approx(10 * margin * 0.05 / 0.95)


def test_a_quantity_whose_days_have_not_all_closed_is_not_judged(tmp_path: Path) -> None:
    decision = overridden(applied("order_quantity", 100.0))

    assert values(tmp_path, decision, dict.fromkeys(range(12), 10.0)) == []
