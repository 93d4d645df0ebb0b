import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core"}
# Written in two parts, so that this file names none of them itself.
REGISTRIES = [
    "pypi." + "org",
    "pythonhosted." + "org",
    "repo1.maven." + "org",
    "repo.maven." + "apache.org",
    "registry.npmjs." + "org",
    "proxy.golang." + "org",
    "deb.debian." + "org",
    "archive.ubuntu." + "com",
    "docker." + "io",
    "download.pytorch." + "org",
    "--index" + "-url",
    "--extra-index" + "-url",
]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    too_long = {
        str(module.relative_to(ROOT)): lines
        for module in tracked("*.py", "*.sh")
        if (lines := len(module.read_text().splitlines())) > MAX_MODULE_LINES
    }

    assert too_long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{module.relative_to(ROOT)}:{function.lineno} {function.name}"
        for module in tracked("*.py")
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno + 1 > MAX_FUNCTION_LINES
    ]

    assert too_long == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in tracked() if path.stem in VAGUE_NAMES] == []


def test_no_file_is_a_link() -> None:
    command = ["git", "ls-files", "--stage"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout

    assert [line for line in listed.splitlines() if line.startswith("120000")] == []


def test_importing_a_package_imports_nothing_else() -> None:
    assert [str(path) for path in tracked("*__init__.py") if path.read_bytes()] == []


@pytest.mark.parametrize("address", REGISTRIES)
def test_no_file_names_a_package_registry(address: str) -> None:
    naming = [str(path) for path in tracked() if address.encode() in path.read_bytes()]

    assert naming == []
