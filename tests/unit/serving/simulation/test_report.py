from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.contracts.codec import decode
from infra.contracts.topics import FORECASTS
from serving.simulation.pictures import FanChart, PlannerHistory, draw_fan_chart, draw_planners
from serving.simulation.report_table import table

GOLDEN = Path(__file__).parents[3] / "golden" / "v1"
DAYS = [date(2011, 10, 1) + timedelta(days=n) for n in range(20)]
PLANNER = {
    "fill_rate_units": 0.951,
    "fill_rate_lines": 0.962,
    "fill_rate_units_without_bulk": 0.973,
    "fill_rate_lines_without_bulk": 0.984,
    "stock_out_sku_days": 123,
    "average_stock_value": 45678.9,
    "orders": 700,
    "ordering_cost": 3500.0,
}


@pytest.fixture
def report() -> dict[str, Any]:
    row = {"wql": 0.4, "cumulative": 0.25, "coverage_80": 0.79}
    return {
        "counts": {
            "days": 82,
            "scored_days": 61,
            "events_in": 105_987,
            "features": 200_000,
            "forecasts": 8200,
            "decisions": 1100,
            "orders": 700,
            "late": 0,
            "dead_letters": 0,
            "fallback_share": 0.0,
            "allocation_runs": 11,
            "epochs_bound_by_the_budget": 1,
            "seconds_waited_per_close": {"median": 0.8, "p95": 1.4},
        },
        "forecast_accuracy": {"origins": 48, "skus": 100, "published": row, "seasonal naive": row},
        "planners": {"Stockstream": PLANNER, "days of cover": PLANNER},
        "example_forecast": None,
        "example_decision": None,
        "pictures": {"planners": "planners.png"},
    }


def test_the_result_fits_a_screen(report: dict[str, Any]) -> None:
    lines = table(report, "Stockstream", Path("report.json"))

    assert len(lines) <= 30
    assert max(map(len, lines)) <= 130
    assert any("95.1%" in line for line in lines)


def test_a_replay_too_short_to_score_forecasts_says_so(report: dict[str, Any]) -> None:
    lines = table({**report, "forecast_accuracy": {}}, "Stockstream", Path("report.json"))

    assert any("too short" in line for line in lines)


@pytest.mark.parametrize("stock_outs", [DAYS[3:5], []], ids=["stock-outs", "none"])
def test_pictures_are_drawn_without_a_display(tmp_path: Path, stock_outs: list[date]) -> None:
    forecast = decode(FORECASTS, (GOLDEN / f"{FORECASTS}.jsonl").read_bytes().splitlines()[0])
    history = PlannerHistory(dict.fromkeys(DAYS, 1000.0), dict.fromkeys(DAYS, 3), {DAYS[2]: 500.0})

    draw_fan_chart(FanChart(forecast, DAYS[10], dict.fromkeys(DAYS, 4.0), stock_outs), tmp_path / "fan.png")
    draw_planners({"Stockstream": history, "days of cover": history}, DAYS[5], tmp_path / "planners.png")

    signatures = {path.read_bytes()[:8] for path in tmp_path.glob("*.png")}
    assert signatures == {b"\x89PNG\r\n\x1a\n"}
