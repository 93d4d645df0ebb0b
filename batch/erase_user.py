"""`stockstream erase --user ID`: removes a person's pseudonym and sessions from the archive and the events.

The pseudonym becomes null and each session a random token, so demand history and features stay the same;
what names the person outside the contract's fields is left out. Afterwards every file of the archive and the
events is searched: what still names the person is listed, with exit status 1. `batch.personal_records` says
what counts as naming.

Every file is replaced whole, and the tokens are kept in `erasure.json` until nothing is left: interrupted,
the same command goes on where it was. Do not run it beside `stockstream archive` or `stockstream history`.

Not covered: records in Kafka (the clickstream, its late and dead-letter topics) until their retention ends, 7
days for the clickstream, so that a features job with --fresh archives them again; files that the features job
is still writing (they are listed: run this again); its checkpoints, which hold session ids of open days; the
shop's own files that were imported; backups.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from batch.archive import read_manifest, update_events
from batch.import_files import replace_text
from batch.personal_records import Person, Row, content, session_of
from batch.spark_session import spark_session
from infra.errors import StockstreamError, exit_with_message
from infra.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_REJECTS = "import-*.rejects.jsonl"
_UNFINISHED = "erasure.json"


@dataclass(frozen=True)
class Erasure:
    """What an erasure did and what it left.

    Attributes:
        sessions: sessions of the person.
        records: records rewritten in the archive.
        files: archive files with such records.
        rejects: rejected rows of imports removed.
        searched: files of the archive and the events searched afterwards.
        left: files among them that still name the person.
    """

    sessions: int
    records: int
    files: int
    rejects: int
    searched: int
    left: tuple[Path, ...]


def erase(settings: Settings, user: str) -> Erasure:
    """Erases a person from the archive and the events, then searches both.

    Raises:
        StockstreamError: the pseudonym is malformed.
    """
    if not _PSEUDONYM.fullmatch(user):
        raise StockstreamError(f"user has value {user!r}: a pseudonym like {_PSEUDONYM.pattern} is accepted")
    archive, events = settings.archive_dir, settings.run_dir / "events"
    person = begin(settings.run_dir, user, _sessions(archive, user))
    records = [count for path in data_files(archive) if (count := erase_from_file(path, person))]
    rejects = sum(_erase_from_rejects(path, person) for path in archive.glob(_REJECTS))
    if any(_search_events(events, person).values()):
        with spark_session("stockstream erase") as spark:
            update_events(spark, archive, events)
    _remove_leftovers(events)
    searched = _search_archive(archive, person) | _search_events(events, person)
    left = tuple(path for path, found in searched.items() if found)
    if not left:
        _end(settings.run_dir, user)
    sessions = len(person.tokens) - 1
    return Erasure(sessions, sum(records), len(records), rejects, len(searched), left)


def begin(run_dir: Path, user: str, sessions: set[str]) -> Person:
    """The person with a token for each session: those of an erasure that was interrupted, or new ones.

    They are on disk before the first file is replaced, so that a session that several files share gets one.
    """
    unfinished = _unfinished(run_dir)
    known = unfinished.get(user, {})
    tokens = {
        name: known.get(name) or f"erased-{secrets.token_hex(16)}" for name in {user, *sessions, *known}
    }
    replace_text(run_dir / _UNFINISHED, json.dumps({**unfinished, user: tokens}))
    return Person(user, tokens)


def _end(run_dir: Path, user: str) -> None:
    others = {name: tokens for name, tokens in _unfinished(run_dir).items() if name != user}
    if others:
        replace_text(run_dir / _UNFINISHED, json.dumps(others))
    else:
        (run_dir / _UNFINISHED).unlink()


def _unfinished(run_dir: Path) -> dict[str, dict[str, str]]:
    path = run_dir / _UNFINISHED
    found: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def data_files(archive: Path) -> list[Path]:
    """The finished data files of the archive; those of imports that no report names are among them."""
    files = sorted(archive.glob("dataset=*/day=*/*"))
    return [path for path in files if not path.name.startswith((".", "_"))]


def _sessions(archive: Path, user: str) -> set[str]:
    originals = (content(row) for path in data_files(archive) for row in _rows(path) if row)
    found = (session_of(user, original) for original in originals if original is not None)
    return {session for session in found if session is not None}


def _lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line.strip()]


def _rows(path: Path) -> Iterator[Row | None]:
    """The file's rows; None for a line that is none."""
    return map(_row, _lines(path))


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def erase_from_file(path: Path, person: Person) -> int:
    """Replaces an archive file by one without the person; returns how many records changed."""
    before = _lines(path)
    after = [_erased_line(line, dataset_of(path), person) for line in before]
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    if changed:
        replace_text(path, "".join(line.decode() + "\n" for line in after))
    return changed


