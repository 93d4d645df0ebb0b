"""The unbounded job killed and restored, at least once, then upgraded by savepoint to exactly once."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.recovery_run import Outcome, recovery_run

SEED = 20111028


@dataclass(frozen=True)
class Upgrade:
    """What a run left in all, what since its upgrade, and the events sent beyond the bound."""

    whole: Outcome
    after: Outcome
    overdue: int


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    """A kill at least once; a stop with a savepoint, from which a changed job goes on; a kill of that."""
    with recovery_run(tmp_path_factory.mktemp("recovery"), SEED) as run:
        run.job.start()
        run.kill_at_random()
        run.job.start()
        run.wait_for_news()
        run.job.stop()
        upgraded_at = run.ends()
        run.job.start("--exactly-once", "--parallelism", "2")
        run.kill_at_random()
        run.job.start("--exactly-once", "--parallelism", "2")
        run.shop.is_overdue = True
        run.wait_for_news()
        run.finish()
        yield Upgrade(run.outcome(), run.outcome(upgraded_at), run.shop.overdue)


def test_no_final_row_is_lost_and_each_equals_a_plain_sum_over_the_log(upgrade: Upgrade) -> None:
    assert upgrade.whole.kills == 2
    assert upgrade.overdue > 0
    assert upgrade.whole.final_rows >= 12
    assert (upgrade.whole.rows_lost, upgrade.whole.rows_wrong) == (0, 0)


def test_every_record_is_archived_and_every_refused_one_is_a_dead_letter(upgrade: Upgrade) -> None:
    assert upgrade.whole.records > 300
    assert (upgrade.whole.archive_lost, upgrade.whole.letters_lost) == (0, 0)


def test_what_a_restart_repeats_it_repeats_byte_for_byte(upgrade: Upgrade) -> None:
    assert (upgrade.whole.rows_differing, upgrade.whole.letters_differing) == (0, 0)


def test_with_exactly_once_committed_readers_see_nothing_twice_not_even_across_the_upgrade(
    upgrade: Upgrade,
) -> None:
    assert (upgrade.after.rows_repeated, upgrade.after.letters_repeated) == (0, 0)
