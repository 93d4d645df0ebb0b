"""What people look at: every panel of every dashboard has an answer."""

import json
import re
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from infra.grafana.board import Query
from infra.grafana.dashboards import BOARDS
from infra.local.processes import wait_until
from infra.local.stack import Stack
from tests.promql import ENGINE_METRICS, names_in

pytestmark = pytest.mark.timeout(1200)

ONLY_AFTER_TROUBLE = {
    "ray_stockstream_conflicts_total",
    "ray_stockstream_deadlines_total",
    "ray_stockstream_revisions_total",
    "ray_stockstream_unreadable_total",
}
"""Counters that a run without trouble never touches; test_metrics.py shows that the code does."""

QUERIES = [
    (board.uid, panel.title, query) for board in BOARDS for panel in board.panels for query in panel.queries
]


def ask(stack: Stack, expression: str) -> list[dict[str, Any]]:
    question = urlencode({"query": expression})
    port = stack.addresses()["prometheus_port"]
    with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{question}", timeout=10) as response:
        return list(json.load(response)["data"]["result"])


@pytest.fixture(scope="module")
def watched(undisturbed: Stack) -> Stack:
    """The stack after its API was asked; Prometheus has seen it."""
    settings = undisturbed.settings()

    def requests_are_counted() -> bool:
        urlopen(f"http://{settings.api_host}:{settings.api_port}/healthz", timeout=10).close()
        return bool(ask(undisturbed, "rate(ray_serve_num_http_requests_total[1m]) > 0"))

    wait_until(requests_are_counted, 60, "API requests among the metrics")
    return undisturbed


@pytest.mark.parametrize("name", sorted(ENGINE_METRICS))
def test_the_engines_export_what_rules_and_panels_read(watched: Stack, name: str) -> None:
    assert ask(watched, name)


@pytest.mark.parametrize(("board", "title", "query"), QUERIES)
def test_every_panel_has_an_answer(watched: Stack, board: str, title: str, query: Query) -> None:
    expression = re.sub(r"\$__\w+", "1m", query.expression)

    assert ask(watched, expression)
    for name in names_in(expression) - ONLY_AFTER_TROUBLE - {"ALERTS"}:
        assert ask(watched, name), name
