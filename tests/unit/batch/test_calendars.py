from pathlib import Path

import pandas as pd
import pytest
import yaml

from batch.bulk_import import load_calendar
from batch.demand_panel import is_open
from infra.errors import StockstreamError


def test_a_calendar_that_breaks_the_contract_is_refused_naming_the_field(tmp_path: Path) -> None:
    calendar = {"location": "gb-main", "time_zone": "Europe/London", "review_weekdays": [7]}
    (tmp_path / "calendar.yaml").write_text(yaml.safe_dump(calendar))
    with pytest.raises(StockstreamError, match=r"review_weekdays.0 has value 7"):
        load_calendar(tmp_path / "calendar.yaml")


def test_the_shipped_calendar_closes_the_days_without_lines_and_no_other() -> None:
    folder = Path("infra/local/online_retail")
    calendar = load_calendar(folder / "calendar.yaml")
    lines = pd.read_parquet(folder / "online_retail_top100_sku.parquet", columns=["InvoiceDate"])
    sold = set(lines["InvoiceDate"].dt.date)
    days = pd.date_range("2009-12-01", "2011-12-09").date
    assert {day for day in days if is_open(calendar, day)} == sold
