"""One row per SKU and location, kept by column, so that 100,000 of them are filtered and sorted at once."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS
from serving.inventory.ledger import Key

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = TypeVar("Cell", bound=np.generic)

NUMBERS = (
    "on_hand", "backordered", "reserved", "on_hand_ms", "on_order", "due_units", "unit_cost", "price",
    "service_target", "lead_days", "late_units", "late_days", "epoch_ms", "quantity", "cost", "budget_cut",
    "blocked", "fallback", "stale", "stock_value", "demand_28_days", "days_of_cover", "stock_out_risk",
    "money_at_risk",
)  # fmt: skip
"""Columns of numbers; NaN is unknown. The last five are derived (`serving.board.risks`)."""

LABELS = ("sku", "location", "description", "category", "supplier", "status", "forecaster", "currency")
"""Columns of text."""

KINDS = (
    "stock_out_ahead", "overstock", "late_supplier", "blocked_decision", "budget_cut", "model_fallback",
    "input_stale",
)  # fmt: skip
"""What asks for a planner's attention."""


class _Labels:
    """A column of text as codes, so that a filter compares integers."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}
        self._places = np.zeros(1, dtype=np.int64)

    def code(self, text: str) -> int:
        """The code of a text, a new one if it is new."""
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]

    def known(self, text: str) -> int:
        """The code of a text, -1 if no row ever had it."""
        return self._codes.get(text, -1)

    def places(self) -> NDArray[np.int64]:
        """The place of each code's text in alphabetical order."""
        if len(self._places) < len(self.texts):
            texts = self.texts.copy()
            self._places = np.argsort(sorted(range(len(texts)), key=texts.__getitem__))
        return self._places


class SkuTable:
    """The columns. One thread writes; others may read at any time, and see each cell old or new."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._rows: dict[Key, int] = {}
        self._labels = {name: _Labels() for name in LABELS}
        self._capacity = 64
        self._numbers = {name: np.full(self._capacity, np.nan) for name in NUMBERS}
        self._codes = {name: np.zeros(self._capacity, dtype=np.int32) for name in LABELS}
        self._cumulative = np.full((self._capacity, HORIZON_DAYS, len(QUANTILE_LEVELS)), np.nan, np.float32)
        self._money = np.full((self._capacity, len(KINDS)), np.nan)

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, key: Key) -> int | None:
        """The row of a key."""
        return self._rows.get(key)

    def row(self, key: Key) -> int:
        """The row of a key, a new one if it is new."""
        row = self._rows.get(key)
        if row is None:
            row = len(self.keys)
            if row == self._capacity:
                self._grow()
            self.keys.append(key)
            self._rows[key] = row
            self.label(row, sku=key[0], location=key[1])
        return row

    def _grow(self) -> None:
        self._capacity *= 2
        for name in NUMBERS:
            self._numbers[name] = _lengthened(self._numbers[name], self._capacity, np.nan)
        for name in LABELS:
            self._codes[name] = _lengthened(self._codes[name], self._capacity, 0)
        self._cumulative = _lengthened(self._cumulative, self._capacity, np.nan)
        self._money = _lengthened(self._money, self._capacity, np.nan)

    def put(self, row: int, **numbers: float) -> None:
        """Sets numbers of a row."""
        for name, number in numbers.items():
            self._numbers[name][row] = number

    def label(self, row: int, **texts: str) -> None:
        """Sets texts of a row."""
        for name, text in texts.items():
            self._codes[name][row] = self._labels[name].code(text)

    def number(self, row: int, name: str) -> float | None:
        """A number of a row, None if it is unknown."""
        value = self._numbers[name].item(row)
        return value if value == value else None

    def text(self, row: int, name: str) -> str:
        """A text of a row, empty if it is unknown."""
        return self._labels[name].texts[int(self._codes[name][row])]

    def texts(self, name: str) -> list[str]:
        """The texts of all rows."""
        labels = self._labels[name].texts
        return [labels[code] for code in self._codes[name][: len(self)].tolist()]

    def labels(self, name: str) -> list[str]:
        """The different texts of the column, as far as they are known."""
        return [text for text in self._labels[name].texts if text]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """The numbers of all rows."""
        return self._numbers[name][: len(self)]

    def labelled(self, name: str, text: str) -> Mask:
        """Which rows have that text."""
        mask: Mask = self._codes[name][: len(self)] == self._labels[name].known(text)
        return mask

    def under(self, name: str, path: str) -> Mask:
        """Which rows have that text, or one below it where the text is a path with colons."""
        texts = self._labels[name].texts
        codes = [code for code, text in enumerate(texts) if text == path or text.startswith(f"{path}:")]
        return np.isin(self._codes[name][: len(self)], codes)

    def ranks(self, name: str) -> NDArray[np.int64]:
        """The place of each row's text among all texts of the column, in alphabetical order."""
        codes = self._codes[name][: len(self)].copy()
        ranks: NDArray[np.int64] = self._labels[name].places()[codes]
        return ranks

    @property
    def cumulative(self) -> NDArray[np.float32]:
        """Quantiles of demand summed over days 1..h [rows, horizon, levels]."""
        return self._cumulative[: len(self)]

    @property
    def money(self) -> NDArray[np.float64]:
        """Money at risk by kind [rows, kinds]; NaN where the row has no exception of the kind."""
        return self._money[: len(self)]

    def money_at_risk(self, row: int, kind: str) -> float:
        """Money at risk of a row by an exception of a kind, 0 where it has none."""
        value = self._money.item(row, KINDS.index(kind))
        return value if value == value else 0.0

    def forecast(self, row: int, cumulative: Sequence[Sequence[float]]) -> None:
        """Sets the quantiles of cumulative demand; a shorter horizon's last day stands for the days after."""
        table = np.asarray(cumulative, dtype=np.float32)[:HORIZON_DAYS]
        self._cumulative[row] = np.concatenate([table, np.repeat(table[-1:], HORIZON_DAYS - len(table), 0)])


def _lengthened(column: NDArray[Cell], capacity: int, blank: float) -> NDArray[Cell]:
    longer: NDArray[Cell] = np.full((capacity, *column.shape[1:]), blank, column.dtype)
    longer[: len(column)] = column
    return longer
