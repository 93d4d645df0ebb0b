"""Which category a series is taken to be in, and the file beside the panel that names each item's."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from batch.forecaster.items import NO_ATTRIBUTE, Items, category_levels
from batch.forecaster.whole_file import write_whole

FILE = "_categories.json"

LEAST_SERIES = 5
"""Series of a level from which it is learned: of fewer, the network would learn the past by heart."""


def learnable_categories(categories: Sequence[str]) -> tuple[str, ...] | None:
    """Each series' narrowest level with at least `LEAST_SERIES` series, or `none`; None unless two differ.

    >>> learnable_categories(["food:fruit"] * 5 + ["food:bread", "toys"])[4:]
    ('food:fruit', 'food', 'none')
    >>> learnable_categories(["food"] * 5 + ["none"])
    """
    levels = [() if name == NO_ATTRIBUTE else category_levels(name)[1:] for name in categories]
    size = Counter(level for each in levels for level in each)
    found = tuple(
        next((level for level in reversed(each) if size[level] >= LEAST_SERIES), NO_ATTRIBUTE)
        for each in levels
    )
    return found if len(set(found) - {NO_ATTRIBUTE}) > 1 else None


def write_categories(panel_dir: Path, items: Items) -> None:
    """Writes the category of every item that has one, in one step."""
    known = {sku: name for sku, name in zip(items.sku, items.category, strict=True) if name != NO_ATTRIBUTE}
    write_whole(panel_dir / FILE, json.dumps(known).encode())


def read_categories(panel_dir: Path) -> Mapping[str, str]:
    """The category of each SKU that has one; empty for a panel without the file."""
    path = panel_dir / FILE
    categories: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return categories
