"""`make bench-X`: runs every part of benchmark X in a process of its own and writes `.run/bench/X.json`.

A part is a module `tests/benchmarks/X/*.py` with `figures() -> list[Figure]`. What has been measured for this
commit is not measured again; the report says of each figure which commit it is of.
"""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import StockstreamError, exit_with_message
from infra.local.verify import ROOT, current_commit
from tests.benchmarks.figures import Figure, read_report, write_report

BENCHMARKS = Path(__file__).parent
RESULTS = ROOT / ".run" / "bench"

app = typer.Typer(add_completion=False, help=__doc__)


def parts_of(benchmark: str) -> list[str]:
    """Names of a benchmark's parts, in order."""
    modules = (BENCHMARKS / benchmark).glob("*.py")
    return sorted(module.stem for module in modules if "def figures()" in module.read_text())


def _result(benchmark: str, part: str) -> Path:
    return RESULTS / "parts" / benchmark / f"{part}.json"


def _is_current(result: Path) -> bool:
    """Whether a part was measured for this commit; a working tree with changes never was."""
    commit = current_commit()
    return result.exists() and all(
        figure.commit == commit and not commit.endswith("+changes") for figure in read_report(result)
    )


def _table(figures: list[Figure]) -> str:
    rows = (
        f"{figure.id:44} {figure.value:>14,.4g} {figure.unit:12} {'met' if figure.met else 'MISSED':7}"
        f"{figure.goal} ({figure.repeats}x, {figure.spread[0]:,.4g} to {figure.spread[1]:,.4g})"
        for figure in figures
    )
    return "\n".join(rows)


@app.command()
def main(
    benchmark: Annotated[str, typer.Argument(help="name of the benchmark, such as streaming")],
    parts: Annotated[list[str] | None, typer.Argument(help="its parts; all of them if none is named")] = None,
    part_here: Annotated[
        bool, typer.Option("--here", help="run one part in this process", hidden=True)
    ] = False,
) -> None:
    """Run a benchmark, or the parts named, and print its figures."""
    known = parts_of(benchmark)
    wanted = parts or known
    if unknown := set(wanted) - set(known):
        raise StockstreamError(f"no part {sorted(unknown)[0]!r}; there are: {', '.join(known) or 'none'}")
    if part_here:
        module = importlib.import_module(f"tests.benchmarks.{benchmark}.{wanted[0]}")
        write_report(_result(benchmark, wanted[0]), module.figures())
        return
    for part in wanted:
        if _is_current(_result(benchmark, part)):
            print(f"{part}: measured before for this commit", flush=True)
        else:
            print(f"{part}: measuring", flush=True)
            command = [sys.executable, "-m", "tests.benchmarks.run", benchmark, part, "--here"]
            if subprocess.run(command, cwd=ROOT).returncode:
                raise StockstreamError(f"{part} of benchmark {benchmark} failed; what is measured is kept")
        print(_table(read_report(_result(benchmark, part))), flush=True)
    done = [part for part in known if _result(benchmark, part).exists()]
    figures = [figure for part in done for figure in read_report(_result(benchmark, part))]
    write_report(RESULTS / f"{benchmark}.json", figures)
    print(f"{len(figures)} figures of {len(done)} of {len(known)} parts: {RESULTS / f'{benchmark}.json'}")


if __name__ == "__main__":
    exit_with_message(app)
