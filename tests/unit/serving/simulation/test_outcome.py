from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from infra.errors import StockstreamError
from serving.simulation.outcome import (
    DayClose,
    EvaluationFiles,
    placed_order,
    read_rows,
    sku_days,
    unmet_lines,
)
from serving.simulation.sales_log import SaleLine
from serving.simulation.stock_scores import COST_PER_ORDER, stock_scores
from serving.simulation.warehouse import PurchaseOrder, Sale, Warehouse, sell

DAY = date(2011, 10, 10)


def sales(warehouse: Warehouse) -> list[Sale]:
    """Lines of 4, 60 (bulk) and 3 units of a SKU with 50 in stock: 4 and 46 are served."""
    lines = [
        SaleLine(f"line-{n}", "10001", n, quantity, Decimal(1), False, "s", None)
        for n, quantity in enumerate((4, 60, 3))
    ]
    return sell(warehouse, lines)


@pytest.fixture
def rows() -> pd.DataFrame:
    warehouse = Warehouse({"10001": 50, "10002": 8})
    return pd.DataFrame(sku_days(DAY, sales(warehouse), warehouse, {"10001": 50.0, "10002": 50.0}))


def test_a_day_counts_demand_service_and_bulk_lines(rows: pd.DataFrame) -> None:
    first = rows.iloc[0].to_dict()

    assert {name: first[name] for name in ("demand", "served", "lines", "filled", "on_hand")} == {
        "demand": 67,
        "served": 50,
        "lines": 3,
        "filled": 1,
        "on_hand": 0,
    }
    assert (first["bulk_demand"], first["bulk_served"], first["bulk_lines"], first["bulk_filled"]) == (
        60,
        46,
        1,
        0,
    )


def test_fill_rates_stock_outs_and_costs_of_one_day(rows: pd.DataFrame) -> None:
    order = PurchaseOrder("po-1", "10002", "supplier-01", 12, DAY, DAY)
    orders = pd.DataFrame([placed_order(order, 0.5)])

    scores = stock_scores(rows, orders, {"10001": 2.0, "10002": 0.5}, [DAY])

    assert scores.fill_rate_units == pytest.approx(50 / 67)
    assert scores.fill_rate_lines == pytest.approx(1 / 3)
    assert scores.fill_rate_units_without_bulk == pytest.approx(4 / 7)
    assert scores.fill_rate_lines_without_bulk == pytest.approx(1 / 2)
    assert (scores.stock_out_sku_days, scores.sku_days, scores.units_unmet) == (1, 2, 17)
    assert scores.average_stock_value == 8 * 0.5
    assert (scores.orders, scores.ordering_cost) == (1, COST_PER_ORDER)


def test_days_outside_the_scored_ones_do_not_count(rows: pd.DataFrame) -> None:
    later = rows.assign(day="2011-10-11", demand=1, served=0)

    scores = stock_scores(pd.concat([rows, later]), pd.DataFrame(), {"10001": 1.0, "10002": 1.0}, [DAY])

    assert scores.units_unmet == 17
    assert scores.orders == 0


def test_unmet_lines_say_what_was_missing() -> None:
    missing = unmet_lines(DAY, sales(Warehouse({"10001": 50})))

    assert [(row["line_id"], row["wanted"], row["unmet"]) for row in missing] == [
        ("line-1", 60, 14),
        ("line-2", 3, 3),
    ]


def test_a_new_replay_forgets_the_files_of_the_last(evaluation: Path) -> None:
    files = EvaluationFiles(evaluation)
    for _ in range(2):
        files.begin({"seed": 1})
        files.close(DayClose("2011-10-10", 1, 2, 3, 0.5))

    assert len(read_rows(evaluation, "closes")) == 1


def test_skus_of_digits_stay_texts(evaluation: Path, rows: pd.DataFrame) -> None:
    files = EvaluationFiles(evaluation)
    files.begin({})
    warehouse = Warehouse({"10001": 50})
    files.sku_days(sku_days(DAY, sales(warehouse), warehouse, {"10001": 50.0}))

    assert read_rows(evaluation, "sku_days")["sku"].tolist() == ["10001"]


def test_a_report_without_a_replay_says_what_to_run(evaluation: Path) -> None:
    with pytest.raises(StockstreamError, match="run 'stockstream shop' first"):
        read_rows(evaluation, "closes")
