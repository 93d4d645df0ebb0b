import pytest

from serving.accuracy_summary import DAYS, AccuracySummary
from tests.unit.serving.readings import Readings
from tests.unit.serving.records import DAY_MS, accuracy, local_ms

START = local_ms("2011-01-10")


def readings(summary: AccuracySummary) -> dict[str, float]:
    meters = Readings()
    summary.record(meters)
    return meters.values


def test_gauges_say_how_the_last_matured_days_came_out() -> None:
    summary = AccuracySummary()
    for number, pit in enumerate([0.05, 0.5, 0.99, 0.85]):
        summary.add(accuracy("A", START + number * DAY_MS, pit, pinball=2.0))

    assert readings(summary) == {
        "forecast_coverage lstm 1 80": 0.5,
        "forecast_coverage lstm 1 95": 0.75,
        "forecast_pinball_ratio lstm 1": pytest.approx(2 * 2.0 / 10),
        "forecast_bias_ratio lstm 1": 0.0,
    }


def test_shadows_closed_days_and_what_is_long_past_do_not_count() -> None:
    summary = AccuracySummary()
    summary.add(accuracy("A", START, 0.99))
    for number in range(1, DAYS + 1):
        summary.add(accuracy("A", START + number * DAY_MS, 0.5))
    summary.add(accuracy("A", START + DAYS * DAY_MS, 0.99, served=False))
    summary.add(accuracy("B", START + DAYS * DAY_MS, 0.99, day=None))

    assert readings(summary)["forecast_coverage lstm 1 80"] == 1.0
