"""Final rows side by side."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tests.parity.event_log import RowKey, Values

Difference = tuple[object, object]


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


def _same(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance * abs(one)


def rows_of(table: pd.DataFrame) -> dict[RowKey, Values]:
    """The rows of a table indexed by SKU, location, start and end."""
    values: list[Any] = table.astype("object").where(table.notna(), None).to_dict("records")
    return {(sku, start, end): row for (sku, _, start, end), row in zip(table.index, values, strict=True)}
