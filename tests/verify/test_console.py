"""A planner's morning at the console, over the running demo: what is written there is seen on Kafka."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from infra.contracts.topics import DECISION_ACTIONS, DECISIONS, OVERRIDES
from infra.local.processes import wait_until
from infra.local.stack import Stack
from infra.local.tokens import local_token
from tests.e2e.topic_log import messages_of

ROOT = Path(__file__).parents[2]
RUN_DIR = ROOT / ".run" / "demo"
PICTURES = ROOT / ".run" / "screenshots"
DAYS = 28
"""The last review is at the end of the last day, so that its orders are not placed yet."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    command = [str(Path(sys.executable).parent / "stockstream"), "demo", "--keep", "--days", str(DAYS)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2000, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield Stack(RUN_DIR)
    finally:
        Stack(RUN_DIR).stop()


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    """The console in a real Chromium, a planner signed in."""
    binary = shutil.which("chromium")
    assert binary, "no chromium on the PATH; 'make setup' installs it where apt is"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
    settings = stack.settings()
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=binary, args=arguments)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://{settings.api_host}:{settings.api_port}/console/")
        page.get_by_label("Token").fill(local_token(stack.run_dir, "planner"))
        page.get_by_role("button", name="Sign in").click()
        yield page
        chromium.close()


def settle(page: Page) -> None:
    page.locator("main h1").first.wait_for()
    expect(page.locator("main .loading, main [aria-busy=true]")).to_have_count(0, timeout=20_000)
    expect(page.locator(".chart-plot:not(:has(canvas))")).to_have_count(0, timeout=20_000)


def open_page(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = `#/${place}` }", place)
    page.wait_for_url(f"**/#/{place}")
    settle(page)


def confirm(page: Page, reason: str, verb: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=verb).click()
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("name", ["today", "skus", "scorecard", "system"])
def test_every_page_shows_the_demo(page: Page, name: str) -> None:
    open_page(page, name)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"demo-{name}.png")

    assert page.get_by_role("alert").count() == 0
    assert page.locator("main table tbody tr").count() > 0


def test_from_today_to_a_sku_and_the_reasons_of_its_order(page: Page) -> None:
    open_page(page, "today")
    page.get_by_role("table", name="Exceptions").locator("tbody a").first.click()
    page.wait_for_url("**/#/sku/**")
    settle(page)
    page.screenshot(path=PICTURES / "demo-sku.png", full_page=True)

    assert page.locator(".bars li").count() >= 2
    assert page.locator("figure.chart").count() == 3


def test_a_hold_supersedes_the_decision_on_kafka(page: Page, stack: Stack) -> None:
    settings = stack.settings()
    newest = max(messages_of(settings, DECISIONS), key=lambda each: (each.epoch_ms, each.quantity))
    open_page(page, f"sku/{newest.location}/{newest.sku}")
    page.get_by_role("button", name="Hold").click()
    confirm(page, "the supplier is on holiday", "Hold")

    def successors() -> list[int]:
        return [
            each.quantity
            for each in messages_of(settings, DECISIONS)
            if each.supersedes == newest.decision_id
        ]

    wait_until(lambda: successors() == [0], 60, "the decision that supersedes the held one")
    assert newest.quantity > 0


def test_an_override_with_its_expiry_is_on_kafka(page: Page, stack: Stack) -> None:
    open_page(page, "skus")
    page.get_by_role("table", name="SKUs").locator("tbody a").first.click()
    page.wait_for_url("**/#/sku/**")
    settle(page)
    form = page.locator("main form")
    form.get_by_label("Value").fill("1.5")
    form.get_by_label("Reason").fill("TV advert")
    form.get_by_role("button", name="Override").click()
    expect(page.get_by_role("table", name="Overrides")).to_contain_text("forecast × 1.5")

    (said,) = [each for each in messages_of(stack.settings(), OVERRIDES) if each.event_type == "override"]
    assert (said.value, said.author, said.reason) == (1.5, "local-planner", "TV advert")
    assert said.expires_ms > said.event_time_ms


def test_approving_in_bulk_is_on_kafka(page: Page, stack: Stack) -> None:
    open_page(page, "today")
    page.get_by_label("Choose every row of this page").check()
    page.get_by_role("region", name="Decision").get_by_role("button", name="Approve").click()
    confirm(page, "checked this morning", "Approve")

    actions = [
        each
        for each in messages_of(stack.settings(), DECISION_ACTIONS)
        if each.event_type == "approve" and each.reason == "checked this morning"
    ]
    assert len(actions) > 1
    assert len({each.decision_id for each in actions}) == len(actions)
