"""Somebody at the console in a real Chromium, on whatever stack it is served from."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.api_tokens import Role

expect.set_options(timeout=20_000)

SCREENSHOTS = Path(__file__).parents[2] / ".run" / "screenshots"
Scheme = Literal["light", "dark"]


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; a test without it fails."""
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
    tokens: Mapping[Role, str]
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

    def confirm(self, reason: str, verb: str) -> None:
        """Gives the reason that a dialog asks for and waits until it has been written."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill(reason)
        dialog.get_by_role("button", name=verb).click()
        expect(dialog).to_have_count(0)
        self.settle()

    def findings(self) -> list[str]:
        """Axe's serious and critical findings, with the elements they are about."""
        return [
            f"{found['id']}: {node['target']}"
            for found in Axe().run(self.page).response["violations"]
            if found["impact"] in ("serious", "critical")
            for node in found["nodes"]
        ]

    def sign_in(self, role: Role) -> None:
        self.page.goto(f"{self.address}/console/")
        self.page.get_by_label("Token").fill(self.tokens[role])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation", name="Pages", exact=True).wait_for()
        self.settle()

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("scrollTo(0, 0)")
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def new_desk(browser: Browser, address: str, tokens: Mapping[Role, str], scheme: Scheme = "light") -> Desk:
    """A page of its own, which nobody has signed in to."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    desk = Desk(context.new_page(), address, tokens, [])
    desk.page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
    desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    return desk
