"""What a shop needs grows with the shop, and rests on what was measured."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import sizing
from infra.contracts.topics import CLICKSTREAM
from infra.errors import StockstreamError
from infra.sizing import Shop
from streaming.job_options import STATE_DAYS

ROOT = Path(__file__).parents[3]
shops = st.builds(Shop, st.floats(0, 300_000), st.integers(1, 10**7), st.integers(1, 1000))


@given(shops)
def test_a_features_job_is_never_planned_beyond_what_it_was_measured_to_do(shop: Shop) -> None:
    cores = sizing.feature_cores(shop)
    assert cores * sizing.EVENTS_PER_CORE_SECOND * sizing.PLANNED_LOAD >= shop.events_per_second
    assert sizing.partitions(shop) >= 2 * cores
    task_managers = sizing.chart_values(shop)["features"]["taskManager"]
    assert task_managers["replicas"] * task_managers["slots"] >= cores


@given(shops, st.floats(1, 3))
def test_a_larger_shop_needs_no_less(shop: Shop, factor: float) -> None:
    larger = Shop(min(shop.events_per_second * factor, 300_000), round(shop.skus * factor), shop.archive_days)
    needs = (sizing.feature_cores, sizing.state_bytes, sizing.kafka_bytes, sizing.archive_bytes)
    for need in (*needs, sizing.forecast_seconds, sizing.forecaster_bytes):
        assert need(larger) >= need(shop) * 0.999999


def test_the_whole_stack_that_was_measured_at_5000_events_a_second_needs_one_core_for_features() -> None:
    assert sizing.feature_cores(Shop(5_000, 1_000)) == 1


def test_the_slowest_measured_rate_stands_in_the_readme() -> None:
    assert f"{2 * sizing.EVENTS_PER_CORE_SECOND:,} to " in (ROOT / "README.md").read_text()


def test_state_is_kept_as_long_as_the_features_job_keeps_it() -> None:
    assert sizing.STATE_DAYS == STATE_DAYS


def test_a_click_takes_the_room_of_the_golden_ones() -> None:
    lines = (ROOT / "tests" / "golden" / "v1" / f"{CLICKSTREAM}.jsonl").read_text().splitlines()
    longest = max(len(json.dumps(json.loads(line), separators=(",", ":"))) for line in lines)
    assert longest < sizing.CLICK_BYTES < 1.5 * longest


def test_a_shop_beyond_what_partitions_carry_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(StockstreamError, match=r"--events-per-second has value 1e\+06: at most 312000"):
        sizing.chart_values(Shop(1_000_000, 1))


@pytest.mark.parametrize(("size", "quantity"), [(1, "1Gi"), (2**30, "1Gi"), (2**30 + 1, "2Gi")])
def test_quantities_are_rounded_up(size: int, quantity: str) -> None:
    assert sizing.gibibytes(size) == quantity
