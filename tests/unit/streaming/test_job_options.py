import os
from pathlib import Path

import pytest

from infra.errors import StockstreamError
from infra.settings import Settings
from streaming.job_options import check_arguments, configuration, keep_step, latest_checkpoint

ZONES = {"Europe/London": ["gb-main"], "Nowhere/Land": ["nowhere"]}


def checkpoint(folder: Path, name: str, age: int, metadata: bytes = b"state") -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "_metadata").write_bytes(metadata)
    os.utime(path / "_metadata", (1_000_000 - age, 1_000_000 - age))
    return path


def test_a_job_goes_on_from_its_newest_complete_checkpoint_or_savepoint(tmp_path: Path) -> None:
    checkpoint(tmp_path, "job-1/chk-9", age=30)
    newest = checkpoint(tmp_path, "savepoints/savepoint-1", age=20)
    checkpoint(tmp_path, "job-2/chk-1", age=10, metadata=b"")
    (tmp_path / "job-2" / "chk-2").mkdir()
    assert latest_checkpoint(tmp_path) == newest


def test_without_a_checkpoint_a_job_starts_at_the_beginning(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path / "none") is None


def test_days_are_those_of_the_zone_and_sources_are_never_idle(tmp_path: Path) -> None:
    options = configuration(Settings(run_dir=tmp_path), "Europe/London", 2, None)
    assert options["table.local-time-zone"] == "Europe/London"
    assert options["table.exec.source.idle-timeout"] == "0 ms"
    assert "execution.state-recovery.path" not in options


def test_a_restored_job_takes_its_checkpoint_over(tmp_path: Path) -> None:
    options = configuration(Settings(run_dir=tmp_path), "Europe/London", 1, tmp_path / "chk-3")
    assert options["execution.state-recovery.path"] == (tmp_path / "chk-3").as_uri()
    assert options["execution.state-recovery.claim-mode"] == "CLAIM"


@pytest.mark.parametrize(
    ("zone", "step_seconds", "parallelism", "message"),
    [
        ("Europe/Paris", 3600, 1, "zone has value 'Europe/Paris': one of Europe/London, Nowhere/Land"),
        ("Nowhere/Land", 3600, 1, "a time zone such as Europe/London"),
        ("Europe/London", 70, 1, "feature_step_seconds has value 70"),
        ("Europe/London", 12, 1, "feature_step_seconds has value 12"),
        ("Europe/London", 3600, 5, "parallelism has value 5: at most the 4 partitions"),
    ],
)
def test_unusable_arguments_are_refused_in_one_line(
    zone: str, step_seconds: int, parallelism: int, message: str
) -> None:
    with pytest.raises(StockstreamError, match=message):
        check_arguments(
            Settings(feature_step_seconds=step_seconds, partitions=4, zones=ZONES), zone, parallelism
        )


def test_state_of_another_step_is_refused_unless_everything_is_read_again(tmp_path: Path) -> None:
    keep_step(tmp_path, 3600, restoring=False)
    keep_step(tmp_path, 3600, restoring=True)
    with pytest.raises(StockstreamError, match="feature_step_seconds has value 1800: 3600 is accepted"):
        keep_step(tmp_path, 1800, restoring=True)
    keep_step(tmp_path, 1800, restoring=False)
    keep_step(tmp_path, 1800, restoring=True)


def test_a_step_of_a_whole_day_is_accepted() -> None:
    check_arguments(Settings(feature_step_seconds=86_400), "Europe/London", 1)
