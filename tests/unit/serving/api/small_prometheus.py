"""A server that answers with alerts as Prometheus does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass
class SmallPrometheus:
    """Its address, the alerts it answers with, and whether it is well enough to answer."""

    url: str
    alerts: list[dict[str, object]] = field(default_factory=list)
    is_well: bool = True


def active(name: str, state: str, severity: str, at: str) -> dict[str, object]:
    return {
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": f"{name} is on", "runbook_url": f"infra/runbook.md#{name.lower()}"},
        "state": state,
        "activeAt": at,
        "value": "1e+00",
    }


@contextmanager
def small_prometheus() -> Iterator[SmallPrometheus]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = served.is_well and self.path == "/api/v1/alerts"
            self.send_response(200 if known else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "success", "data": {"alerts": served.alerts}}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    served = SmallPrometheus(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