def _erased_line(line: bytes, dataset: str, person: Person) -> bytes:
    row = _row(line)
    if row is None:
        return line
    erased = person.erased_from(dataset, row)
    return line if erased is row else json.dumps(erased, separators=(",", ":")).encode()


def dataset_of(path: Path) -> str:
    """The dataset in whose folder a file lies."""
    return next(part.partition("=")[2] for part in path.parts if part.startswith("dataset="))


def _erase_from_rejects(path: Path, person: Person) -> int:
    lines = _lines(path)
    kept = [line for line in lines if not _names_in_reject(line, person)]
    if len(kept) < len(lines):
        replace_text(path, "".join(line.decode() + "\n" for line in kept))
    return len(lines) - len(kept)


def _names_in_reject(line: bytes, person: Person) -> bool:
    cells = {name: value for name, value in (_row(line) or {}).items() if name != "row"}
    return person.is_concerned("import", json.dumps(cells).encode())


def _remove_leftovers(events: Path) -> None:
    """Removes what a crash left of days that have been written anew."""
    current = {events / entry["folder"] for entry in read_manifest(events).values()}
    for folder in [events / ".staging", *events.glob("dataset=*/day=*/*")]:
        if folder not in current:
            shutil.rmtree(folder, ignore_errors=True)


def _search_archive(archive: Path, person: Person) -> dict[Path, bool]:
    """Every data file, those being written too, and whether it names the person."""
    data = {path: _is_in_data(path, person) for path in sorted(archive.glob("dataset=*/day=*/*"))}
    rejects = sorted(archive.glob(_REJECTS))
    return data | {path: any(_names_in_reject(line, person) for line in _lines(path)) for path in rejects}


def _is_in_data(path: Path, person: Person) -> bool:
    try:
        lines = _lines(path)
    except FileNotFoundError:  # its writer has just finished it under another name
        return True
    originals = (line if row is None else content(row) for line in lines for row in [_row(line)])
    return any(person.is_concerned(dataset_of(path), each) for each in originals if each is not None)


def _search_events(events: Path, person: Person) -> dict[Path, bool]:
    return {path: _is_in_events(path, person) for path in sorted(events.rglob("*.parquet"))}


def _is_in_events(path: Path, person: Person) -> bool:
    batches = pq.ParquetFile(path).iter_batches(columns=["value"])
    values = (value for batch in batches for value in batch.column(0).to_pylist())
    return any(person.is_concerned(dataset_of(path), value.encode()) for value in values)


@app.command(help=__doc__)
def main(
    user: Annotated[str, typer.Option(help="the pseudonym, as in user_id")],
    run_dir: Annotated[Path | None, typer.Option(help="folder of the stack's files")] = None,
) -> None:
    """Erases and says what was found."""
    settings = load_settings(**({"run_dir": run_dir} if run_dir else {}))
    done = erase(settings, user)
    if done.records or done.rejects:
        print(
            f"{user}: erased from {done.records} records of {done.sessions} sessions in {done.files} files; "
            f"{done.rejects} rejected rows of imports removed"
        )
    else:
        print(f"{user}: never seen")
    if done.left:
        names = ", ".join(str(path) for path in done.left)
        raise StockstreamError(f"{len(done.left)} of {done.searched} files still name {user}: {names}")
    print(f"{done.searched} files searched: none names {user}")


if __name__ == "__main__":
    exit_with_message(app)
