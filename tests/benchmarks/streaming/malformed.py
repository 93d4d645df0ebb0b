"""100,000 malformed messages among as many good ones through the live features job."""

import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, measured
from tests.integration.malformed_run import MalformedOutcome, run_malformed

MESSAGES = 100_000
_HOW = (
    "{malformed} malformed clicks and stock levels of {kinds} kinds, one to one with good ones (simulated), "
    "sent to the running unbounded job; dead letters compared with the records they name, good ones with "
    "final rows and the archive"
)


def figures() -> list[Figure]:
    """Measures the share dead-lettered, wrong reasons and places, good messages lost, and restarts."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_malformed(Path(folder), MESSAGES)
    how = _HOW.format(malformed=outcome.malformed, kinds=outcome.kinds)
    letters = 100 * (1 - sum(outcome.not_refused.values()) / outcome.malformed)
    share = measured("malformed_dead_lettered", [letters], "%", how, "100 %", lambda v: v == 100)
    kinds = measured("malformed_kinds", [outcome.kinds], "kinds", how, ">= 40", lambda v: v >= 40)
    return [kinds, share, *(_none(name, value, how) for name, value in _faults(outcome).items())]


def _faults(outcome: MalformedOutcome) -> dict[str, int]:
    return {
        "reasons_wrong": len(outcome.wrong_reason),
        "source_offsets_wrong": outcome.wrong_place,
        "dead_letters_repeated": outcome.repeated,
        "good_refused": outcome.good_refused,
        "good_lost": outcome.good_lost,
        "restarts": outcome.restarts,
    }


def _none(name: str, value: int, how: str) -> Figure:
    return measured(f"malformed_{name}", [value], "", how, "0", lambda v: v == 0)
