"""The console in a real Chromium, over the API's own code and a simulated shop's log."""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.api_tokens import ROLES, Role, token_digest
from serving.api.access import Holders
from serving.api.application import build_api
from serving.board.board import Board
from serving.partition_log import Outgoing
from tests.console.simulated_shop import Shop, simulated_shop
from tests.unit.serving.records import feed

expect.set_options(timeout=20_000)

SCREENSHOTS = Path(__file__).parents[2] / ".run" / "screenshots"
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
def address(board: Board, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the application listens; what is written there reaches the log and its stages."""

    def publish(said: Sequence[Outgoing]) -> None:
        feed(board, shop.hear(said))
        assert list(board.due(0.0)) == []

    holders = Holders(tokens_file(tmp_path_factory.mktemp("tokens")))
    http = build_api(board, holders, lambda: [], publish)
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
    binary = shutil.which("chromium")
    if binary is None:
        pytest.fail("no chromium on the PATH; 'make setup' installs it where apt is")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=binary, args=arguments)
        yield chromium
        chromium.close()


@dataclass
class Desk:
    """Somebody at the console: a page that is signed in, and what the browser complained about."""

    page: Page
    address: str
    complaints: list[str]

    def open(self, place: str) -> None:
        """Goes to a page such as `today` and waits until nothing loads any more."""
        self.page.evaluate("place => { location.hash = `#/${place}` }", place)
        self.page.wait_for_url(f"**/#/{place}")
        self.settle()

    def settle(self) -> None:
        """Waits for the page's heading, its data and its drawings."""
        self.page.locator("main h1").first.wait_for()
        expect(self.page.locator("main .loading, main [aria-busy=true]")).to_have_count(0)
        expect(self.page.locator(".chart-plot:not(:has(canvas))")).to_have_count(0)

    def sign_in(self, role: Role) -> None:
        self.page.goto(f"{self.address}/console/")
        self.page.get_by_label("Token").fill(TOKENS[role])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation", name="Pages", exact=True).wait_for()
        self.settle()

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def desk_at(browser: Browser, address: str, scheme: str = "light") -> Desk:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    desk = Desk(context.new_page(), address, [])
    desk.page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
    desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    return desk


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
