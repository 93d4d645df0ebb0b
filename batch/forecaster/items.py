"""What the catalogue says of items, and the latent factors that stand for how shoppers see them.

Factors come from shoppers' views and purchases (`batch.item_similarity`). An item that nobody has seen yet
gets the factors that its attributes let expect, by ridge regression on those of the known items (Gantner et
al. 2010, Learning attribute-to-feature mappings for cold-start recommendations, ICDM).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL_SEPARATOR = ":"
NO_ATTRIBUTE = "none"
NUMBERS = ("price", "unit_cost")
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e6)


@dataclass(frozen=True)
class Items:
    """n items; a category may be a path, its levels separated by ":".

    Attributes:
        sku: names.
        category: `none` where there is none.
        supplier: likewise.
        numbers: (n, NUMBERS) positive, NaN where unknown.
    """

    sku: tuple[str, ...]
    category: tuple[str, ...]
    supplier: tuple[str, ...]
    numbers: Floats

    def picked(self, sku: Sequence[str]) -> "Items":
        """The items of these SKUs, in this order; one that is not there has no attributes."""
        place = {name: row for row, name in enumerate(self.sku)}
        rows = [place.get(name, -1) for name in sku]
        numbers = np.concatenate([self.numbers, np.full((1, len(NUMBERS)), np.nan)])
        return Items(
            tuple(sku),
            tuple(self.category[row] if row >= 0 else NO_ATTRIBUTE for row in rows),
            tuple(self.supplier[row] if row >= 0 else NO_ATTRIBUTE for row in rows),
            numbers[rows],
        )


def no_items() -> Items:
    """A catalogue without items."""
    return Items((), (), (), np.zeros((0, len(NUMBERS))))


@dataclass(frozen=True)
class ItemFactors:
    """Factors (known items, rank), and the coefficients (1 + labels + NUMBERS, rank) that predict them."""

    sku: tuple[str, ...]
    factors: Floats
    labels: tuple[str, ...]
    number_mean: Floats
    coefficients: Floats

    def of(self, items: Items) -> Floats:
        """(n, rank): an item's own factors where it has some, else those of its attributes."""
        design = _design(items, self.labels, self.number_mean)
        expected = np.zeros((len(design), self.coefficients.shape[1]))
        # Added one by one: a matrix product's last bits depend on how many items there are.
        for column, coefficients in enumerate(self.coefficients):
            expected += design[:, [column]] * coefficients
        place = {sku: row for row, sku in enumerate(self.sku)}
        own = np.array([place.get(sku, -1) for sku in items.sku], dtype=np.intp)
        if not self.sku:
            return expected
        factors: Floats = np.where((own >= 0)[:, None], self.factors[own], expected)
        return factors


def category_levels(category: str) -> tuple[str, ...]:
    """Every level that a category lies in, the widest, which holds all items, first.

    >>> category_levels("food:fruit")
    ('', 'food', 'food:fruit')
    """
    parts = category.split(LEVEL_SEPARATOR)
    return ("", *(LEVEL_SEPARATOR.join(parts[: depth + 1]) for depth in range(len(parts))))


def no_factors() -> ItemFactors:
    """Where there are no views or purchases by session or user: attributes alone tell items apart."""
    return ItemFactors((), np.zeros((0, 0)), (), np.zeros(len(NUMBERS)), np.zeros((1 + len(NUMBERS), 0)))


def fit_item_factors(items: Items, sku: Sequence[str], factors: Floats) -> ItemFactors:
    """Maps attributes to the factors (sku, rank) of the items that have some."""
    there = set(items.sku)
    known = [row for row, name in enumerate(sku) if name in there]
    if not known:
        return no_factors()
    learned = items.picked([sku[row] for row in known])
    labels = tuple(sorted(set[str]().union(*map(_labels, learned.category, learned.supplier))))
    number_mean = known_mean(np.log(learned.numbers))
    design = _design(learned, labels, number_mean)
    coefficients, _ = ridge(design, factors[known], np.ones(len(known)))
    return ItemFactors(learned.sku, factors[known], labels, number_mean, coefficients)


def ridge(design: Floats, targets: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Coefficients and leave-one-out errors at the penalty of `PENALTIES` with the least such errors.

    The first column of the design is the intercept, which nothing pulls to zero.
    """
    fits = [_ridge(design, targets, weights, penalty) for penalty in PENALTIES]
    losses = [float((weights[:, None] * left_out**2).sum()) for _, left_out in fits]
    return fits[int(np.argmin(losses))]


def _ridge(design: Floats, targets: Floats, weights: Floats, penalty: float) -> tuple[Floats, Floats]:
    penalties = np.full(design.shape[1], penalty)
    penalties[0] = 1e-9
    weighted = design.T * weights
    solution = np.linalg.solve(weighted @ design + np.diag(penalties), weighted)
    coefficients = solution @ targets
    leverage = np.minimum(np.einsum("np,pn->n", design, solution), 0.99)
    return coefficients, (targets - design @ coefficients) / (1 - leverage)[:, None]


def _labels(category: str, supplier: str) -> set[str]:
    return {f"category={level}" for level in category_levels(category)[1:]} | {f"supplier={supplier}"}


def _design(items: Items, labels: tuple[str, ...], number_mean: Floats) -> Floats:
    """(n, 1 + labels + NUMBERS): a label or number that is not known says nothing."""
    place = {label: column for column, label in enumerate(labels)}
    marks = np.zeros((len(items.sku), len(labels)))
    for row, (category, supplier) in enumerate(zip(items.category, items.supplier, strict=True)):
        for label in _labels(category, supplier) & place.keys():
            marks[row, place[label]] = 1.0
    return np.concatenate([np.ones((len(marks), 1)), marks, centred_logs(items.numbers, number_mean)], axis=1)


def centred_logs(numbers: Floats, mean: Floats) -> Floats:
    """Logs of numbers less their mean; 0 where one is unknown."""
    logs: Floats = np.nan_to_num(np.log(numbers) - mean)
    return logs


def known_mean(values: Floats) -> Floats:
    """(columns,) mean of what is known (finite) of each column; 0 where nothing is."""
    known = np.isfinite(values)
    mean: Floats = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean
