"""New items on FreshRetailNet: whole products held out, five folds that cover all, real data.

Nothing is chosen on the folds: the constants of `batch.forecaster.cold_start_fit` were set on other splits of
the products, in the stores of `is_development` only; the other stores' ratio is reported beside the whole.
The data has neither clicks nor prices, so that the category path is all there is to go by.
"""

import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from batch.forecaster.cold_start import ColdStart, normalised
from batch.forecaster.cold_start_fit import fit_cold_start
from batch.forecaster.items import LEVEL_SEPARATOR, NUMBERS, Items, category_levels, no_factors
from batch.forecaster.panel import DemandPanel
from batch.forecaster.scores import SCORED_LEVELS, pinball
from batch.forecaster.seasonality import log_index
from batch.forecaster.windows import DemandWindow, Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS
from tests.benchmarks.data_file import data_file
from tests.benchmarks.figures import Figure, measured

FILE = "freshretailnet_dev.parquet"
FOLDS, FIRST_DAYS, LEAST_PRODUCTS = 5, 14, 3
DAY_0_GOAL, UPDATED_GOAL, WORST_GOAL = 0.85, 0.50, 1.0
CATEGORIES = ("first_category_id", "second_category_id", "third_category_id")
_NUMBERS = ("discount", "activity_flag", "sale_amount", "stockout_hours_6_22")
_SCORED = [QUANTILE_LEVELS.index(level) for level in SCORED_LEVELS]
_LEVELS = np.array(SCORED_LEVELS)

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Shop:
    """The panel of all series and the products' categories."""

    panel: DemandPanel
    items: Items


@dataclass(frozen=True)
class Forecasts:
    """Forecasts (m, levels) of in-stock days (m,), and what they are measured against."""

    row: Places
    number: Places
    actual: Floats
    unused: Floats
    updated: Floats
    comparator: Floats

    def loss(self, name: str) -> Floats:
        """(m,) mean pinball loss over M5's nine levels."""
        quantiles: Floats = getattr(self, name)
        loss: Floats = pinball(quantiles[:, _SCORED], self.actual, _LEVELS).mean(axis=1)
        return loss

    def covered(self, name: str) -> Flags:
        """(m,) whether the central 80 % interval holds the day."""
        quantiles: Floats = getattr(self, name)
        low, high = (quantiles[:, QUANTILE_LEVELS.index(level)] for level in (0.1, 0.9))
        inside: Flags = (low <= self.actual) & (self.actual <= high)
        return inside


def is_development(store: str) -> bool:
    """Whether constants may have been chosen on a store: its CRC-32 is even."""
    return zlib.crc32(store.encode()) % 2 == 0


def read_shop(path: Path) -> Shop:
    """FreshRetailNet; the usual price is the list price, a product's category the path of its three."""
    columns = ["store_id", "product_id", "dt", *CATEGORIES, *_NUMBERS]
    table = pq.read_table(path, columns=columns).to_pandas()
    table = table.sort_values(["store_id", "product_id", "dt"], ignore_index=True)
    days = table["dt"].nunique()
    first = table.iloc[::days]
    units, out, discount, activity = (
        table[name].to_numpy(dtype=np.float64).reshape(-1, days)
        for name in ("sale_amount", "stockout_hours_6_22", "discount", "activity_flag")
    )
    opened = np.ones_like(units, dtype=np.bool_)
    panel = DemandPanel(
        series=tuple(zip(first["product_id"].astype(str), first["store_id"].astype(str), strict=True)),
        first_day=np.datetime64(table["dt"].min(), "D").item(),
        units=units,
        observed=out == 0,
        open=opened,
        location_open=opened,
        panel_hash="0" * 64,
        price=np.where(discount > 0, discount, 1.0),
        promotion=activity,
    )
    products = first.drop_duplicates("product_id")
    paths = products[list(CATEGORIES)].astype(str).agg(LEVEL_SEPARATOR.join, axis=1)
    names = tuple(products["product_id"].astype(str))
    unknown = np.full((len(names), len(NUMBERS)), np.nan)
    return Shop(panel, Items(names, tuple(paths), ("none",) * len(names), unknown))


def folds_of(items: Items) -> dict[str, int]:
    """The fold of each product: they are dealt out in the order of their CRC-32."""
    order = sorted(items.sku, key=lambda sku: (zlib.crc32(f"fold {sku}".encode()), sku))
    return {sku: place % FOLDS for place, sku in enumerate(order)}


def forecasts(shop: Shop, held_out: Flags) -> Forecasts:
    """Of the first in-stock days of the series held out, by what the others teach."""
    rows = np.flatnonzero(held_out)
    learned, new = shop.panel.rows(np.flatnonzero(~held_out)), shop.panel.rows(rows)
    cold = fit_cold_start(learned, shop.items, no_factors())
    number = np.where(new.observed, np.cumsum(new.observed, axis=1), 0)
    number[number > FIRST_DAYS] = 0
    of_row, day = np.nonzero(number)
    unused, updated = _forecast(cold, new, shop.items.picked([sku for sku, _ in new.series]), number)
    comparator = pooled_quantiles(learned, shop.items, new)[of_row]
    actual = new.units[of_row, day]
    return Forecasts(rows[of_row], number[of_row, day], actual, unused, updated, comparator)


