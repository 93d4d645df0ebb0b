"""Files of an import in the archive: written aside, made visible together by one rename.

`archive/import-<source>.json` is an import's report and the pointer to its files: readers use exactly the
`import-*` files that a report names. A crash at any moment leaves the former import or the new one, whole.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.contracts.topics import ARCHIVED

Lines = dict[tuple[str, str], list[str]]


def write_import(
    archive: Path, source: str, lines: Lines, rejects: list[str], report: dict[str, Any]
) -> Path:
    """Writes the archive files of a source, replaces the report, removes what an earlier import left.

    Args:
        archive: The archive's folder.
        source: Hash of the imported file.
        lines: JSON lines per (dataset, day).
        rejects: JSON lines of the rows that could not be used.
        report: What to say about the import; the file names are added.

    Returns:
        Path of the report.
    """
    archive.mkdir(parents=True, exist_ok=True)
    name = f"import-{source}-{_digest(lines)}.json"
    before = _files_of(archive, source)
    files = {f"dataset={dataset}/day={day}/{name}": text for (dataset, day), text in sorted(lines.items())}
    for relative, text in files.items():
        if not (archive / relative).exists():
            (archive / relative).parent.mkdir(parents=True, exist_ok=True)
            replace_text(archive / relative, "".join(line + "\n" for line in text))
    replace_text(archive / f"import-{source}.rejects.jsonl", "".join(line + "\n" for line in rejects))
    target = archive / f"import-{source}.json"
    replace_text(target, json.dumps(report | {"files": list(files)}, indent=1) + "\n")
    for left in before - set(files):
        (archive / left).unlink()
    return target


def visible_files(archive: Path) -> Iterator[Path]:
    """Every complete data file of the archive: streamed ones, and those that an import's report names."""
    reports = [json.loads(path.read_text()) for path in archive.glob("import-*.json")]
    imported = {archive / name for report in reports for name in report["files"]}
    for dataset in ARCHIVED:
        for path in (archive / f"dataset={dataset}").glob("day=*/*"):
            if path.name.startswith("import-"):
                if path in imported:
                    yield path
            elif not path.name.startswith((".", "_")):
                yield path


def replace_text(path: Path, text: str) -> None:
    """Writes a file that is seen either whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _digest(lines: Lines) -> str:
    whole = hashlib.sha256()
    for (dataset, day), text in sorted(lines.items()):
        whole.update("\n".join([dataset, day, *text, ""]).encode())
    return whole.hexdigest()[:12]


def _files_of(archive: Path, source: str) -> set[str]:
    return {
        str(path.relative_to(archive)) for path in archive.glob(f"dataset=*/day=*/import-{source}-*.json")
    }
