"""What a start that failed leaves behind."""

import os
import subprocess
import sys
from pathlib import Path


def test_where_no_ray_runs_shutting_down_starts_none(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from serving.app import shut_down; shut_down()"]
    subprocess.run(command, check=True, env=os.environ | {"RAY_TMPDIR": str(tmp_path)}, timeout=300)
    assert list(tmp_path.iterdir()) == []
