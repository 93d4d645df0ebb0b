"""20 kills of the unbounded features job at random moments: nothing lost, nothing said twice differently."""

import secrets
from pathlib import Path

import pytest

from tests.integration.recovery_run import run_with_kills

KILLS = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("options", [(), ("--exactly-once",)], ids=["at-least-once", "exactly-once"])
def test_after_20_kills_nothing_is_lost_and_nothing_differs(options: tuple[str, ...], tmp_path: Path) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    outcome = run_with_kills(tmp_path, seed, KILLS, *options)
    print(outcome)
    assert outcome.kills == KILLS
    assert min(outcome.final_rows, outcome.records) > 100
    assert (outcome.rows_lost, outcome.rows_wrong, outcome.rows_differing) == (0, 0, 0)
    assert (outcome.letters_lost, outcome.letters_differing, outcome.archive_lost) == (0, 0, 0)
    if options:
        assert (outcome.rows_repeated, outcome.letters_repeated) == (0, 0)
