"""Data that the project does not ship, from the folder that STOCKSTREAM_DATA names."""

from pathlib import Path

from infra.errors import StockstreamError
from infra.settings import load_settings


def data_file(name: str) -> Path:
    """Where the file is.

    Raises:
        StockstreamError: the folder has no such file.
    """
    folder = load_settings().data
    if not (path := folder / name).exists():
        raise StockstreamError(f"STOCKSTREAM_DATA={folder}: a folder with {name} is needed")
    return path
