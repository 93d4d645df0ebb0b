"""Peak memory of this process over a stretch of work."""

import re
import resource
from pathlib import Path


class PeakMemory:
    """Highest resident memory (MiB) between `start` and `read`; further processes do not count.

    Linux forgets the earlier peak on request; elsewhere the peak is that of the process so far.
    """

    def start(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return

    def read(self) -> float:
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return float(found[1]) / 1024 if found else float("nan")
