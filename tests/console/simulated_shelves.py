"""What the simulated shop sells: its shelves, their demand, and the records about them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from infra.contracts import identity
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandFeatures, DemandForecast
from infra.contracts.message import Money
from infra.contracts.shop import Item, StockMovement
from tests.unit.serving.records import DAY_MS, LOCATION, item, local_ms

FIRST_DAY = local_ms("2011-07-25")  # a Monday
DISPERSION = 3.0
WEEK = np.array([1.0, 0.9, 0.95, 1.1, 1.3, 0.0, 0.75])

MARKUP = "<img src=x onerror=alert(1)> & <b>bold</b>"
"""A description that a browser must show and not obey."""

MARKUP_SKU = "22100"
COLOURS = ("blue", "cream", "red", "green")
GOODS = ("Enamel mug", "Tea towel", "Cake stand", "Storage jar", "Bunting, 3 m", "Lunch bag", "Candle holder")
CATEGORIES = ("kitchen:mugs", "kitchen:linen", "kitchen:baking", "kitchen:storage", "party", "bags", "home")


@dataclass
class Shelf:
    """One SKU: what it is, how it sells, and what is on it and on the way."""

    item: Item
    mean: float
    stock: int
    receipts: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def sku(self) -> str:
        return self.item.sku

    def expected(self, day: int) -> float:
        return float(self.mean * WEEK[day % 7])


def shelves() -> list[Shelf]:
    """28 SKUs, from two a week to forty a day; every fifth begins with far too much."""
    made = []
    for number in range(len(GOODS) * len(COLOURS)):
        good, colour = number % len(GOODS), number // len(GOODS)
        cost = 0.85 + 0.45 * good + 0.1 * colour
        mean = 0.3 * 1.2**number
        made.append(
            Shelf(_item(number, good, colour, cost), mean, round(mean * (120 if number % 5 == 0 else 26)))
        )
    return made


def _item(number: int, good: int, colour: int, cost: float) -> Item:
    return item(
        f"{22100 + number * 7}",
        event_time_ms=FIRST_DAY,
        description=f"{GOODS[good]}, {COLOURS[colour]}" if number else MARKUP,
        category=CATEGORIES[good],
        supplier=f"supplier-{1 + good % 3}",
        unit_cost=Money(amount=f"{cost:.2f}", currency="GBP"),
        price=Money(amount=f"{cost * 2.3:.2f}", currency="GBP"),
        case_pack=(1, 6, 12)[number % 3],
        min_order_quantity=(1, 12, 24)[number % 3],
        cycle_service_level=(0.9, 0.95, 0.98)[number % 3],
    )


def receipt(sku: str, order_id: str, quantity: int, time_ms: int) -> StockMovement:
    return StockMovement(
        event_type="receipt",
        event_id=f"{order_id}-stocked",
        event_time_ms=time_ms,
        sku=sku,
        location=LOCATION,
        quantity=quantity,
        order_id=order_id,
    )


def midnight(day: int) -> int:
    return FIRST_DAY + day * DAY_MS  # no clock changes in these weeks


def drawn(shelf: Shelf, day: int) -> int:
    mean = shelf.expected(day)
    if mean == 0:
        return 0
    return int(nbinom.ppf(identity.uniform(shelf.sku, day), DISPERSION, DISPERSION / (DISPERSION + mean)))


def features(shelf: Shelf, day: int, sold: int, wanted: int) -> DemandFeatures:
    """The day's final row; what was wanted and not sold shows as views of an empty shelf."""
    views = 9 * wanted + 4
    share = 1.0 if sold == wanted else round(0.1 + 0.85 * sold / max(wanted, 1), 3)
    return DemandFeatures(
        sku=shelf.sku,
        location=LOCATION,
        window_start_ms=midnight(day),
        window_end_ms=midnight(day + 1),
        is_final=True,
        values={
            "units": float(sold),
            "views": float(views),
            "add_to_carts": float(wanted + 1),
            "in_stock_share": share,
            "views_out_of_stock": float(9 * (wanted - sold)),
            "promotion_on": 0.0,
        },
    )


def forecast(shelf: Shelf, day: int) -> DemandForecast:
    """What the shop's demand really is, seen through a model that errs by up to a fifth."""
    error = 0.9 + 0.25 * identity.uniform("error", shelf.sku, day)
    means = np.array([shelf.expected(day + step) for step in range(HORIZON_DAYS)]) * error
    fallback = shelf.sku.endswith("7")
    return DemandForecast(
        sku=shelf.sku,
        location=LOCATION,
        origin_ms=midnight(day),
        forecaster="empirical_56_open_days" if fallback else "lstm",
        fallback_reason="the model's history is too short" if fallback else None,
        model_id="lstm-simulated",
        panel_hash="0" * 64,
        context_digest="0" * 64,
        quantile_levels=list(QUANTILE_LEVELS),
        quantiles=_quantiles(means, DISPERSION),
        cumulative=_quantiles(np.cumsum(means), DISPERSION * np.arange(1, HORIZON_DAYS + 1)),
        copula=Copula(level=0.2, decay=0.3),
        seed=identity.seed(shelf.sku, LOCATION, day, "lstm-simulated"),
        paths=300,
    )


def _quantiles(means: NDArray[np.float64], sizes: "NDArray[np.float64] | float") -> list[list[float]]:
    size = np.broadcast_to(sizes, means.shape)[:, None]
    chance = size / (size + np.maximum(means, 1e-9)[:, None])
    table: NDArray[np.float64] = nbinom.ppf(np.array(QUANTILE_LEVELS)[None, :], size, chance)
    return [[float(value) for value in row] for row in np.where(means[:, None] > 0, table, 0.0)]
