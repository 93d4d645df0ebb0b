"""Rows found by text and sorted by column; an order is made anew at most once a second."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from serving.board.table import LABELS, Mask, Rows, SkuTable

_FRESH_SECONDS = 1.0
_SEARCHES_KEPT = 256


class Orderings:
    """Orders and searches of a table, remembered until the table changes."""

    def __init__(self, table: SkuTable) -> None:
        self._table = table
        self._changed, self._made_at = True, 0.0
        self._orders: dict[Hashable, Rows] = {}
        self._searches: OrderedDict[str, Mask] = OrderedDict()
        self._text, self._ends, self._texts_changed = "", np.zeros(0, dtype=np.int64), True

    def note_change(self) -> None:
        """Rows have changed: orders older than a second are not used any more."""
        self._changed = True

    def note_new_texts(self) -> None:
        """SKUs or descriptions have changed."""
        self._texts_changed = True

    def by(self, column: str, descending: bool) -> Rows:
        """Rows in the order of a column, unknown numbers last."""
        return self.kept((column, descending), lambda: self._sorted(column, descending))

    def kept(self, name: Hashable, make: Callable[[], Rows]) -> Rows:
        """An order under a name; made again where rows have changed and it is older than a second."""
        now = time.monotonic()
        if self._changed and now - self._made_at > _FRESH_SECONDS:
            self._changed, self._made_at, self._orders = False, now, {}
        order = self._orders.get(name)
        if order is None:
            order = self._orders[name] = make()
        return order

    def _sorted(self, column: str, descending: bool) -> Rows:
        values = self._table.ranks(column) if column in LABELS else self._table.numbers(column)
        return np.argsort(-values if descending else values, kind="stable")

    def matching(self, text: str) -> Mask:
        """Which rows have the text in their SKU or description, whatever its case."""
        if self._texts_changed or len(self._ends) < len(self._table):
            self._index()
        wanted = text.lower()
        mask = self._searches.get(wanted)
        if mask is None:
            mask = self._found(wanted)
            self._searches[wanted] = mask
            while len(self._searches) > _SEARCHES_KEPT:
                self._searches.popitem(last=False)
        return mask

    def _index(self) -> None:
        self._texts_changed = False
        lines = [
            f"{sku} {description}".lower().replace("\n", " ") + "\n"
            for sku, description in zip(
                self._table.texts("sku"), self._table.texts("description"), strict=True
            )
        ]
        self._text, self._ends = "".join(lines), np.cumsum([len(line) for line in lines])
        self._searches.clear()

    def _found(self, wanted: str) -> Mask:
        places = np.array(
            [found.start() for found in re.finditer(re.escape(wanted), self._text)], dtype=np.int64
        )
        mask = np.zeros(len(self._ends), dtype=np.bool_)
        mask[np.searchsorted(self._ends, places, side="right")] = True
        return mask
