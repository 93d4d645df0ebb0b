"""A shop's file as a table: rows numbered from 1, cells parsed column by column, unusable rows set aside."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from infra.errors import StockstreamError

_OFFSET = r"\d:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$"


@dataclass
class Rejects:
    """Rows that cannot become a message, with the first reason for each; row numbers start at 1."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, row: int, column: str, value: object, accepted: str) -> None:
        reason = {"row": row, "column": column, "value": str(value), "accepted": accepted}
        self.rows.setdefault(row, reason)

    def add_where(self, bad: "pd.Series[bool]", values: "pd.Series[Any]", accepted: str) -> None:
        for row, value in values[bad].items():
            self.add(int(str(row)), str(values.name), value, accepted)


def load_table(path: Path, file_format: Literal["csv", "parquet"]) -> pd.DataFrame:
    """The file's rows, indexed by row number; CSV cells stay text.

    Raises:
        StockstreamError: missing, or not of the format.
    """
    try:
        if file_format == "parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise StockstreamError(f"{path}: {error.strerror or error}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise StockstreamError(f"{path}: not a {file_format} file: {' '.join(str(error).split())}") from None
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def require_columns(table: pd.DataFrame, wanted: dict[str, str | None], path: Path) -> None:
    """Checks that the columns a mapping names exist; `wanted` maps mapping fields to column names.

    Raises:
        StockstreamError: names the mapping field, the missing column and the columns there are.
    """
    for name, column in wanted.items():
        if column is not None and column not in table.columns:
            there = ", ".join(map(str, table.columns))
            raise StockstreamError(
                f"mapping field {name}: no column {column!r} in {path.name}, which has {there}"
            )


def line_texts(table: pd.DataFrame) -> list[str]:
    """Each row's whole content as one text: exact duplicate lines have equal texts."""
    cells = [table[column].astype(str) for column in table.columns]
    return ["\x1f".join(row) for row in zip(*cells, strict=True)]


def content_id(*parts: str) -> str:
    """128 bits of SHA-256 (hex): the event id of a line's content."""
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:32]


def parse_numbers(table: pd.DataFrame, column: str, rejects: Rejects) -> "pd.Series[float]":
    """A column as numbers, NaN (and rejected) where it is none."""
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    rejects.add_where(numbers.isna() | np.isinf(numbers), table[column], "a number is expected")
    return numbers


def parse_times(
    table: pd.DataFrame, column: str, zone: str, time_format: str | None, rejects: Rejects
) -> "pd.Series[pd.Timestamp]":
    """A column as UTC times; times without an offset are local times of `zone`.

    Of an hour that the clock repeats the first pass is meant; a time that the clock skips moves forward to
    the next one that exists.
    """
    times = _read_times(table[column], time_format, zone).dt.as_unit("ms")
    accepted = f"a time like {time_format} is expected" if time_format else "an ISO 8601 time is expected"
    rejects.add_where(times.isna(), table[column], accepted)
    return times


def _read_times(cells: "pd.Series[Any]", time_format: str | None, zone: str) -> "pd.Series[pd.Timestamp]":
    if pd.api.types.is_datetime64_any_dtype(cells):
        return _to_utc(cells, zone)
    if time_format is not None:
        aware = "%z" in time_format
        return _to_utc(pd.to_datetime(cells, format=time_format, errors="coerce", utc=aware), zone)
    text = cells.astype(str)
    aware_rows = text.str.contains(_OFFSET)
    aware_times = pd.to_datetime(text.where(aware_rows), format="ISO8601", errors="coerce", utc=True)
    naive_times = pd.to_datetime(text.mask(aware_rows), format="ISO8601", errors="coerce")
    return aware_times.where(aware_rows, _to_utc(naive_times, zone))


def _to_utc(times: "pd.Series[Any]", zone: str) -> "pd.Series[pd.Timestamp]":
    if times.dt.tz is None:
        first_pass = np.ones(len(times), dtype=bool)
        times = times.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="shift_forward")
    return times.dt.tz_convert("UTC")


def epoch_ms(times: "pd.Series[pd.Timestamp]") -> Sequence[int]:
    """Milliseconds since 1970 UTC; the times must all be known."""
    ms: list[int] = times.astype("int64").tolist()
    return ms


def local_days(times: "pd.Series[pd.Timestamp]", zone: str) -> Sequence[str]:
    """ISO dates of the days of `zone` in which the times fall."""
    local = times.dt.tz_convert(zone).dt.tz_localize(None)
    days: list[str] = local.to_numpy().astype("datetime64[D]").astype(str).tolist()
    return days
