from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from serving.inventory.local_days import midnight_ms
from serving.simulation.sales_log import SalesLog, days_between, read_sales_log
from serving.simulation.scenario import Scenario, build_scenario
from serving.simulation.shop import SAMPLE

FIRST = date(2011, 9, 19)
LAST = date(2011, 10, 16)


@pytest.fixture(scope="session")
def shipped_log() -> SalesLog:
    return read_sales_log(SAMPLE, "Europe/London")


@pytest.fixture(scope="session")
def make_log() -> Callable[..., SalesLog]:
    """A log of two SKUs that sell 10 and 3 units a day, from `FIRST` on times `factor`."""

    def make(factor: int = 1) -> SalesLog:
        rows = [
            {
                "line_id": f"line-{sku}-{day}",
                "sku": sku,
                "time_ms": midnight_ms(day, "Europe/London") + 36_000_000 + units,
                "day": day,
                "quantity": units * (factor if day >= FIRST else 1),
                "unit_price": 2.5,
                "is_return": False,
                "session_id": f"invoice-{day}",
                "user_id": None,
            }
            for day in days_between(FIRST - timedelta(days=400), LAST)
            for sku, units in (("10001", 10), ("10002", 3))
        ]
        return SalesLog(pd.DataFrame(rows), "Europe/London")

    return make


@pytest.fixture(scope="session")
def make_scenario(make_log: Callable[..., SalesLog]) -> Callable[..., Scenario]:
    def make(factor: int = 1, seed: int = 1) -> Scenario:
        return build_scenario(make_log(factor), "gb-main", FIRST, seed)

    return make


@pytest.fixture(scope="session")
def scenario(make_scenario: Callable[..., Scenario]) -> Scenario:
    return make_scenario()


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    return tmp_path / "evaluation"
