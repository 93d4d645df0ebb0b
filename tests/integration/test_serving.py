"""The Serve application on a real broker: it forecasts, decides, survives a kill, refuses what is invalid."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from infra.api_tokens import Role
from infra.contracts.inventory import Position, ReorderDecision
from infra.contracts.topics import (
    ACCURACY,
    CALENDARS,
    DECISIONS,
    POSITIONS,
    PURCHASE_ORDERS,
    TOPICS,
)
from infra.errors import WaitExpired
from infra.kafka import Producer
from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, wait_until
from infra.local.tokens import issue_tokens, local_token
from infra.ray_directory import LOOPBACK_RAY
from infra.readiness import ready_file
from infra.settings import Settings
from tests.e2e.open_ports import answers_anyone, listening_ports
from tests.e2e.topic_log import decisions_of, forecasts_of, messages_of, records_of
from tests.e2e.verbs import run_verb
from tests.integration.small_shop import SKUS, SmallShop
from tests.unit.serving.records import (
    DAY_MS,
    EPOCH,
    LOCATION,
    ZONE,
)

pytestmark = pytest.mark.timeout(600)

DAYS = ["2011-09-19", "2011-09-20", "2011-09-21", "2011-09-22", "2011-09-23", "2011-09-24", "2011-09-25"]
NEXT_DAYS = ["2011-09-26", "2011-09-27", "2011-09-28", "2011-09-29", "2011-09-30", "2011-10-01", "2011-10-02"]
SECOND_EPOCH = EPOCH + 7 * DAY_MS
SCORES = len(SKUS) * (len(DAYS) + len(NEXT_DAYS) - 1 + len(NEXT_DAYS))
"""At one day all forecasts but the last day's, at seven days those of the first week."""


