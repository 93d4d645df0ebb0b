"""What the kernel says about running processes (Linux: /proc)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessEntry:
    """One live process.

    Attributes:
        start_ticks: kernel ticks from boot to its start; with the pid it names a process for good.
    """

    pid: int
    session: int
    start_ticks: int


def live_processes() -> Iterator[ProcessEntry]:
    """Every process that can still run; one that has ended and waits to be collected is not live."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (entry := find_process(int(folder.name))):
            yield entry


def find_process(pid: int) -> ProcessEntry | None:
    """The live process with this pid, if any."""
    try:
        # The second field, the command name in brackets, may itself hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":
        return None
    return ProcessEntry(pid, int(fields[3]), int(fields[19]))


def is_marked(pid: int, mark: str) -> bool:
    """Whether the process was started with `mark`, a `NAME=value`, in its environment."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def memory_share_bytes(pid: int) -> int:
    """Memory the process holds, a page shared by n processes counted as 1/n; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
