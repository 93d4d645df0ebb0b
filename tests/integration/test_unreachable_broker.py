"""Without a broker every verb that needs one says so in one line."""

import os
import subprocess
import sys

import pytest

from infra.local.broker import free_ports


@pytest.mark.parametrize("module", ["serving.replay", "infra.heartbeat"])
def test_a_verb_without_a_broker_names_the_address_in_one_line(module: str) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"

    done = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, "STOCKSTREAM_BOOTSTRAP_SERVERS": address},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: no Kafka broker answers at {address}")
    assert "Traceback" not in done.stderr
