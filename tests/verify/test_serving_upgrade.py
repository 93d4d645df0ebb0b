"""An upgrade of serving as KubeRay does it: the new cluster consumes beside the old one, which then ends."""

import json
import shutil
import signal
from collections.abc import Iterator

import pytest

from infra.contracts.topics import DECISIONS, FORECASTS, PURCHASE_ORDERS
from infra.local.broker import free_ports
from infra.local.processes import Component, wait_until
from infra.local.stack import Stack
from tests.e2e.topic_log import decisions_of, forecasts_of, messages_of, records_of
from tests.e2e.verbs import make_history, patience, run_verb, running_shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    with patience():
        yield


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("old"))
    make_history(stack.run_dir)
    try:
        stack.start_broker()
        stack.start_features()
        stack.start_serving()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def new(old: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Serving alone, of the same broker and model, not yet started."""
    stack = Stack(tmp_path_factory.mktemp("new"))
    for folder in ("panel", "models"):
        shutil.copytree(old.run_dir / folder, stack.run_dir / folder)
    own = dict(zip(("api_port", "metrics_port"), free_ports(2), strict=True))
    (stack.run_dir / "stack.json").write_text(json.dumps(old.addresses() | own))
    try:
        yield stack
    finally:
        stack.stop()


def days_forecast(stack: Stack) -> int:
    return len(forecasts_of(stack.settings())) // 100


def test_an_upgrade_orders_nothing_twice_and_decides_as_one_cluster_would(old: Stack, new: Stack) -> None:
    with running_shop(old.run_dir) as shop:
        wait_until(lambda: days_forecast(old) >= 4, 180, "four days of forecasts")
        shop.send_signal(signal.SIGSTOP)
        new.start_serving()
        shop.send_signal(signal.SIGCONT)
        wait_until(lambda: days_forecast(old) >= 9, 300, "nine days of forecasts")
        Component("serving", old.run_dir).stop()
        assert shop.wait(timeout=600) == 0, (old.run_dir / "shop.log").read_text()

    settings = old.settings()
    decided = decisions_of(settings)
    written = messages_of(settings, DECISIONS)
    forecasts = forecasts_of(settings)
    assert len(records_of(settings, FORECASTS)) > len(forecasts), "only one cluster has forecast"
    epochs = {(each.sku, each.location, each.epoch_ms): each.decision_id for each in written}
    assert set(epochs.values()) == set(decided)
    orders = messages_of(settings, PURCHASE_ORDERS)
    placed = [each.decision_id for each in orders if each.event_type == "placed" and each.decision_id]
    assert sorted(placed) == sorted(name for name, (_, quantity, _) in decided.items() if quantity > 0)
    assert f"{len(decided)} decisions reproduced exactly" in run_verb(old.run_dir, "replay")
