"""What really happened, for the report alone: no component of the system reads these files."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from infra.errors import StockstreamError
from serving.simulation.warehouse import PurchaseOrder, Sale, Warehouse


@dataclass
class SkuDay:
    """One SKU's true demand on one day and what was served of it; `bulk` are the lines above the threshold.

    `filled` lines were served in full. On hand at the close is 0 exactly if the SKU ran out that day.
    """

    sku: str
    day: str
    demand: int = 0
    served: int = 0
    lines: int = 0
    filled: int = 0
    bulk_demand: int = 0
    bulk_served: int = 0
    bulk_lines: int = 0
    bulk_filled: int = 0
    on_hand: int = 0
    on_order: int = 0


@dataclass(frozen=True)
class PlacedOrder:
    """One order line and its cost in the shop's currency."""

    order_id: str
    sku: str
    supplier: str
    quantity: int
    cost: float
    placed: str
    due: str


@dataclass(frozen=True)
class DayClose:
    """How the close of a day went; `waited_seconds` is what forecasts and decisions took."""

    day: str
    events: int
    decisions: int
    orders: int
    waited_seconds: float


def sku_days(
    day: date, sales: Iterable[Sale], warehouse: Warehouse, bulk_thresholds: Mapping[str, float]
) -> list[SkuDay]:
    """One row per SKU of the warehouse, as it stands after the day's last sale."""
    on_order: dict[str, int] = defaultdict(int)
    for order in warehouse.open_orders.values():
        on_order[order.sku] += order.quantity
    rows = {
        sku: SkuDay(sku, day.isoformat(), on_hand=units, on_order=on_order[sku])
        for sku, units in sorted(warehouse.on_hand.items())
    }
    for sale in sales:
        _count(rows[sale.line.sku], sale, sale.line.quantity > bulk_thresholds[sale.line.sku])
    return list(rows.values())


def _count(row: SkuDay, sale: Sale, bulk: bool) -> None:
    filled = int(sale.unmet == 0)
    row.demand += sale.line.quantity
    row.served += sale.served
    row.lines += 1
    row.filled += filled
    if bulk:
        row.bulk_demand += sale.line.quantity
        row.bulk_served += sale.served
        row.bulk_lines += 1
        row.bulk_filled += filled


def placed_order(order: PurchaseOrder, unit_cost: float) -> PlacedOrder:
    """The order as the report counts it."""
    cost = round(order.quantity * unit_cost, 2)
    return PlacedOrder(
        order.order_id, order.sku, order.supplier, order.quantity, cost, str(order.placed), str(order.due)
    )


def unmet_lines(day: date, sales: Iterable[Sale]) -> list[dict[str, object]]:
    """The lines that could not be served in full, with what was missing."""
    return [
        {
            "day": day.isoformat(),
            "sku": sale.line.sku,
            "time_ms": sale.line.time_ms,
            "line_id": sale.line.line_id,
            "wanted": sale.line.quantity,
            "unmet": sale.unmet,
        }
        for sale in sales
        if sale.unmet
    ]


class EvaluationFiles:
    """JSON lines in `<run_dir>/evaluation`, begun anew for each replay and appended day by day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, scenario: Mapping[str, object]) -> None:
        """Empties the folder and notes which replay this is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("unmet_demand", "sku_days", "orders", "closes"):
            (self._folder / f"{name}.jsonl").write_text("")
        (self._folder / "scenario.json").write_text(json.dumps(scenario) + "\n")

    def unmet(self, rows: Sequence[Mapping[str, object]]) -> None:
        self._append("unmet_demand", rows)

    def sku_days(self, rows: Sequence[SkuDay]) -> None:
        self._append("sku_days", [asdict(row) for row in rows])

    def orders(self, rows: Sequence[PlacedOrder]) -> None:
        self._append("orders", [asdict(row) for row in rows])

    def close(self, row: DayClose) -> None:
        self._append("closes", [asdict(row)])

    def _append(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        with (self._folder / f"{name}.jsonl").open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def read_rows(folder: Path, name: str) -> pd.DataFrame:
    """The rows of one evaluation file.

    Raises:
        StockstreamError: there is no such file.
    """
    path = folder / f"{name}.jsonl"
    try:
        return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    except OSError as error:
        raise StockstreamError(f"{path}: {error.strerror}; run 'stockstream shop' first") from None
