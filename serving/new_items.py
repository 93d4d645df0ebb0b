"""Forecasts of new items: of the catalogue, unknown to the model, and hardly ever in stock so far."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batch.forecaster.cold_start import HANDOVER_DAYS, ColdStart, known_days
from batch.forecaster.cold_start_file import read_cold_start
from batch.forecaster.errors import ModelRejected
from batch.forecaster.items import Items
from batch.forecaster.predictor import quantile_problem
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts import identity
from infra.contracts.demand import Copula
from infra.contracts.shop import Item
from serving.inventory.ledger import Key

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewItem:
    """The forecast of the series in one row: quantiles (horizon, levels), and what it rests on."""

    row: int
    quantiles: Floats
    copula: Copula
    reason: str
    attributes_digest: str


def current_cold_start(panel_dir: Path) -> ColdStart | None:
    """What was learned with the panel; None where it is missing or damaged, so that all else can serve."""
    try:
        return read_cold_start(panel_dir)
    except ModelRejected as error:
        log.warning("new items are forecast like all others: %s", error)
        return None


def forecast_new_items(
    cold_start: ColdStart,
    window: DemandWindow,
    keys: Sequence[Key],
    items: Sequence[Item | None],
    learned: Sequence[bool],
) -> list[NewItem]:
    """Forecasts from comparable items; what fails its checks is left to the other forecasters.

    Args:
        cold_start: what is known of items before they sell.
        window: what is known of the series, within the items' life.
        keys: (sku, location) of each row.
        items: what the catalogue says of each; empty where there is none.
        learned: whether a model has learned from each, and forecasts it itself.
    """
    days = known_days(window)
    new = [
        (row, item)
        for row, item in enumerate(items)
        if item is not None and days[row] < HANDOVER_DAYS and not learned[row]
    ]
    if not new:
        return []
    rows = np.array([row for row, _ in new])
    described = attributes([item for _, item in new])
    locations = [keys[row][1] for row in rows]
    quantiles, copulas = cold_start.forecast(window.rows(rows), described, locations)
    made = [
        NewItem(row, quantiles[place], copulas[place], _reason(int(days[row])), _digest(item))
        for place, (row, item) in enumerate(new)
    ]
    return [each for each in made if quantile_problem(each.quantiles) is None]


def attributes(items: Sequence[Item]) -> Items:
    """What tells items apart, as the cold start reads it."""
    amounts = [[float(item.price.amount), float(item.unit_cost.amount)] for item in items]
    numbers = np.array(amounts)
    return Items(
        tuple(item.sku for item in items),
        tuple(item.category for item in items),
        tuple(item.supplier for item in items),
        np.where(numbers > 0, numbers, np.nan),
    )


def _digest(item: Item) -> str:
    words = [item.category, item.supplier, item.price.amount, item.unit_cost.amount]
    return identity.digest([*words])


def _reason(days: int) -> str:
    return f"new item, {days} days in stock so far: forecast from comparable items"
