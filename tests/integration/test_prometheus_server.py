import json
from pathlib import Path
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from infra.local.broker import free_ports
from infra.local.processes import wait_until
from infra.local.prometheus_server import PrometheusServer


def query(port: int, expression: str) -> list[str]:
    with urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={expression}", timeout=5) as response:
        answer = json.load(response)
    return [series["value"][1] for series in answer["data"]["result"]]


def test_prometheus_scrapes_the_stack_and_applies_its_rules(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    Gauge("stockstream_lamps", "lamps in stock", registry=registry).set(7)
    told = Gauge("ray_stockstream_event_time_seconds", "", ["topic"], registry=registry)
    told.labels("shop.clickstream.v1").set(1)
    web, metrics = free_ports(2)
    exposing, thread = start_http_server(metrics, "127.0.0.1", registry)
    server = PrometheusServer(tmp_path)

    server.start(web, {"features": metrics})
    wait_until(lambda: query(web, "stockstream_lamps") == ["7"], 30, "the first scrape")
    wait_until(lambda: query(web, "count(stockstream:shop_clock:seconds)") == ["1"], 30, "the first rule")
    server.component.stop()

    exposing.shutdown()
    exposing.server_close()
    thread.join()
    assert server.component.members() == []
