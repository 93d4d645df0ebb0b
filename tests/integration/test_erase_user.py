"""A person erased from a real archive and its Parquet events: no trace is left and no figure changes."""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.archive import totals, update_events
from batch.demand_history import build_history
from batch.erase_user import Erasure, begin, data_files, erase, erase_from_file
from batch.feature_history import feature_rows
from batch.spark_session import spark_session
from infra.contracts.features import FEATURE_NAMES
from infra.contracts.topics import CLICKSTREAM, STOCK_LEVELS
from infra.errors import StockstreamError
from infra.settings import load_settings
from tests.integration.test_history import Archive, noon

PERSON, OTHER = "u-17", "u-170"
SESSIONS = ["invoice-1", "invoice-2"]
COLUMNS = ["sku", "location", "window_start_ms", "window_end_ms", *FEATURE_NAMES]
DAYS = ["2011-05-02", "2011-05-03", "2011-05-04"]


def fill(archive: Archive) -> None:
    """Two people's purchases and views in several files, repeated, refused and late ones among them."""
    for day in DAYS:
        archive.add("part-0", archive.level(f"{day}T00:00Z", 5), *purchases(archive, day))
        archive.add("part-1", *views(archive, day))
    archive.add("part-0", refused(archive, b'{"user_id": "u-17", "event_time_ms": '))
    archive.add("part-0", refused(archive, b'{"user_id": "u-170", "event_time_ms": '))
    rejects = [
        json.dumps({"row": row, "line": {"Customer": user}}) for row, user in [(1, PERSON), (17, OTHER)]
    ]
    (archive.settings.archive_dir / "import-0.rejects.jsonl").write_text("\n".join(rejects) + "\n")


def purchases(archive: Archive, day: str) -> list[dict[str, Any]]:
    mine = archive.sale(noon(day), 2.333333, user_id=PERSON, session_id=SESSIONS[0], note=f"for {PERSON}")
    again = {**archive.sale(noon(day)), "value": mine["value"]}
    late = {**archive.sale(noon(day), 3, user_id=PERSON, session_id=SESSIONS[1]), "late": True}
    return [mine, mine, again, late, archive.sale(noon(day), 4, user_id=OTHER, session_id="invoice-3")]


def views(archive: Archive, day: str) -> list[dict[str, Any]]:
    """A person is not logged in while looking: only the session says who it was."""
    view: dict[str, Any] = {"event_type": "view", "unit_price": None, "quantity": None}
    sessions = [*SESSIONS, "invoice-3", "invoice-10"]
    return [archive.sale(noon(day), session_id=session, **view) for session in sessions]


def refused(archive: Archive, value: bytes) -> dict[str, Any]:
    row = archive.row(CLICKSTREAM, None)
    return {**row, "value_base64": base64.b64encode(value).decode()}


@dataclass(frozen=True)
class Computed:
    """What demand history says, and how many records the events were made of."""

    features: list[tuple[Any, ...]]
    panel_hash: str
    counts: dict[str, int]
    manifest: str


def compute(archive: Archive) -> Computed:
    with spark_session("test erasure") as spark:
        counts = totals(update_events(spark, archive.settings.archive_dir, archive.events))
        features = feature_values(spark, archive)
        panel_hash = build_history(spark, archive.settings)["panel_hash"]
    return Computed(features, panel_hash, counts, (archive.events / "_manifest.json").read_text())


def feature_values(spark: SparkSession, archive: Archive) -> list[tuple[Any, ...]]:
    update_events(spark, archive.settings.archive_dir, archive.events)
    return sorted(map(tuple, feature_rows(spark, archive.events, "Europe/London").collect()))


@dataclass(frozen=True)
class Erased:
    """An archive from which the person was erased, and what was computed from it before and after."""

    archive: Archive
    before: Computed
    manifest: str
    after: Computed
    done: Erasure


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Erased:
    archive = Archive(tmp_path_factory.mktemp("erased"))
    fill(archive)
    before = compute(archive)
    leave_a_crash_behind(archive.events)
    done = erase(archive.settings, PERSON)
    manifest = (archive.events / "_manifest.json").read_text()
    return Erased(archive, before, manifest, compute(archive), done)


def leave_a_crash_behind(events: Path) -> None:
    """A day's folder that no manifest names, as a crash of `stockstream archive` leaves it."""
    current = next(events.glob(f"dataset={CLICKSTREAM}/day=2011-05-02/*"))
    (current.parent / "0123456789ab").mkdir()
    for file in current.glob("*.parquet"):
        (current.parent / "0123456789ab" / file.name).write_bytes(file.read_bytes())


