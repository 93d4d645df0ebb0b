from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.conftest import desk_at
from tests.console.desk import Desk, Scheme
from tests.unit.serving.records import LOCATION

PAGES = {
    "today": "today",
    "skus": "skus",
    "sku": f"sku/{LOCATION}/22268",
    "what-if": "what-if",
    "scorecard": "scorecard",
    "system": "system",
}


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[tuple[str, Desk]]:
    desk = desk_at(browser, address, request.param)
    desk.sign_in("planner")
    yield request.param, desk
    desk.page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_in_both_themes(themed: tuple[str, Desk], name: str) -> None:
    theme, desk = themed
    desk.open(PAGES[name])
    desk.picture(f"{name}-{theme}")

    assert desk.findings() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_is_accessible(browser: Browser, address: str, scheme: Scheme) -> None:
    desk = desk_at(browser, address, scheme)
    desk.page.goto(f"{address}/console/")
    desk.settle()
    desk.picture(f"sign-in-{scheme}")

    assert desk.findings() == []
    desk.page.context.close()


def test_every_page_fits_a_small_screen(browser: Browser, address: str) -> None:
    desk = desk_at(browser, address)
    desk.sign_in("planner")
    desk.page.set_viewport_size({"width": 390, "height": 844})

    wider = []
    for name, place in PAGES.items():
        desk.open(place)
        if desk.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wider.append(name)
    assert wider == []
    desk.page.context.close()
