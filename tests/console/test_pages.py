from playwright.sync_api import Locator, expect

from serving.board.board import Board
from tests.console.desk import Desk
from tests.console.simulated_shelves import MARKUP, MARKUP_SKU
from tests.unit.serving.records import LOCATION


def rows(desk: Desk, caption: str) -> Locator:
    return desk.page.get_by_role("table", name=caption).locator("tbody tr")


def column(desk: Desk, caption: str, number: int) -> list[str]:
    return rows(desk, caption).locator(f"> :nth-child({number})").all_inner_texts()


def amounts(texts: list[str]) -> list[float]:
    return [float(text.replace("£", "").replace(",", "")) for text in texts]


def test_the_console_shows_nothing_before_a_known_token_is_given(visitor: Desk) -> None:
    visitor.page.goto(f"{visitor.address}/console/#/today")
    visitor.page.get_by_label("Token").fill("not-a-token")
    visitor.page.get_by_role("button", name="Sign in").click()

    expect(visitor.page.get_by_text("This token is not known to the API.")).to_be_visible()
    assert visitor.page.get_by_role("table").count() == 0


def test_the_bare_address_leads_to_the_console(visitor: Desk) -> None:
    visitor.page.goto(visitor.address)

    expect(visitor.page).to_have_url(f"{visitor.address}/console/")


def test_the_token_outlives_a_reload_but_not_signing_out(visitor: Desk) -> None:
    visitor.sign_in("viewer")
    visitor.page.reload()
    visitor.settle()
    assert visitor.page.get_by_role("heading", name="Today").is_visible()

    visitor.page.get_by_role("button", name="Sign out").click()

    expect(visitor.page.get_by_label("Token")).to_be_visible()
    assert visitor.page.evaluate("sessionStorage.length + document.cookie.length") == 0


def test_today_begins_with_the_most_money_at_risk(planner: Desk) -> None:
    planner.open("today")

    at_risk = amounts(column(planner, "Exceptions", 5))
    assert at_risk == sorted(at_risk, reverse=True)
    assert at_risk[0] > 0
    assert all(reason.strip() for reason in column(planner, "Exceptions", 4))


def test_a_kind_shows_its_own_exceptions_and_can_be_sent_as_a_link(planner: Desk) -> None:
    planner.open("today")
    planner.page.get_by_role("button", name="Overstock").click()
    planner.settle()

    assert set(column(planner, "Exceptions", 3)) == {"Overstock"}
    assert planner.page.url.endswith("#/today?kind=overstock")


def test_the_server_sorts_searches_and_pages(planner: Desk) -> None:
    planner.open("skus")
    first = column(planner, "SKUs", 1)
    planner.page.get_by_role("button", name="Next", exact=True).click()
    planner.settle()
    second = column(planner, "SKUs", 1)
    assert (len(first), set(first) & set(second)) == (25, set())

    planner.page.get_by_role("button", name="On hand").click()
    planner.settle()
    on_hand = amounts(column(planner, "SKUs", 3))
    assert on_hand == sorted(on_hand, reverse=True)

    planner.page.get_by_role("searchbox").fill("lunch bag")
    expect(rows(planner, "SKUs")).to_have_count(4)
    assert all("Lunch bag" in name for name in column(planner, "SKUs", 1))


def test_a_row_of_today_leads_to_its_sku_with_the_reasons_of_its_order(planner: Desk, board: Board) -> None:
    planner.open("skus?status=order")
    planner.page.get_by_role("table", name="SKUs").locator("tbody a").first.click()
    planner.page.wait_for_url("**/#/sku/**")
    planner.settle()

    sku = planner.page.url.rpartition("/")[2]
    kept = board.sku((sku, LOCATION))
    decision = kept.read_decision() if kept else None
    assert decision is not None
    steps = planner.page.locator(".bars li .value").all_inner_texts()
    assert amounts([steps[0], steps[-1]]) == [decision.unconstrained_quantity, decision.quantity]
    assert len(steps) == len(decision.adjustments) + 2


def test_every_chart_is_there_as_a_table_too(planner: Desk, board: Board) -> None:
    planner.open(f"sku/{LOCATION}/22289")
    charts = planner.page.locator("figure.chart")
    assert charts.count() == 3

    charts.first.locator("summary").click()
    days = charts.first.locator("tbody tr")
    expect(days.first).to_be_visible()
    assert days.count() == len(board.days.days(("22289", LOCATION))) + 28


def test_text_from_the_shop_never_becomes_markup(planner: Desk) -> None:
    planner.open(f"sku/{LOCATION}/{MARKUP_SKU}")

    assert planner.page.get_by_role("heading", level=1).inner_text() == MARKUP
    assert planner.page.locator("main img").count() == 0


def test_an_unknown_sku_says_so(visitor: Desk) -> None:
    visitor.sign_in("viewer")
    visitor.page.evaluate("location.hash = '#/sku/gb-main/nothing'")

    expect(visitor.page.get_by_role("alert")).to_contain_text("Nothing is known of this yet")


def test_without_the_api_the_page_says_so_and_goes_on_afterwards(visitor: Desk) -> None:
    visitor.sign_in("viewer")
    visitor.page.context.set_offline(True)
    visitor.page.evaluate("location.hash = '#/skus'")
    expect(visitor.page.get_by_role("alert")).to_contain_text("The API does not answer")

    visitor.page.context.set_offline(False)
    visitor.page.get_by_role("button", name="Try again").click()

    expect(rows(visitor, "SKUs").first).to_be_visible()


def test_a_viewer_is_offered_nothing_to_change(visitor: Desk) -> None:
    visitor.sign_in("viewer")
    assert visitor.page.locator("main input[type=checkbox]").count() == 0
    visitor.open(f"sku/{LOCATION}/22289")

    assert visitor.page.locator("main form").count() == 0
    assert visitor.page.get_by_role("button", name="Approve").count() == 0


def test_the_arrow_keys_walk_through_the_rows(planner: Desk) -> None:
    planner.open("today")
    links = rows(planner, "Exceptions").locator("th a")
    links.first.focus()
    planner.page.keyboard.press("ArrowDown")

    expect(links.nth(1)).to_be_focused()


def test_sorting_by_keyboard_keeps_the_place(planner: Desk) -> None:
    planner.open("skus")
    planner.page.get_by_role("button", name="On order").focus()
    planner.page.keyboard.press("Enter")
    planner.page.wait_for_url("**sort=-on_order")
    planner.settle()

    expect(planner.page.get_by_role("button", name="On order")).to_be_focused()


def test_the_theme_switch_outlives_a_reload(visitor: Desk) -> None:
    visitor.sign_in("viewer")
    light = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visitor.page.get_by_role("button", name="Dark theme").click()
    dark = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visitor.page.reload()

    assert light != dark
    assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_the_scorecard_says_what_an_override_was_worth(planner: Desk) -> None:
    planner.open("scorecard")

    (row,) = rows(planner, "What overrides were worth").all_inner_texts()
    assert all(word in row for word in ("a-planner", "season", "Forecast × factor", "units", "%"))