def everything_in(archive: Archive) -> str:
    """All that the files say: lines, decoded bytes, and every text column of the Parquet files."""
    files = [path.read_text() for path in archive.settings.archive_dir.rglob("*") if path.is_file()]
    rows = [json.loads(line) for text in files for line in text.splitlines()]
    encoded = [base64.b64decode(row["value_base64"]).decode() for row in rows if row.get("value_base64")]
    tables = [pq.read_table(path, partitioning=None) for path in archive.events.rglob("*.parquet")]
    return "\n".join([*files, *encoded, *(str(table.to_pylist()) for table in tables)])


def test_nothing_names_the_person_or_their_sessions_any_more(erased: Erased) -> None:
    found = everything_in(erased.archive).replace(OTHER, "").replace("invoice-10", "")
    assert PERSON not in found
    assert not any(session in found for session in SESSIONS)
    assert erased.done.left == ()
    assert not (erased.archive.settings.run_dir / "erasure.json").exists()


def test_other_people_stay(erased: Erased) -> None:
    found = everything_in(erased.archive)
    assert OTHER in found
    assert "invoice-3" in found
    assert "invoice-10" in found


def test_features_and_demand_history_are_the_same_before_and_after(erased: Erased) -> None:
    assert len(erased.before.features) == len(DAYS)
    assert erased.after.features == erased.before.features
    assert erased.after.panel_hash == erased.before.panel_hash


def test_the_next_archive_run_finds_nothing_to_do_and_doubles_nothing(erased: Erased) -> None:
    assert erased.after.manifest == erased.manifest
    assert erased.after.counts == erased.before.counts


def test_what_was_done_is_counted(erased: Erased) -> None:
    done = erased.done
    per_day = 4 + 2  # purchases with their repetitions, and views
    assert (done.sessions, done.records, done.rejects) == (2, per_day * len(DAYS) + 1, 1)
    assert done.files == 2 * len(DAYS) + 1
    assert done.searched > done.files


def test_an_interrupted_erasure_goes_on_with_the_tokens_it_began_with(tmp_path: Path, erased: Erased) -> None:
    archive = Archive(tmp_path)
    fill(archive)
    person = begin(archive.settings.run_dir, PERSON, set(SESSIONS))
    for path in data_files(archive.settings.archive_dir)[::2]:
        erase_from_file(path, person)
    erase(archive.settings, PERSON)
    with spark_session("test interrupted erasure") as spark:
        assert feature_values(spark, archive) == erased.before.features
    assert PERSON not in everything_in(archive).replace(OTHER, "")


def test_an_event_that_kafka_delivers_again_is_not_counted_twice(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    bought = archive.sale(noon(DAYS[0]), 2, user_id=PERSON, session_id=SESSIONS[0])
    archive.add("part-0", bought, archive.sale(noon(DAYS[1])))
    erase(archive.settings, PERSON)
    archive.add("part-1", bought)
    with spark_session("test delivery after erasure") as spark:
        values = feature_values(spark, archive)
    assert [dict(zip(COLUMNS, row, strict=True))["units"] for row in values] == [2, 1]
    assert erase(archive.settings, PERSON).records == 1


def test_a_file_that_the_job_still_writes_is_named_and_the_verb_fails(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add("part-0", archive.sale(noon(DAYS[0]), user_id=PERSON))
    archive.add(".part-1.inprogress", archive.sale(noon(DAYS[0]), user_id=PERSON))
    done = verb(tmp_path, PERSON)
    assert done.returncode == 1
    assert ".part-1.inprogress" in done.stderr
    assert "part-0" not in done.stderr
    assert verb(tmp_path, "u-1").returncode == 0
    assert "u-1: never seen" in verb(tmp_path, "u-1").stdout


def verb(run_dir: Path, user: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "batch.erase_user", "--user", user, "--run-dir", str(run_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("user", ["", " ", "a|b", "-x", "x" * 65, "u\n"])
def test_a_malformed_pseudonym_is_refused(user: str, tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match=r"user has value .* is accepted"):
        erase(load_settings(run_dir=tmp_path), user)


def test_stock_is_not_touched(erased: Erased) -> None:
    folder = erased.archive.settings.archive_dir / f"dataset={STOCK_LEVELS}"
    lines = [json.loads(line) for path in folder.rglob("part-*") for line in path.read_text().splitlines()]
    assert [json.loads(line["value"])["on_hand"] for line in lines] == [5] * len(DAYS)
