"""Keeps the internal port of a Ray Serve replica to the loopback interface.

Serve opens a port in every replica, on all interfaces, that unpickles whatever it is sent, and has no setting
for the address (ray 2.60, `ray/serve/_private/replica.py`). The proxy, on the same machine, passes requests
on by it. Tests look at every port of the stack.
"""

from importlib import import_module
from typing import Any

_EVERYWHERE, _LOOPBACK = "[::]:", "127.0.0.1:"


def keep_port_on_loopback() -> None:
    """Called once in a replica, before its constructor ends: Serve opens the port after that."""
    replica: Any = import_module("ray.serve._private.replica")
    add_port = replica.add_port_to_grpc_server

    def add_loopback_port(server: Any, address: str) -> int:
        return int(add_port(server, address.replace(_EVERYWHERE, _LOOPBACK)))

    replica.add_port_to_grpc_server = add_loopback_port
