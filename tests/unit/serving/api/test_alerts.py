from collections.abc import Iterator
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
from tests.unit.serving.api.small_prometheus import SmallPrometheus, active, small_prometheus

PENDING = active("TargetDown", "pending", "page", "2026-01-05T09:00:00.123456789Z")
TICKET = active("Unheard", "firing", "ticket", "2026-01-05T08:00:00Z")
PAGE = active("BrokerDown", "firing", "page", "2026-01-05T10:00:00Z")


@pytest.fixture
def prometheus() -> Iterator[SmallPrometheus]:
    with small_prometheus() as served:
        served.alerts = [PENDING, TICKET, PAGE]
        yield served


def watching(folder: Path, monitoring: Monitoring) -> TestClient:
    http = build_api(Board(), Holders(tokens_file(folder)), lambda: [], refuse, monitoring)
    return TestClient(http, headers=signed_in("viewer"), raise_server_exceptions=False)


def test_what_fires_and_gets_people_up_comes_first(tmp_path: Path, prometheus: SmallPrometheus) -> None:
    answer = watching(tmp_path, Monitoring(prometheus.url)).get("/v1/alerts").json()

    assert answer["watched"]
    assert [each["name"] for each in answer["items"]] == ["BrokerDown", "Unheard", "TargetDown"]
    broker = answer["items"][0]
    assert (broker["severity"], broker["summary"]) == ("page", "BrokerDown is on")
    assert broker["since_ms"] == 1767607200000
    assert broker["runbook_url"] == "infra/runbook.md#brokerdown"
    assert broker["runbook"].startswith("**Means.** A Kafka broker answers no scrape.")
    assert answer["items"][1]["runbook"] is None


def test_without_a_prometheus_nothing_is_watched_and_that_is_said(tmp_path: Path) -> None:
    answer = (
        watching(tmp_path, Monitoring(grafana_link="https://grafana.example.com")).get("/v1/alerts").json()
    )

    assert (answer["watched"], answer["items"]) == (False, [])
    assert (answer["grafana_link"], answer["prometheus_link"]) == ("https://grafana.example.com", None)


def test_a_prometheus_that_does_not_answer_is_not_taken_for_quiet(
    tmp_path: Path, prometheus: SmallPrometheus
) -> None:
    prometheus.is_well = False
    for url in (prometheus.url, "http://127.0.0.1:1"):
        answer = watching(tmp_path, Monitoring(url)).get("/v1/alerts")

        assert answer.status_code == 503
        assert f"{url} does not answer" in answer.json()["detail"]


def test_every_alert_of_the_project_has_a_section_in_the_runbook() -> None:
    assert {each.name for each in ALERTS} <= sections().keys()
