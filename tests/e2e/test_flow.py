"""The slice, undisturbed: every SKU decided, every decision replayed, nothing twice, nothing lost."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from infra.contracts.codec import decode
from infra.contracts.topics import (
    ALLOCATION_RUNS,
    ARCHIVED,
    CALENDARS,
    CLICKSTREAM,
    DECISIONS,
    FORECASTS,
    ITEMS,
    PURCHASE_ORDERS,
    STOCK_LEVELS,
    TOPICS,
)
from infra.heartbeat import send_heartbeats
from infra.kafka import HEARTBEAT_KEY, Producer
from infra.local.processes import wait_until
from infra.local.stack import Stack
from infra.local.status import stack_health
from tests.e2e.open_ports import listening_ports
from tests.e2e.topic_log import (
    beginning_offsets,
    decisions_of,
    final_features_of,
    forecasts_of,
    messages_of,
    records_of,
)
from tests.e2e.verbs import DAYS, run_verb

pytestmark = pytest.mark.timeout(1200)

DAY_MS = 86_400_000
REVIEWS = [
    int(datetime(2011, month, day, tzinfo=ZoneInfo("Europe/London")).timestamp() * 1000)
    for month, day in ((9, 26), (10, 3))
]


def test_every_sku_gets_one_forecast_a_day_and_one_decision_per_epoch(undisturbed: Stack) -> None:
    settings = undisturbed.settings()
    skus = {message.sku for message in messages_of(settings, ITEMS) if message.event_type == "item"}

    decided = Counter((d.sku, d.epoch_ms) for d in messages_of(settings, DECISIONS))

    assert len(skus) == 100
    assert set(decided) == {(sku, epoch) for sku in skus for epoch in REVIEWS}
    assert len(forecasts_of(settings)) == len(skus) * DAYS


def test_decisions_come_from_the_trained_forecaster(undisturbed: Stack) -> None:
    decisions = messages_of(undisturbed.settings(), DECISIONS)

    assert {decision.forecaster for decision in decisions} == {"lstm"}
    assert any(decision.quantity > 0 for decision in decisions)


def test_the_allocation_run_of_each_epoch_covers_all_its_decisions(undisturbed: Stack) -> None:
    settings = undisturbed.settings()
    runs = {run.epoch_ms: run for run in messages_of(settings, ALLOCATION_RUNS)}

    assert set(runs) == set(REVIEWS)
    for decision in messages_of(settings, DECISIONS):
        lines = {line.decision_id: line.allocated for line in runs[decision.epoch_ms].lines}
        assert lines[decision.decision_id] == decision.quantity


def test_a_fresh_process_recomputes_every_decision_exactly(undisturbed: Stack) -> None:
    output = run_verb(undisturbed.run_dir, "replay")

    assert str(len(decisions_of(undisturbed.settings()))) in output


def test_replaying_2011_deletes_nothing_from_the_topics(undisturbed: Stack) -> None:
    offsets = beginning_offsets(undisturbed.settings(), list(ARCHIVED))

    assert set(offsets.values()) == {0}


def test_feeding_the_same_events_twice_changes_no_feature_forecast_or_decision(undisturbed: Stack) -> None:
    settings = undisturbed.settings()
    before = final_features_of(settings), forecasts_of(settings), decisions_of(settings)
    last_midnight = max(key[2] for key in before[0])
    producer = Producer(settings.bootstrap_servers)
    for topic in (ITEMS, CALENDARS, STOCK_LEVELS, PURCHASE_ORDERS, CLICKSTREAM):
        for record in records_of(settings, topic):
            if record.key != HEARTBEAT_KEY:
                producer.send_bytes(topic, record.key, record.value)
    producer.flush()

    send_heartbeats(producer, last_midnight + DAY_MS + settings.out_of_orderness_seconds * 1000 + 1)
    producer.close()
    next_day = last_midnight + DAY_MS
    wait_until(
        lambda: sum(key[2] == next_day for key in forecasts_of(settings)) == 100,
        120,
        "forecasts of the next day",
    )

    after = final_features_of(settings), forecasts_of(settings), decisions_of(settings)
    assert {k: v for k, v in after[0].items() if k[2] <= last_midnight} == before[0]
    assert {k: v for k, v in after[1].items() if k[2] <= last_midnight} == before[1]
    assert after[2] == before[2]


def test_good_events_are_never_dead_lettered(undisturbed: Stack) -> None:
    settings = undisturbed.settings()

    for topic in TOPICS.values():
        assert records_of(settings, topic.dead_letters) == []


def test_every_forecast_names_the_model_and_the_panel_it_came_from(undisturbed: Stack) -> None:
    settings = undisturbed.settings()
    current = (undisturbed.run_dir / "models" / "current").read_text().strip()

    forecasts = [decode(FORECASTS, value) for value in forecasts_of(settings).values()]

    assert {forecast.model_id for forecast in forecasts} == {current}
    assert len({forecast.panel_hash for forecast in forecasts}) == 1


def test_no_process_of_the_stack_listens_to_other_machines(undisturbed: Stack) -> None:
    ports = {each.name: listening_ports(each.members()) for each in undisturbed.components if each.members()}

    assert all(ports.values())
    assert {name: port for name, own in ports.items() for port, is_open in own.items() if is_open} == {}


def test_the_stack_is_healthy_and_shows_it(undisturbed: Stack) -> None:
    found = stack_health(undisturbed)

    assert found.problems == []
    assert found.dead_letters == 0
    assert all(stage.lag_records == 0 for stage in found.stages.values())
    assert all(behind is not None and behind <= 8 * DAY_MS / 1000 for behind in found.behind_seconds.values())
    assert found.model_age_days is not None
