"""Which TCP ports of some processes other machines could reach."""

import os
from pathlib import Path

_LISTENING = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def ports_open_to_others(pids: list[int]) -> set[int]:
    """Listening ports that are bound to more than the loopback interface."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    rows = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    listening = [row for row in rows if row[3] == _LISTENING and row[9] in inodes]
    bound = [row[1].split(":") for row in listening]
    return {int(port, 16) for address, port in bound if not address.endswith(_LOOPBACK)}


def _socket_inodes(pid: int) -> list[str]:
    inodes = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.append(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def is_serve_replica(pid: int) -> bool:
    """Ray Serve binds each replica's internal port to all interfaces, whatever it is told."""
    title = Path(f"/proc/{pid}/cmdline").read_text().lower().replace("_", "")
    return "servereplica" in title