def _forecast(cold: ColdStart, new: DemandPanel, items: Items, number: Places) -> tuple[Floats, Floats]:
    """One day ahead (m, levels): without any sale of the product, and with all days of the series before."""
    levels = cold.log_levels(items, [location for _, location in new.series])
    prior, evidence = cold.log_prior(items), np.zeros_like(levels)
    made = np.zeros((2, *number.shape, len(QUANTILE_LEVELS)))
    for column in range(number.shape[1]):
        index = _index(cold, new, column)
        wanted = np.flatnonzero(number[:, column])
        for place, weights in enumerate((prior, prior + evidence)):
            shares = normalised(weights[wanted])
            made[place, wanted, column] = cold.day.quantiles(levels[wanted], index[wanted], shares)
        evidence += cold.day_evidence(levels, index, _window(new, column), column)
    chosen = number > 0
    return made[0][chosen], made[1][chosen]


def _index(cold: ColdStart, panel: DemandPanel, column: int) -> Floats:
    day = np.array([np.datetime64(panel.day(column), "D")])
    effects = np.broadcast_to(cold.effects, (len(panel.series), len(cold.effects)))
    return log_index(effects, day, panel.price[:, [column]], panel.promotion[:, [column]])[:, 0]


def _window(panel: DemandPanel, column: int) -> DemandWindow:
    ahead = np.zeros((len(panel.series), 0), dtype=np.bool_)
    last = panel.first_day + timedelta(days=column)
    return DemandWindow(last, panel.units, panel.observed, panel.open, ahead)


def pooled_quantiles(learned: DemandPanel, items: Items, new: DemandPanel) -> Floats:
    """(n, levels) quantiles of all in-stock days of the finest category with enough products."""
    category = dict(zip(items.sku, items.category, strict=True))
    members: dict[str, dict[str, list[int]]] = {}
    for row, (sku, _) in enumerate(learned.series):
        for level in category_levels(category[sku]):
            members.setdefault(level, {}).setdefault(sku, []).append(row)
    made: dict[str, Floats] = {}
    for level, products in members.items():
        if len(products) >= LEAST_PRODUCTS:
            rows = sorted(row for of_sku in products.values() for row in of_sku)
            made[level] = np.quantile(learned.units[rows][learned.observed[rows]], QUANTILE_LEVELS)
    finest = [
        next(level for level in reversed(category_levels(category[sku])) if level in made)
        for sku, _ in new.series
    ]
    return np.stack([made[level] for level in finest])


def figures() -> list[Figure]:
    """All figures at full size."""
    return measure(read_shop(data_file(FILE)))


def measure(shop: Shop) -> list[Figure]:
    """The figures, pooled over the folds, with the spread over them."""
    fold_of = folds_of(shop.items)
    fold = np.array([fold_of[sku] for sku, _ in shop.panel.series])
    parts = [forecasts(shop, fold == each) for each in range(FOLDS)]
    unseen = np.array([not is_development(store) for _, store in shop.panel.series])
    how = (
        f"FreshRetailNet, {len(fold)} series of {len(shop.items.sku)} products, whole products held out,"
        f" {FOLDS} folds; pinball / that of the pooled quantiles of the finest category with"
        f" {LEAST_PRODUCTS} training products or more; no clicks or prices; pooled, spread over folds"
    )
    first, all_days = [part.number == 1 for part in parts], [part.number > 0 for part in parts]
    other = [unseen[part.row] for part in parts]
    both = [one & two for one, two in zip(first, other, strict=True)]
    strict = "no sale of the product is used"
    return [
        _ratio("cold_start_day_0", parts, "unused", first, f"{how}; {strict}", DAY_0_GOAL),
        _ratio("cold_start_day_0_other_stores", parts, "unused", both, f"{how}; {strict}"),
        _ratio("cold_start_14_days", parts, "updated", all_days, f"{how}; daily update", UPDATED_GOAL),
        _ratio("cold_start_14_days_other_stores", parts, "updated", other, f"{how}; daily update"),
        _ratio("cold_start_14_days_not_updated", parts, "unused", all_days, f"{how}; {strict}"),
        _coverage("cold_start_day_0_coverage_80", parts, "unused", first, how),
        _coverage("cold_start_14_days_coverage_80", parts, "updated", all_days, how),
    ]


def _ratio(
    name: str, parts: list[Forecasts], forecast: str, rows: list[Flags], how: str, goal: float | None = None
) -> Figure:
    ours = [float(part.loss(forecast)[at].sum()) for part, at in zip(parts, rows, strict=True)]
    theirs = [float(part.loss("comparator")[at].sum()) for part, at in zip(parts, rows, strict=True)]
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    text = "reported" if goal is None else f"<= {goal}, no fold > {WORST_GOAL}"
    pooled = sum(ours) / sum(theirs)
    return _pooled(name, pooled, ratios, "ratio", how, text, goal is None or met(pooled, ratios, goal))


def met(pooled: float, ratios: list[float], goal: float) -> bool:
    """Whether all folds together reach the goal and none is worse than the comparator."""
    return pooled <= goal and max(ratios) <= WORST_GOAL


def _coverage(name: str, parts: list[Forecasts], forecast: str, rows: list[Flags], how: str) -> Figure:
    inside = [part.covered(forecast)[at] for part, at in zip(parts, rows, strict=True)]
    shares = [float(each.mean()) for each in inside]
    return _pooled(name, float(np.concatenate(inside).mean()), shares, "share", how, "reported", True)


def _pooled(
    name: str, value: float, by_fold: list[float], unit: str, how: str, goal: str, reached: bool
) -> Figure:
    figure = measured(name, by_fold, unit, how, goal)
    return replace(figure, value=value, met=reached)
