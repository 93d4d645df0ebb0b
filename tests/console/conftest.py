"""The console in a real Chromium, over the API's own code and a simulated shop's log."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from socket import socket

import pytest
import uvicorn
from playwright.sync_api import Browser

from batch.forecaster.explanation import Explanation
from infra.api_tokens import ROLES, Role, token_digest
from serving.api.access import Holders
from serving.api.alerts import Monitoring
from serving.api.application import build_api
from serving.board.board import Board
from serving.explained_forecast import Explained
from serving.inventory.ledger import Key
from serving.partition_log import Outgoing
from tests.console.desk import Desk, Scheme, new_desk, started_chromium
from tests.console.simulated_shop import Shop, simulated_shop
from tests.unit.serving.api.small_prometheus import SmallPrometheus, small_prometheus
from tests.unit.serving.records import feed

TOKENS: dict[Role, str] = {role: f"token-of-the-{role}" for role in ROLES}


def tokens_file(folder: Path) -> Path:
    file = folder / "tokens.json"
    holders = [{"name": f"a-{role}", "role": role, "sha256": token_digest(TOKENS[role])} for role in ROLES]
    file.write_text(json.dumps(holders))
    return file


@pytest.fixture(scope="session")
def shop() -> Shop:
    return simulated_shop()


@pytest.fixture(scope="session")
def board(shop: Shop) -> Board:
    filled = Board()
    feed(filled, shop.log.entries)
    assert list(filled.due(0.0)) == []
    return filled


@pytest.fixture(scope="session")
def prometheus() -> Iterator[SmallPrometheus]:
    with small_prometheus() as served:
        yield served


def explained(key: Key, days: int) -> Explained:
    """What could have moved the simulated forecasts, which no model has made."""
    moved = {"recent level": 12.0, "promotion": -4.5, "weekday and season": 2.25}
    explanation = Explanation(days, 100.0, moved, 109.75)
    return Explained(*key, date(2011, 10, 10), "lstm", "lstm-simulated", None, 112.0, True, explanation)


@pytest.fixture(scope="session")
def address(
    board: Board, shop: Shop, prometheus: SmallPrometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the application listens; what is written there reaches the log and its stages."""

    def publish(said: Sequence[Outgoing]) -> None:
        feed(board, shop.hear(said))
        assert list(board.due(0.0)) == []

    holders = Holders(tokens_file(tmp_path_factory.mktemp("tokens")))
    monitoring = Monitoring(prometheus.url, prometheus.url, "https://grafana.example.com")
    http = build_api(board, holders, lambda: [], publish, monitoring, explained)
    server = uvicorn.Server(uvicorn.Config(http, log_level="warning"))
    listening = socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # a browser that is faster than the server waits
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with started_chromium() as chromium:
        yield chromium


def desk_at(browser: Browser, address: str, scheme: Scheme = "light") -> Desk:
    return new_desk(browser, address, TOKENS, scheme)


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Desk]:
    """Somebody who has not signed in."""
    desk = desk_at(browser, address)
    yield desk
    desk.page.context.close()


@pytest.fixture(scope="module")
def planner(browser: Browser, address: str) -> Iterator[Desk]:
    """A planner; the browser may complain about nothing while a module's tests run."""
    desk = desk_at(browser, address)
    desk.sign_in("planner")
    yield desk
    desk.page.context.close()
    assert desk.complaints == []
