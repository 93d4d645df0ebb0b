"""Columns of a table as numbers, days and names; each distinct value is read once."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from batch.forecaster.panel_table import PanelTable
from batch.forecaster.windows import Floats

Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]

_DAY = r"^(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?$"
DAYS_ACCEPTED = (
    "a local day such as 2024-03-31, at most with the time 00:00 of its own zone; sum times to days first"
)
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def numbers(
    table: PanelTable,
    name: str,
    accepted: str,
    high: float = np.inf,
    empty: float | None = None,
    words: bool = False,
) -> Floats:
    """(rows,) numbers from 0 to `high`.

    Args:
        table: holds the column.
        name: of the column.
        accepted: in words, for the error.
        high: the highest number accepted.
        empty: stands for an empty cell; None refuses it.
        words: whether true, false, yes and no are accepted as 1 and 0.

    Raises:
        StockstreamError: names the first cell that is none of these.
    """
    column = table.columns[name]
    values, blank = _as_numbers(column.values, words)
    bad = ~blank & ~((values >= 0) & (values <= high) & np.isfinite(values))
    if empty is None:
        bad |= blank
    values = np.append(np.where(blank, np.nan if empty is None else empty, values), np.nan)
    if empty is not None:
        values[-1] = empty
    refused = np.flatnonzero(np.append(bad, empty is None)[column.codes])
    if len(refused):
        raise table.refuse(column, refused, accepted)
    cells: Floats = values[column.codes]
    return cells


def _as_numbers(values: pa.Array, words: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """The distinct values as numbers (NaN where they are none), and which of them are blank."""
    kind = values.type
    if pa.types.is_boolean(kind):
        numeric = values.cast(pa.int8()).cast(pa.float64()) if words else pa.nulls(len(values), pa.float64())
        return numeric.to_numpy(zero_copy_only=False), np.zeros(len(values), dtype=np.bool_)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        found = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return found, np.isnan(found)
    text = pd.Series([str(value).strip() for value in values.to_pylist()], dtype=object)
    parsed = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    if words:
        parsed = text.str.lower().map(_WORDS).fillna(pd.Series(parsed)).to_numpy(dtype=np.float64)
    return parsed, (text == "").to_numpy()


def days(table: PanelTable, name: str = "date") -> Ints:
    """(rows,) days since 1970-01-01, as written in the file: no zone is converted.

    Raises:
        StockstreamError: a cell is no day, or has a time of day.
    """
    column = table.columns[name]
    found = np.append(_as_days(column.values), np.datetime64("NaT", "D"))[column.codes]
    refused = np.flatnonzero(np.isnat(found))
    if len(refused):
        raise table.refuse(column, refused, DAYS_ACCEPTED)
    return found.astype(np.int64)


def _as_days(values: pa.Array) -> Days:
    kind = values.type
    if pa.types.is_date(kind):
        dates: Days = values.cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return dates
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(values) if kind.tz else values
        times = local.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False)
        whole: Days = times.astype("datetime64[D]")
        whole[whole.astype("datetime64[us]") != times] = np.datetime64("NaT")
        return whole
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return np.full(len(values), np.datetime64("NaT"), dtype="datetime64[D]")
    text = pd.Series(values.to_pylist(), dtype=object).str.strip().str.extract(_DAY)[0]
    return pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").to_numpy().astype("datetime64[D]")


def names(table: PanelTable, name: str, empty: str | None = None) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct names in order, and (rows,) the index of each row's name.

    Raises:
        StockstreamError: a cell is empty and `empty` does not say what it stands for.
    """
    column = table.columns[name]
    text = [str(value).strip() for value in column.values.to_pylist()] + [""]
    blank = np.array([value == "" for value in text])
    refused = np.flatnonzero(blank[column.codes]) if empty is None else np.empty(0, dtype=np.intp)
    if len(refused):
        raise table.refuse(column, refused, "a name")
    labels = np.array([empty or "" if value == "" else value for value in text], dtype=object)
    used = np.unique(column.codes)
    ordered, place = np.unique(labels[used].astype(str), return_inverse=True)
    index = np.zeros(len(labels), dtype=np.int64)
    index[used] = place
    return ordered.tolist(), index[column.codes]
