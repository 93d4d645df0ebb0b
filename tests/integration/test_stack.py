import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.contracts.topics import CLICKSTREAM
from infra.errors import StockstreamError
from infra.kafka import make_consumer
from infra.local.processes import Component
from infra.local.stack import Stack, start_all


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    stack.stop()


def test_components_learn_the_addresses_of_the_stack_they_belong_to(stack: Stack) -> None:
    stack.start_broker()

    settings = stack.settings()
    consumer = make_consumer(settings.bootstrap_servers)
    partitions = consumer.partitions_for_topic(CLICKSTREAM)
    consumer.close()
    assert len(partitions) == settings.partitions
    assert len({settings.api_port, settings.metrics_port, settings.flink_metrics_port}) == 3


def test_a_running_stack_is_not_started_again_and_keeps_running(stack: Stack) -> None:
    stack.start_broker()

    with pytest.raises(StockstreamError, match=r"runs already \(broker\)"):
        start_all(stack)

    assert stack.running() == ["broker"]


def test_a_stage_that_lost_its_demo_is_stopped_with_the_stack(stack: Stack) -> None:
    Component("history", stack.run_dir).start([sys.executable, "-c", "import time; time.sleep(99)"])
    assert stack.running() == ["history"]

    stack.stop()

    assert stack.running() == []
    assert Component("history", stack.run_dir).members() == []


def test_a_stopped_stack_leaves_no_process_and_no_address(stack: Stack) -> None:
    stack.start_broker()

    stack.stop()

    assert stack.running() == []
    with pytest.raises(StockstreamError, match="start one with 'stockstream up'"):
        stack.addresses()
