"""Alerts are brought about on a running stack: each fires in time and resolves when its cause is gone.

Production windows and waits are divided by `TIME_SCALE`; promtool tests those of production.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.contracts.topics import CLICKSTREAM, FEATURES
from infra.local.broker import Broker
from infra.local.processes import Component
from infra.local.prometheus_server import PrometheusServer
from infra.local.stack import Stack
from infra.prometheus.rule import seconds
from infra.prometheus.rules import ALERTS, rules_text
from tests.verify.alert_watch import AlertWatch
from tests.verify.watched_shop import WatchedShop

ROOT = Path(__file__).parents[2]
LEDGER = ROOT / ".run" / "verify" / "alerts_ledger.json"
TIME_SCALE = 600.0
INPUT_DEADLINE_SECONDS = 60.0
UNCOUNTED = ("N1", "N2", "N3", "N4")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack whose Prometheus has the alerts in minutes instead of hours."""
    run_dir = tmp_path_factory.mktemp("alerts")
    WatchedShop.prepare(run_dir)
    rules = run_dir / "rules.yaml"
    rules.write_text(rules_text(TIME_SCALE))
    stack = Stack(run_dir)
    try:
        stack.start_broker()
        stack.start_features()
        stack.start_serving()
        PrometheusServer(run_dir).start(stack.prometheus_port(), stack.metric_ports(), rules)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def watch(stack: Stack) -> Iterator[AlertWatch]:
    holds = {alert.name: seconds(alert.hold) / TIME_SCALE for alert in ALERTS}
    watch = AlertWatch(stack.prometheus_port(), holds)
    watch.start()
    shop = WatchedShop(stack)
    try:
        spoil_models_and_records(watch, shop)
        spoil_stock(watch, shop)
        break_machinery(watch, shop, stack)
        yield watch
    finally:
        watch.stop()
        watch.write(LEDGER)
        shop.close()


def nothing() -> None:
    """What was done passes by itself."""


def spoil_models_and_records(watch: AlertWatch, shop: WatchedShop) -> None:
    """Models that should not serve, and records that break their contract, come late or contradict."""
    watch.induce("no model is promoted", shop.open, lambda: shop.promote("2011-08-31"), {"FallbackServes": 0})
    watch.induce(
        "a model of a year ago is promoted",
        lambda: shop.promote("2010-09-01"),
        lambda: shop.promote("2011-09-01"),
        {"ModelStale": 0},
    )
    watch.induce(
        "500 clicks that are not JSON", lambda: shop.send_garbage(CLICKSTREAM, 500), nothing,
        {"DeadLetterBurst": 0},
    )  # fmt: skip
    watch.induce("1,000 sales of a closed day", lambda: shop.send_late_sales(1000), nothing, {"LateBurst": 0})
    watch.induce(
        "feature rows that are not JSON", lambda: shop.send_garbage(FEATURES, 8), nothing,
        {"UnreadableRecords": 0},
    )  # fmt: skip
    watch.induce(
        "a proposal comes with another content", shop.contradict_a_proposal, nothing, {"DecisionConflict": 0}
    )


def spoil_stock(watch: AlertWatch, shop: WatchedShop) -> None:
    """Empty shelves, and items of which nobody knows anything."""
    watch.induce(
        "every shelf is empty", lambda: shop.set_stock(0), lambda: shop.set_stock(50), {"StockOutWave": 0}
    )
    watch.induce(
        "items without stock or forecast",
        lambda: shop.launch_without_stock(*UNCOUNTED),
        lambda: shop.end(*UNCOUNTED),
        {
            "StockUnknown": 0,
            "StageWaiting": 0,
            "DeadlinePassed": INPUT_DEADLINE_SECONDS,
            "DecisionsBlocked": INPUT_DEADLINE_SECONDS,
        },
    )


def break_machinery(watch: AlertWatch, shop: WatchedShop, stack: Stack) -> None:
    """A stage hangs, a job and the broker are killed; each is cured before the next."""
    watch.induce(
        "the allocator hangs",
        lambda: shop.pause("Allocator"),
        lambda: shop.resume("Allocator"),
        {"NoDecisions": 0, "StageSilent": 0},
    )

    def kill_features() -> None:
        Component("features", stack.run_dir).kill()
        shop.close_days(4)

    watch.induce(
        "the features job is killed and four days pass",
        kill_features,
        stack.start_features,
        {"TargetDown": 0, "FeaturesOld": 0, "ForecastsOld": 0, "ScoresOld": 0},
    )
    shop.close()  # its client would leave sockets open that the dead broker refuses
    broker = Broker(stack.run_dir)
    watch.induce("the broker is killed", broker.component.kill, broker.start, {"BrokerDown": 0})


def test_at_least_twelve_alerts_fire_within_their_wait_and_a_minute(watch: AlertWatch) -> None:
    late = [row for row in watch.ledger if not row.in_time]

    assert len(watch.ledger) - len(late) >= 12
    assert late == []


def test_every_alert_resolves_once_its_cause_is_gone(watch: AlertWatch) -> None:
    assert [row.alert for row in watch.ledger if row.resolved_after is None] == []
