from pathlib import Path

import pytest

from infra.readiness import mark_ready, ready_file


def test_a_component_is_ready_only_while_it_works(tmp_path: Path) -> None:
    file = ready_file(tmp_path, "serving")
    assert not file.exists()

    with mark_ready(tmp_path, "serving"):
        assert file.exists()

    assert not file.exists()


def test_a_component_that_fails_is_no_longer_ready(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"), mark_ready(tmp_path, "serving"):
        raise OSError("disk full")

    assert not ready_file(tmp_path, "serving").exists()
