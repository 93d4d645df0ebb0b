from pathlib import Path

import pytest

from batch.import_files import visible_files, write_import
from infra.contracts.topics import CLICKSTREAM


def test_an_import_that_stops_half_way_never_becomes_visible(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    old = {(CLICKSTREAM, "2011-07-01"): ["old"]}
    write_import(archive, "source", old, [], {})
    (archive / f"dataset={CLICKSTREAM}/day=2011-07-03").mkdir()
    blocked = archive / f"dataset={CLICKSTREAM}/day=2011-07-02"
    blocked.write_text("a file where a folder is needed")
    new = {(CLICKSTREAM, "2011-07-01"): ["new"], (CLICKSTREAM, "2011-07-02"): ["new"]}
    with pytest.raises(FileExistsError):
        write_import(archive, "source", new, [], {})
    assert [path.read_text() for path in visible_files(archive)] == ["old\n"]
    blocked.unlink()
    write_import(archive, "source", new, [], {})
    assert [path.read_text() for path in visible_files(archive)] == ["new\n", "new\n"]


def test_unfinished_files_of_the_stream_are_not_read(tmp_path: Path) -> None:
    day = tmp_path / f"dataset={CLICKSTREAM}" / "day=2011-07-01"
    day.mkdir(parents=True)
    for name in (".part-0.inprogress", "_SUCCESS", "part-0", "import-unknown-1.json"):
        (day / name).touch()
    assert [path.name for path in visible_files(tmp_path)] == ["part-0"]
