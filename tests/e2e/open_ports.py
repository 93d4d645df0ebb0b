"""Which TCP ports of some processes other machines could reach, and which answer to anyone."""

import os
import ssl
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

_LISTENING = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def listening_ports(pids: list[int]) -> dict[int, bool]:
    """Every port that the processes listen on, and whether it is bound to more than loopback."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    rows = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    listening = [row for row in rows if row[3] == _LISTENING and row[9] in inodes]
    bound = [row[1].split(":") for row in listening]
    return {int(port, 16): not address.endswith(_LOOPBACK) for address, port in bound}


def ports_open_to_others(pids: list[int]) -> set[int]:
    """Listening ports that are bound to more than the loopback interface."""
    return {port for port, is_open in listening_ports(pids).items() if is_open}


def answers_anyone(port: int, path: str) -> bool:
    """Whether a loopback port gives JSON over HTTP or HTTPS to a client without certificate or token.

    Pages of metrics, which are text, answer any path.
    """
    return any(_serves(f"{scheme}://127.0.0.1:{port}{path}") for scheme in ("http", "https"))


def _serves(url: str) -> bool:
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    try:
        with urlopen(url, timeout=5, context=anyone) as answer:
            return bool(answer.headers.get_content_type() == "application/json")
    except (OSError, HTTPException):
        return False


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
