"""`make verify`: the long checks, one result file each; what has passed for this commit is not run again."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import StockstreamError, exit_with_message

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "tests" / "verify"
RESULTS = ROOT / ".run" / "verify"


@dataclass(frozen=True)
class Result:
    """Outcome of one check; `when` is the UTC time of its end, ISO 8601."""

    name: str
    passed: bool
    seconds: float
    commit: str
    machine: str
    when: str


def verify(checks: list[Path], results: Path, commit: str, run: Callable[[Path], bool]) -> list[str]:
    """Runs the checks that have not passed for this commit and writes `<results>/<name>.json` after each.

    Args:
        checks: test files.
        results: folder of the result files.
        commit: what is checked; a working tree with changes (`+changes`) counts as never checked.
        run: runs one test file; whether it passed.

    Returns:
        Names of the checks that failed.
    """
    failed = []
    results.mkdir(parents=True, exist_ok=True)
    for check in checks:
        name = check.stem.removeprefix("test_")
        file = results / f"{name}.json"
        if has_passed(file, commit):
            print(f"{name}: passed before for {commit[:12]}")
            continue
        began = time.monotonic()
        passed = run(check)
        seconds = round(time.monotonic() - began, 1)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        result = Result(name, passed, seconds, commit, machine(), when)
        file.write_text(json.dumps(asdict(result), indent=2) + "\n")
        print(f"{name}: {'passed' if passed else 'FAILED'} in {seconds} s")
        if not passed:
            failed.append(name)
    return failed


def has_passed(file: Path, commit: str) -> bool:
    """Whether the result file records success for exactly this commit."""
    if commit.endswith("+changes") or not file.exists():
        return False
    result = json.loads(file.read_text())
    return bool(result["passed"] and result["commit"] == commit)


def machine() -> str:
    """The machine in words: system, processor type, cores, memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def current_commit() -> str:
    """Hash of the checked-out commit, with `+changes` when the working tree differs from it."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}+changes" if _git("status", "--porcelain") else commit


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.strip()


def _run_pytest(check: Path) -> bool:
    return (
        subprocess.run([sys.executable, "-m", "pytest", "-q", str(check)], cwd=ROOT, check=False).returncode
        == 0
    )


def main() -> None:
    """Runs every check in tests/verify, or those named as arguments."""
    wanted = sys.argv[1:]
    checks = {check.stem.removeprefix("test_"): check for check in sorted(CHECKS.glob("test_*.py"))}
    if unknown := set(wanted) - set(checks):
        raise StockstreamError(f"no check {sorted(unknown)[0]!r}; there are: {', '.join(checks) or 'none'}")
    chosen = [checks[name] for name in wanted or checks]
    if failed := verify(chosen, RESULTS, current_commit(), _run_pytest):
        raise StockstreamError(f"{len(failed)} of {len(chosen)} checks failed: {', '.join(failed)}")
    print(f"{len(chosen)} checks passed; results in {RESULTS}")


if __name__ == "__main__":
    exit_with_message(main)
