from pathlib import Path

from infra.readiness import announce_ready, ready_file


def test_a_component_is_ready_once_it_says_so(tmp_path: Path) -> None:
    assert not ready_file(tmp_path, "serving").exists()

    announce_ready(tmp_path, "serving")

    assert ready_file(tmp_path, "serving").exists()
    assert not ready_file(tmp_path, "features").exists()
