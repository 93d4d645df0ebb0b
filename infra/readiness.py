"""How a long-running component tells that it works: by a file in the run directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def ready_file(run_dir: Path, component: str) -> Path:
    """The file whose presence says that the component works."""
    return run_dir / "ready" / component


@contextmanager
def mark_ready(run_dir: Path, component: str) -> Iterator[None]:
    """Entered by the component when it consumes its inputs; the file goes when it ends, a crash leaves it."""
    file = ready_file(run_dir, component)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
