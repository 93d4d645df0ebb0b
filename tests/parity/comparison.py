"""Final rows side by side."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import pandas as pd

from tests.parity.event_log import RowKey, Values

Difference = tuple[float | None, float | None]


def differences(
    expected: Mapping[RowKey, Values], found: Mapping[RowKey, Values], tolerance: float = 1e-12
) -> dict[tuple[RowKey, str], Difference]:
    """Cells of the expected rows that are not found with the same value, and rows that one side lacks."""
    lacking = {(key, "row"): (key in expected, key in found) for key in expected.keys() ^ found.keys()}
    cells = {
        (key, name): (value, found[key][name])
        for key in expected.keys() & found.keys()
        for name, value in expected[key].items()
        if not _same(value, found[key][name], tolerance)
    }
    return {**lacking, **cells}


@dataclass(frozen=True)
class Comparison:
    """How far rows are from the expected ones.

    Attributes:
        cells: rows that both sides have, times features.
        missing: expected rows that are not found.
        extra: rows found that are not expected.
        wrong_integers: cells of whole numbers that differ, in value or in being unknown.
        largest_difference: of the other cells, relative to the expected value; infinite where one side is
            unknown.
    """

    cells: int
    missing: int
    extra: int
    wrong_integers: int
    largest_difference: float


def compare(
    expected: Mapping[RowKey, Values], found: Mapping[RowKey, Values], whole_numbers: Collection[str]
) -> Comparison:
    """Compares every cell of two sets of rows."""
    differing = differences(expected, found, tolerance=0)
    cells = {place: pair for place, pair in differing.items() if place[1] != "row"}
    relative = [_relative(*pair) for (_, name), pair in cells.items() if name not in whole_numbers]
    return Comparison(
        cells=sum(len(expected[key]) for key in expected.keys() & found.keys()),
        missing=len(expected.keys() - found.keys()),
        extra=len(found.keys() - expected.keys()),
        wrong_integers=sum(name in whole_numbers for _, name in cells),
        largest_difference=max(relative, default=0.0),
    )


def _relative(expected: float | None, found: float | None) -> float:
    if expected is None or found is None or expected == 0:
        return inf
    return abs(found - expected) / abs(expected)


def _same(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance * abs(one)


def rows_of(table: pd.DataFrame) -> dict[RowKey, Values]:
    """The rows of a table indexed by SKU, location, start and end."""
    values: list[Any] = table.astype("object").where(table.notna(), None).to_dict("records")
    return {(sku, start, end): row for (sku, _, start, end), row in zip(table.index, values, strict=True)}
