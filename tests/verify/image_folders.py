"""Each component's image as a folder, and what the rendered chart tells the pods that run it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.stack import Stack
from tests.helm.chart import SMALL, objects

ROOT = Path(__file__).parents[2]
IN_IMAGE = "/opt/stockstream"


@contextmanager
def installed(folder: Path, *components: str) -> Iterator[Path]:
    """A folder per component, as `/opt/stockstream` of its image, made by the script that the build runs."""
    for component in components:
        install = [str(ROOT / "infra" / "images" / "install.sh"), component, str(folder / component)]
        done = subprocess.run(install, capture_output=True, text=True, timeout=1200, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    yield folder
    shutil.rmtree(folder)


@contextmanager
def secured_broker(run_dir: Path) -> Iterator[Stack]:
    """A secured broker with every topic; whatever else is started in its run directory ends with it."""
    stack = Stack(run_dir)
    try:
        stack.start_broker(secure=True)
        yield stack
    finally:
        stack.stop()


def rendered(kind: str, values: Path = SMALL) -> list[dict[str, Any]]:
    """The chart's objects of a kind."""
    return [each for each in objects(values=values) if each["kind"] == kind]


def environment(stack: Stack, image: Path, user: str) -> dict[str, str]:
    """What the chart's pods are told, at this machine's paths and addresses."""
    (settings,) = (
        each["data"] for each in rendered("ConfigMap") if each["metadata"]["name"].endswith("-settings")
    )
    own = {
        "STOCKSTREAM_RUN_DIR": str(stack.run_dir),
        "STOCKSTREAM_BOOTSTRAP_SERVERS": stack.settings().bootstrap_servers,
        "PATH": f"{image}/bin:/usr/bin:/bin",
        "HOME": str(stack.run_dir),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    told: dict[str, str] = settings | own | stack.security.environment(user)
    return told


def run_in(folder: Path, *command: str) -> list[str]:
    """A command with a working directory in which no source of the checkout can be found."""
    return ["env", f"--chdir={folder}", *command]
