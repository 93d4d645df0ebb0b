from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.console.conftest import Desk, desk_at
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


def findings(desk: Desk) -> list[str]:
    """Axe's serious and critical findings, with the elements they are about."""
    return [
        f"{found['id']}: {node['target']}"
        for found in Axe().run(desk.page).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_in_both_themes(themed: tuple[str, Desk], name: str) -> None:
    theme, desk = themed
    desk.open(PAGES[name])
    desk.picture(f"{name}-{theme}")

    assert findings(desk) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_is_accessible(browser: Browser, address: str, scheme: str) -> None:
    desk = desk_at(browser, address, scheme)
    desk.page.goto(f"{address}/console/")
    desk.settle()
    desk.picture(f"sign-in-{scheme}")

    assert findings(desk) == []
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
