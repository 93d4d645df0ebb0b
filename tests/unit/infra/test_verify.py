import json
from pathlib import Path

from infra.local.verify import verify

CHECKS = [Path("tests/verify/test_kill_storm.py"), Path("tests/verify/test_long_replay.py")]


def test_what_has_passed_for_this_commit_is_not_run_again(tmp_path: Path) -> None:
    ran: list[str] = []

    def run(check: Path) -> bool:
        ran.append(check.stem)
        return check.stem == "test_kill_storm"

    assert verify(CHECKS, tmp_path, "a1b2", run) == ["long_replay"]
    assert verify(CHECKS, tmp_path, "a1b2", run) == ["long_replay"]

    assert ran == ["test_kill_storm", "test_long_replay", "test_long_replay"]


def test_another_commit_is_checked_anew(tmp_path: Path) -> None:
    ran: list[Path] = []

    def run(check: Path) -> bool:
        ran.append(check)
        return True

    verify(CHECKS, tmp_path, "a1b2", run)
    verify(CHECKS, tmp_path, "c3d4", run)

    assert len(ran) == 4


def test_a_changed_working_tree_is_always_checked(tmp_path: Path) -> None:
    ran: list[Path] = []

    def run(check: Path) -> bool:
        ran.append(check)
        return True

    verify(CHECKS, tmp_path, "a1b2+changes", run)
    verify(CHECKS, tmp_path, "a1b2+changes", run)

    assert len(ran) == 4


def test_a_result_names_the_check_the_commit_and_the_machine(tmp_path: Path) -> None:
    verify(CHECKS[:1], tmp_path, "a1b2", lambda check: True)

    result = json.loads((tmp_path / "kill_storm.json").read_text())
    assert (result["name"], result["passed"], result["commit"]) == ("kill_storm", True, "a1b2")
    assert result.keys() == {"name", "passed", "seconds", "commit", "machine", "when"}
