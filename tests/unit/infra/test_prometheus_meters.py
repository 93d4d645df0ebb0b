import socket
from urllib.request import urlopen

import pytest

from infra.errors import StockstreamError
from infra.local.broker import free_ports
from infra.prometheus_meters import PrometheusMeters, exposed


def test_what_is_recorded_is_exposed_on_the_given_port() -> None:
    (port,) = free_ports(1)
    meters = PrometheusMeters()
    meters.record("stockstream_heartbeats_total")
    meters.record("stockstream_heartbeats_total")
    meters.record("stockstream_items", 3, stock="out")
    meters.record("stockstream_epoch_seconds", 0.3)

    with exposed(meters, "127.0.0.1", port), urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()

    assert "stockstream_heartbeats_total 2.0" in lines
    assert 'stockstream_items{stock="out"} 3.0' in lines
    assert 'stockstream_epoch_seconds_bucket{le="0.5"} 1.0' in lines
    assert not any("stockstream_allocation_seconds" in line for line in lines)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(StockstreamError, match=f"127.0.0.1:{port}: Address already in use"),
            exposed(PrometheusMeters(), "127.0.0.1", port),
        ):
            pass