@pytest.fixture(scope="module")
def settings(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    run_dir = tmp_path_factory.mktemp("serving")
    api_port, metrics_port = free_ports(2)
    addresses: dict[str, Any] = {
        "bootstrap_servers": broker.bootstrap_servers,
        "api_port": api_port,
        "metrics_port": metrics_port,
        "time_zone": ZONE,
        "forecast_paths": 100,
    }
    (run_dir / "stack.json").write_text(json.dumps(addresses))
    made = Settings(run_dir=run_dir, **addresses)
    issue_tokens(run_dir, made.tokens_file)
    return made


@pytest.fixture(scope="module")
def serving(settings: Settings) -> Iterator[Component]:
    component = Component("serving", settings.run_dir)
    environment = LOOPBACK_RAY | {"STOCKSTREAM_RUN_DIR": str(settings.run_dir)}
    component.start([sys.executable, "-m", "serving.app"], environment)
    try:
        component.wait_until_ready(ready_file(settings.run_dir, "serving").exists, 180)
        yield component
    finally:
        component.stop()


@pytest.fixture(scope="module")
def shop(settings: Settings) -> Iterator[SmallShop]:
    producer = Producer(settings.bootstrap_servers)
    made = SmallShop(producer)
    made.open()
    yield made
    producer.close()


@pytest.fixture(scope="module")
def decided(serving: Component, shop: SmallShop, settings: Settings) -> dict[str, ReorderDecision]:
    """Decisions of the first epoch; a Planner is killed before the second."""
    shop.send_garbage()
    shop.close_days(DAYS, EPOCH)
    wait_until(lambda: len(decisions_of(settings)) == len(SKUS), 120, "decisions of the first epoch")
    return {each.sku: each for each in messages_of(settings, DECISIONS)}


def replica_pids(serving: Component, deployment: str) -> list[int]:
    title = f"ServeReplica:default:{deployment}".encode()
    return [pid for pid in serving.members() if title in Path(f"/proc/{pid}/cmdline").read_bytes()]


def positions_at(settings: Settings, as_of_ms: int) -> list[Position]:
    return [each for each in messages_of(settings, POSITIONS) if each.as_of_ms == as_of_ms]


def get(settings: Settings, path: str, role: Role | None = "viewer") -> tuple[int, object]:
    headers = {"Authorization": f"Bearer {local_token(settings.run_dir, role)}"} if role else {}
    request = Request(f"http://{settings.api_host}:{settings.api_port}{path}", headers=headers)
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_every_sku_is_forecast_daily_and_decided_at_the_review(
    decided: dict[str, ReorderDecision], settings: Settings
) -> None:
    assert set(decided) == set(SKUS)
    assert {each.epoch_ms for each in decided.values()} == {EPOCH}
    assert {each.status for each in decided.values()} <= {"order", "no_order"}
    assert len(forecasts_of(settings)) == len(SKUS) * len(DAYS)
    assert sum(float(each.cost.amount) for each in decided.values()) <= 200


def test_with_no_model_the_fallback_serves_and_the_decision_says_so(
    decided: dict[str, ReorderDecision],
) -> None:
    assert {each.forecaster for each in decided.values()} == {"empirical_56_open_days"}
    for decision in decided.values():
        assert "FORECAST_FALLBACK" in [step.reason for step in decision.adjustments]


def test_the_api_answers_from_the_topics_and_says_what_it_lacks(
    decided: dict[str, ReorderDecision], settings: Settings
) -> None:
    wait_until(lambda: get(settings, "/readyz", role=None)[0] == 200, 60, "the application ready")
    decision_id = decided["S1"].decision_id
    wait_until(lambda: get(settings, f"/v1/decisions/{decision_id}")[0] == 200, 30, "the decision")

    assert get(settings, f"/v1/decisions/{decision_id}") == (200, decided["S1"].model_dump(mode="json"))
    assert get(settings, f"/v1/forecasts/{LOCATION}/S1")[0] == 200
    assert get(settings, f"/v1/positions/{LOCATION}/S1")[0] == 200
    status, problem = get(settings, "/v1/decisions/unknown")
    assert (status, problem) == (
        404, {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no decision unknown"},
    )  # fmt: skip
    assert get(settings, "/v1/decisions", role=None)[0] == 401


def test_invalid_records_become_dead_letters_once_with_a_reason(
    decided: dict[str, ReorderDecision], settings: Settings
) -> None:
    for topic in (PURCHASE_ORDERS, CALENDARS):
        (letter,) = records_of(settings, TOPICS[topic].dead_letters)
        headers = dict(letter.headers)
        assert letter.value == b"\xff not JSON"
        assert (headers["source_topic"], headers["source_partition"]) == (topic.encode(), b"1")
        assert headers["reason"]


def test_a_killed_planner_and_evaluator_come_back_and_nothing_is_done_twice(
    decided: dict[str, ReorderDecision], serving: Component, shop: SmallShop, settings: Settings
) -> None:
    before = decisions_of(settings)
    killed = [pid for name in ("Planner", "Evaluator") for pid in replica_pids(serving, name)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    shop.close_days(NEXT_DAYS, SECOND_EPOCH)
    wait_until(lambda: len(decisions_of(settings)) == 2 * len(SKUS), 120, "decisions of the second epoch")

    after = decisions_of(settings)
    assert {made_id: after[made_id] for made_id in before} == before
    assert len(records_of(settings, DECISIONS)) == len(after)
    assert not set(killed) & set(replica_pids(serving, "Planner"))
    wait_until(lambda: len(messages_of(settings, ACCURACY)) >= SCORES, 120, "scores of matured forecasts")
    scored = [(each.sku, each.origin_ms, each.horizon_days) for each in messages_of(settings, ACCURACY)]
    assert len(scored) == len(set(scored)) == SCORES
    assert len(records_of(settings, TOPICS[PURCHASE_ORDERS].dead_letters)) == 1
    wait_until(lambda: len(positions_at(settings, SECOND_EPOCH)) >= len(SKUS), 120, "positions")
    assert sorted(each.sku for each in positions_at(settings, SECOND_EPOCH)) == sorted(SKUS)


def test_a_fresh_process_reproduces_every_decision(
    decided: dict[str, ReorderDecision], settings: Settings
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serving.replay"],
        env={**os.environ, "STOCKSTREAM_RUN_DIR": str(settings.run_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "decisions reproduced exactly" in done.stdout


def test_a_published_forecast_is_explained_from_the_topics(
    decided: dict[str, ReorderDecision], settings: Settings
) -> None:
    found = json.loads(run_verb(settings.run_dir, "explain", "--sku", "S3", "--json"))
    explanation = found["explanation"]

    assert (found["forecaster"], found["same_context"]) == ("empirical_56_open_days", True)
    assert found["fallback_reason"].startswith("no panel")
    assert explanation["forecast"] > 0
    assert explanation["forecast"] == pytest.approx(
        explanation["reference"] + sum(explanation["contributions"].values())
    )


def test_nothing_of_it_listens_to_other_machines(
    decided: dict[str, ReorderDecision], serving: Component
) -> None:
    ports = listening_ports(serving.members())

    assert replica_pids(serving, "Planner")
    assert [port for port, is_open in ports.items() if is_open] == []


@pytest.mark.parametrize("path", ["/api/jobs/", "/api/version", "/api/serve/applications/"])
def test_ray_answers_nobody_without_its_token(
    path: str, decided: dict[str, ReorderDecision], serving: Component
) -> None:
    assert [port for port in listening_ports(serving.members()) if answers_anyone(port, path)] == []


def test_declared_metrics_are_exposed(decided: dict[str, ReorderDecision], settings: Settings) -> None:
    wanted = [
        "consumer_lag_records",
        "event_time_seconds",
        "last_poll_seconds",
        "rebuild_seconds",
        "records_total",
        "published_total",
        "last_epoch_seconds",
        "waiting_seconds",
        "forecasts_total",
        "fallback_share",
        "open_retrain_requests",
        "forecast_seconds",
        "forecast_coverage",
        "forecast_pinball_ratio",
        "forecast_bias_ratio",
        "scores_total",
        "fill_rate_ratio",
        "in_stock_ratio",
        "items",
        "stock_value",
        "proposals_total",
        "epoch_seconds",
        "decisions_total",
        "decision_reasons_total",
        "allocations_total",
        "allocation_seconds",
    ]

    def missing() -> set[str]:
        with urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=30) as answer:
            types = re.findall(r"^# TYPE ray_stockstream_(\w+)", answer.read().decode(), re.MULTILINE)
        return set(wanted) - set(types)

    with suppress(WaitExpired):
        wait_until(lambda: not missing(), 60, "the application's metrics")
    assert missing() == set()


def test_it_stops_cleanly_on_sigterm(
    decided: dict[str, ReorderDecision], serving: Component, settings: Settings
) -> None:
    leader = serving.pid()
    assert leader is not None
    os.kill(leader, signal.SIGTERM)

    wait_until(lambda: not serving.members(), 60, "every process of the application ended")
    assert not ready_file(settings.run_dir, "serving").exists()
