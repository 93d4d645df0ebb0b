import stat
from pathlib import Path

import pytest

from infra.api_tokens import ROLES, holder_of, read_holders
from infra.errors import StockstreamError
from infra.local.tokens import issue_tokens, local_token


def test_a_stack_gets_a_token_per_role_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "api-tokens.json"
    issue_tokens(tmp_path, file)

    holders = read_holders(file)
    for role in ROLES:
        token = local_token(tmp_path, role)
        holder = holder_of(token, holders)
        assert holder is not None
        assert holder.role == role
        assert token not in file.read_text()
    for written in (file, *(tmp_path / "tokens").iterdir()):
        assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_tokens_outlive_a_restart_of_the_stack(tmp_path: Path) -> None:
    file = tmp_path / "api-tokens.json"
    issue_tokens(tmp_path, file)
    before = local_token(tmp_path, "planner")

    issue_tokens(tmp_path, file)

    assert local_token(tmp_path, "planner") == before


def test_a_stack_that_was_never_started_has_no_tokens(tmp_path: Path) -> None:
    with pytest.raises(StockstreamError, match="stockstream up"):
        local_token(tmp_path, "viewer")
