"""Adding a feature is one entry and a golden case: done in a copy of the project, its own tests judge it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COPIED = ["pyproject.toml", "infra/__init__.py", "infra/errors.py", "infra/settings.py", "infra/contracts"]
COPIED += ["streaming", "batch/__init__.py", "batch/feature_history.py", "tests/parity", "tests/golden"]
COPIED += [
    "tests/unit/streaming/test_golden_features.py",
    "tests/unit/streaming/test_feature_declarations.py",
]
ENTRY = """
    Feature(
        "largest_line",
        "quantity of the largest purchase line",
        "base units",
        "null without purchases",
        "MAX(CASE WHEN event_type = 'purchase' THEN quantity END)",
    ),
"""
GOLDEN_CASE = """
- case: largest-line
  events:
    - {at: 2011-10-28T09:00:00, event: purchase, quantity: 2, unit_price: "1.00"}
    - {at: 2011-10-28T10:00:00, event: purchase, quantity: 6, unit_price: "1.00"}
    - {at: 2011-10-29T10:00:00, event: view}
  days:
    2011-10-28: {largest_line: 6}
    2011-10-29: {largest_line: null}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which the feature is declared, and what is generated is generated anew."""
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    declarations = tmp_path / "infra/contracts/features.py"
    text = declarations.read_text()
    declarations.write_text(text.replace("FEATURES = (\n", "FEATURES = (" + ENTRY, 1))
    python(tmp_path, "-m", "infra.contracts.table", "--schemas", "infra/contracts/schemas")
    return tmp_path


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = {"PYTHONPATH": str(project), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def judged(project: Path) -> subprocess.CompletedProcess[str]:
    return python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/streaming")


def test_one_entry_and_one_golden_case_add_a_feature_everywhere(project: Path) -> None:
    (project / "tests/golden/features/largest_line.yaml").write_text(GOLDEN_CASE)
    done = judged(project)
    assert done.returncode == 0, done.stdout
    for kind in ("json", "md"):
        assert "largest_line" in (project / f"infra/contracts/schemas/demand.features.v1.{kind}").read_text()


def test_both_engines_compute_an_added_feature(project: Path) -> None:
    queries = (
        "from streaming.feature_query import feature_rows\n"
        "from streaming.sinks import features_table\n"
        "from batch import feature_history\n"
        "print(feature_rows(60), features_table('', None), feature_history._ROWS, sep='\\n')"
    )
    printed = python(project, "-c", queries).stdout
    assert printed.count("MAX(CASE WHEN event_type = 'purchase' THEN quantity END)") == 2
    assert "`largest_line` DOUBLE" in printed
    assert "AS largest_line" in printed


def test_a_feature_without_a_golden_case_is_refused(project: Path) -> None:
    done = judged(project)
    assert done.returncode == 1
    assert "no case in tests/golden/features gives largest_line a value" in done.stdout
