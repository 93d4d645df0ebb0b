import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from infra.prometheus.rules import ALERTS
from infra.runbook import sections
from serving.api.access import Holders
from serving.api.alerts import Monitoring
from serving.api.application import build_api
from serving.board.board import Board
from tests.unit.serving.api.small_api import refuse, signed_in, tokens_file


def active(name: str, state: str, severity: str, at: str) -> dict[str, object]:
    return {
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": f"{name} is on", "runbook_url": f"https://runbooks.example.com#{name}"},
        "state": state,
        "activeAt": at,
        "value": "1e+00",
    }


PENDING = active("TargetDown", "pending", "page", "2026-01-05T09:00:00.123456789Z")
TICKET = active("Unheard", "firing", "ticket", "2026-01-05T08:00:00Z")
PAGE = active("BrokerDown", "firing", "page", "2026-01-05T10:00:00Z")


@pytest.fixture
def prometheus() -> Iterator[str]:
    """A server that answers as Prometheus does."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            alerts = [PENDING, TICKET, PAGE] if self.path == "/api/v1/alerts" else []
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "success", "data": {"alerts": alerts}}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def watching(folder: Path, monitoring: Monitoring) -> TestClient:
    http = build_api(Board(), Holders(tokens_file(folder)), lambda: [], refuse, monitoring)
    return TestClient(http, headers=signed_in("viewer"), raise_server_exceptions=False)


def test_what_fires_and_gets_people_up_comes_first(tmp_path: Path, prometheus: str) -> None:
    answer = watching(tmp_path, Monitoring(prometheus)).get("/v1/alerts").json()

    assert answer["watched"]
    assert [each["name"] for each in answer["items"]] == ["BrokerDown", "Unheard", "TargetDown"]
    broker = answer["items"][0]
    assert (broker["severity"], broker["summary"]) == ("page", "BrokerDown is on")
    assert broker["since_ms"] == 1767607200000
    assert broker["runbook_url"] == "https://runbooks.example.com#BrokerDown"
    assert broker["runbook"].startswith("**Means.** A Kafka broker answers no scrape.")
    assert answer["items"][1]["runbook"] is None


def test_without_a_prometheus_nothing_is_watched_and_that_is_said(tmp_path: Path) -> None:
    answer = (
        watching(tmp_path, Monitoring(grafana_link="https://grafana.example.com")).get("/v1/alerts").json()
    )

    assert (answer["watched"], answer["items"]) == (False, [])
    assert (answer["grafana_link"], answer["prometheus_link"]) == ("https://grafana.example.com", None)


def test_a_prometheus_that_does_not_answer_is_not_taken_for_quiet(tmp_path: Path) -> None:
    answer = watching(tmp_path, Monitoring("http://127.0.0.1:1")).get("/v1/alerts")

    assert answer.status_code == 503
    assert "http://127.0.0.1:1 does not answer" in answer.json()["detail"]


def test_every_alert_of_the_project_has_a_section_in_the_runbook() -> None:
    assert {each.name for each in ALERTS} <= sections().keys()
