"""A Ray of one machine: its addresses, and where it keeps its sockets and logs."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOPBACK_RAY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Environment in which Ray binds all its ports to the loopback interface; read when Ray is imported."""

_LONGEST_PATH = 40


@contextmanager
def ray_directory(run_dir: Path) -> Iterator[Path]:
    """A folder for Ray's sockets, whose paths must stay under 107 bytes.

    It is in the run directory if that is short enough, else a temporary one that is removed afterwards.
    """
    own = run_dir.resolve() / "ray"
    if len(str(own)) <= _LONGEST_PATH:
        own.mkdir(parents=True, exist_ok=True)
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as short:
        yield Path(short)
