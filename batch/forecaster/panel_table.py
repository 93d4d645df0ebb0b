"""A long table from Parquet or CSV files: each column as its distinct values and a code per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from infra.errors import StockstreamError

REQUIRED = ("sku", "location", "date", "units")
OPTIONAL = ("available", "price", "promotion", "list_price", "open", "category")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name.
        values: the distinct values, none of them null.
        codes: (rows,) index into `values`, -1 for null.
    """

    name: str
    values: pa.Array
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class PanelTable:
    """The columns a panel is made of; `parts` are the files with the number of rows of each."""

    columns: dict[str, Column]
    ignored: tuple[str, ...]
    parts: tuple[tuple[Path, int], ...]

    @property
    def rows(self) -> int:
        return sum(count for _, count in self.parts)

    def place(self, row: int) -> str:
        """Where a row (from 0) stands: its file, and its number there from 1, a header not counted."""
        for path, count in self.parts:
            if row < count:
                return f"{path.name}, row {row + 1}"
            row -= count
        raise IndexError(row)

    def refuse(self, column: Column, rows: NDArray[np.intp], accepted: str) -> StockstreamError:
        """The error that names the first of the given rows, its value, and what is accepted."""
        code = int(column.codes[rows[0]])
        cell = None if code < 0 else column.values[code].as_py()
        value = "empty" if cell in (None, "") else repr(cell)
        others = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        where = f"{self.place(int(rows[0]))}: column '{column.name}'"
        return StockstreamError(f"{where} is {value[:80]}{others}: accepted is {accepted}")


def read_table(path: Path) -> PanelTable:
    """Reads a file, or all Parquet or CSV files of a folder, as one table.

    Raises:
        StockstreamError: nothing to read, not such files, a required column is missing, or no rows.
    """
    files = _files(path)
    names = [_names(file) for file in files]
    for file, there in zip(files, names, strict=True):
        _require(file, there)
    wanted = [name for name in (*REQUIRED, *OPTIONAL) if any(name in there for there in names)]
    tables = [
        _read(file, [n for n in wanted if n in there]) for file, there in zip(files, names, strict=True)
    ]
    parts = tuple(zip(files, map(len, tables), strict=True))
    if not sum(map(len, tables)):
        raise StockstreamError(f"panel {path} has no rows")
    table = _joined(tables, path)
    ignored = sorted({name for there in names for name in there} - set(wanted))
    columns = {name: _column(name, table.column(name)) for name in table.column_names}
    return PanelTable(columns, tuple(ignored), parts)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise StockstreamError(f"panel {path} does not exist: accepted is a Parquet or CSV file, or a folder")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    files = [file for file in files if file.suffix in (".parquet", ".csv") and file.name[0] not in "._"]
    if not files:
        raise StockstreamError(f"panel {path}: accepted are files that end in .parquet or .csv")
    return files


def _names(file: Path) -> list[str]:
    try:
        if file.suffix == ".parquet":
            return list(pq.read_schema(file).names)
        with pa_csv.open_csv(file) as reader:
            return list(reader.schema.names)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def _require(file: Path, there: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in there]
    if missing:
        raise StockstreamError(
            f"{file}: no column '{missing[0]}'; it has {', '.join(there)}; required are {', '.join(REQUIRED)}"
        )


def _read(file: Path, names: list[str]) -> pa.Table:
    try:
        if file.suffix == ".parquet":
            return pq.ParquetFile(file).read(columns=names)
        text = pa.dictionary(pa.int32(), pa.string())
        options = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, text), include_columns=names)
        return pa_csv.read_csv(file, convert_options=options)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def _joined(tables: list[pa.Table], path: Path) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    except pa.ArrowException as error:
        raise StockstreamError(f"panel {path}: its files differ: {' '.join(str(error).split())}") from None


def _column(name: str, cells: pa.ChunkedArray) -> Column:
    array = cells.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Column(name, array.dictionary, codes)


def _unreadable(file: Path, error: Exception) -> StockstreamError:
    kind = file.suffix.removeprefix(".")
    return StockstreamError(f"{file}: not a readable {kind} file: {' '.join(str(error).split())[:200]}")
