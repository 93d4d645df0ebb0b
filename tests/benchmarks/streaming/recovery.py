"""What 20 kills of the unbounded features job cost: rows lost, said twice, or said differently."""

import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, measured
from tests.integration.recovery_run import Outcome, run_with_kills

KILLS = 20
SEED = 20111028
_HOW = (
    "SIGKILL of the whole job at seeded random moments while a simulated shop goes on sending, restored from "
    "its latest checkpoint (1 s apart), checked against a plain sum over what was sent; {final_rows} final "
    "rows, {records} records"
)


def figures() -> list[Figure]:
    """Measures both guarantees: final rows, dead letters and archived records lost, repeated, differing."""
    modes = {"at_least_once": (), "exactly_once": ("--exactly-once",)}
    return [figure for mode, options in modes.items() for figure in _figures(mode, _outcome(*options))]


def _outcome(*options: str) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return run_with_kills(Path(folder), SEED, KILLS, *options)


def _figures(mode: str, outcome: Outcome) -> list[Figure]:
    how = _HOW.format(final_rows=outcome.final_rows, records=outcome.records)

    def figure(name: str, value: int, unit: str, wanted: int | None = 0) -> Figure:
        goal = "reported" if wanted is None else str(wanted)
        return measured(f"recovery_{mode}_{name}", [value], unit, how, goal, lambda v: wanted in (None, v))

    repeated = 0 if mode == "exactly_once" else None
    return [
        figure("kills", outcome.kills, "kills", KILLS),
        figure("final_rows_lost", outcome.rows_lost, "rows"),
        figure("final_rows_wrong", outcome.rows_wrong, "rows"),
        figure("rows_repeated", outcome.rows_repeated, "rows", repeated),
        figure("repeated_rows_differing", outcome.rows_differing, "rows"),
        figure("dead_letters_lost", outcome.letters_lost, "records"),
        figure("dead_letters_repeated", outcome.letters_repeated, "records", repeated),
        figure("repeated_dead_letters_differing", outcome.letters_differing, "records"),
        figure("archived_records_lost", outcome.archive_lost, "records"),
        figure("archived_records_repeated", outcome.archive_repeated, "records", None),
    ]
