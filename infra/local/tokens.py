"""`stockstream token`: the API tokens of a local stack, one per role, readable by its owner only."""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from infra.api_tokens import ROLES, Role, token_digest
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)


def issue_tokens(run_dir: Path, tokens_file: Path) -> None:
    """Makes a token per role, unless the stack has a tokens file already."""
    if tokens_file.exists():
        return
    tokens = {role: secrets.token_urlsafe(32) for role in ROLES}
    for role, token in tokens.items():
        _write_private(_token_file(run_dir, role), token)
    holders = [
        {"name": f"local-{role}", "role": role, "sha256": token_digest(token)}
        for role, token in tokens.items()
    ]
    _write_private(tokens_file, json.dumps(holders, indent=1))


def local_token(run_dir: Path, role: Role) -> str:
    """The token of a role.

    Raises:
        StockstreamError: the run directory has none.
    """
    try:
        return _token_file(run_dir, role).read_text()
    except FileNotFoundError:
        raise StockstreamError(f"no tokens in {run_dir}; 'stockstream up' makes them") from None


def _token_file(run_dir: Path, role: Role) -> Path:
    return run_dir / "tokens" / role


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)


@app.command()
def token(role: Annotated[str, typer.Argument(help=f"one of {', '.join(ROLES)}")] = "planner") -> None:
    """Print the local stack's token of a role, to sign in to the console or for `curl`."""
    for known in ROLES:
        if role == known:
            print(local_token(load_settings().run_dir, known))
            return
    raise StockstreamError(f"role has value {role!r}: one of {', '.join(ROLES)} is accepted")


if __name__ == "__main__":
    exit_with_message(app)
