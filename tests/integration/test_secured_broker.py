"""A secured broker: nobody without a user, each user only what the contracts grant, no secret in sight."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.contracts.access import ACCESS
from infra.contracts.topics import DECISIONS, STOCK_LEVELS, TOPICS
from infra.errors import StockstreamError
from infra.kafka import Producer, read_to_end, topic_partitions
from infra.kafka_security import PREFIX, load_kafka_security
from infra.local.broker import Broker
from infra.local.secured_broker import OPERATOR, SHOP, USERS, BrokerSecurity

PARTITIONS = 2


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    run_dir = tmp_path_factory.mktemp("secured")
    BrokerSecurity(run_dir).prepare(run_dir / "broker")
    with Broker(run_dir) as broker:
        broker.create_topics(PARTITIONS)
        yield broker


@pytest.fixture
def security(secured: Broker) -> BrokerSecurity:
    return BrokerSecurity(secured.component.run_dir)


def become(environment: pytest.MonkeyPatch, security: BrokerSecurity, user: str, **changed: str) -> None:
    for name, value in (security.environment(user) | changed).items():
        environment.setenv(name, value)


def write(broker: Broker, topic: str) -> None:
    producer = Producer(broker.bootstrap_servers)
    try:
        producer.send_heartbeat(topic, 1000)
        producer.flush()
    finally:
        producer.close()


def count(broker: Broker, topic: str) -> int:
    partitions = topic_partitions([topic], range(PARTITIONS))
    return sum(1 for _ in read_to_end(broker.bootstrap_servers, partitions))


def test_a_user_does_what_the_contracts_grant_and_nothing_else(
    secured: Broker, security: BrokerSecurity, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, security, SHOP)
    write(secured, STOCK_LEVELS)
    with pytest.raises(StockstreamError, match=f"Kafka user shop lacks a permission.*{DECISIONS}"):
        write(secured, DECISIONS)
    with pytest.raises(StockstreamError, match=f"Kafka user shop lacks a permission.*{STOCK_LEVELS}"):
        count(secured, STOCK_LEVELS)

    become(monkeypatch, security, OPERATOR)
    assert count(secured, STOCK_LEVELS) == PARTITIONS
    with pytest.raises(StockstreamError, match="Kafka user operator lacks a permission"):
        write(secured, STOCK_LEVELS)


def test_who_is_not_let_in_is_told_why(
    secured: Broker, security: BrokerSecurity, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, security, SHOP, **{f"{PREFIX}PASSWORD": "wrong"})
    refused = load_kafka_security().why_unreachable(secured.bootstrap_servers)
    assert refused.endswith("refused user 'shop' or its password")

    monkeypatch.delenv(f"{PREFIX}CA_FILE")
    assert f"did not prove its identity ({PREFIX}CA_FILE)" in (
        load_kafka_security().why_unreachable(secured.bootstrap_servers)
    )

    monkeypatch.setenv(f"{PREFIX}SECURITY_PROTOCOL", "PLAINTEXT")
    assert "refuses plain text" in load_kafka_security().why_unreachable(secured.bootstrap_servers)


def test_every_component_has_a_user_and_no_topic_is_readable_by_accident(security: BrokerSecurity) -> None:
    assert set(ACCESS) | {SHOP, OPERATOR} == set(USERS)
    readable = set().union(*(access.read_from for access in USERS.values()))
    assert set(TOPICS) <= readable
    with pytest.raises(StockstreamError, match="user 'nobody': one of batch, features"):
        security.environment("nobody")


def test_secrets_are_the_owners_alone_and_in_no_log_and_no_command_line(
    secured: Broker, security: BrokerSecurity
) -> None:
    private = [path for path in security.folder.iterdir() if path.name != "ca.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}

    log = secured.component.output_file.read_text()
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    for user in USERS:
        password = security.environment(user)[f"{PREFIX}PASSWORD"]
        assert len(password) >= 32
        assert password not in log
        assert password not in commands


def test_an_open_broker_is_not_secured_afterwards(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()

    with pytest.raises(
        StockstreamError, match=r"--secure: .* is of an open broker; use another run directory"
    ):
        BrokerSecurity(tmp_path).prepare(tmp_path / "broker")
    assert os.listdir(tmp_path) == ["broker"]
