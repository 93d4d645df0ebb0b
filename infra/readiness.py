"""How a long-running component tells that it has begun to work: by a file in the run directory."""

from pathlib import Path


def ready_file(run_dir: Path, component: str) -> Path:
    """The file whose presence says that the component works."""
    return run_dir / "ready" / component


def announce_ready(run_dir: Path, component: str) -> None:
    """Called once by the component, when it consumes its inputs."""
    file = ready_file(run_dir, component)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
