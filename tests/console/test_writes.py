from playwright.sync_api import Locator, expect

from infra.contracts.topics import DECISION_ACTIONS, DECISIONS, OVERRIDES
from tests.console.desk import Desk
from tests.console.simulated_shop import Shop
from tests.unit.serving.records import LOCATION


def dialog(desk: Desk) -> Locator:
    return desk.page.get_by_role("dialog")


def test_approving_in_bulk_writes_one_action_per_decision(planner: Desk, shop: Shop) -> None:
    planner.open("today")
    boxes = planner.page.get_by_role("table", name="Exceptions").locator("tbody input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    planner.page.get_by_role("region", name="Decision").get_by_role("button", name="Approve").click()
    planner.confirm("looked at both", "Approve")

    said = [each for each in shop.log.messages(DECISION_ACTIONS) if each.event_type == "approve"]
    assert [each.reason for each in said] == ["looked at both"] * 2
    assert len({each.decision_id for each in said}) == 2
    assert {each.author for each in said} == {"a-planner"}
    expect(planner.page.get_by_role("table", name="Exceptions").get_by_text("Approved").first).to_be_visible()


def test_nothing_is_written_without_a_reason(planner: Desk, shop: Shop) -> None:
    planner.open(f"sku/{LOCATION}/22268")
    before = len(shop.log.messages(DECISION_ACTIONS))
    planner.page.get_by_role("button", name="Hold").click()
    dialog(planner).get_by_role("button", name="Hold").click()

    assert dialog(planner).is_visible()
    dialog(planner).get_by_role("button", name="Cancel").click()
    assert len(shop.log.messages(DECISION_ACTIONS)) == before


def test_an_override_says_its_dates_and_ends_when_it_is_withdrawn(planner: Desk, shop: Shop) -> None:
    planner.open(f"sku/{LOCATION}/22268")
    form = planner.page.locator("main form")
    form.get_by_label("Value").fill("1.5")
    form.get_by_label("Demand from").fill("2011-10-12")
    form.get_by_label("Demand to (day included)").fill("2011-10-31")
    form.get_by_label("Holds until (day included)").fill("2011-10-31")
    form.get_by_label("Reason").fill("TV advert")
    form.get_by_role("button", name="Override").click()
    overrides = planner.page.get_by_role("table", name="Overrides")
    expect(overrides).to_contain_text("forecast × 1.5")

    (said,) = shop.log.messages(OVERRIDES)[-1:]
    assert (said.scope, said.target, said.value) == (f"sku:22268|{LOCATION}", "forecast_factor", 1.5)
    assert (said.from_ms, said.to_ms) == (1318374000000, 1320105600000)  # London: midnight before and after
    assert said.expires_ms == said.to_ms
    planner.settle()

    overrides.get_by_role("button", name="Withdraw").click()
    planner.confirm("advert cancelled", "Withdraw")

    expect(planner.page.get_by_role("table", name="Overrides")).to_contain_text("over")
    assert shop.log.messages(OVERRIDES)[-1].reason == "advert cancelled"


def test_what_the_api_refuses_is_said_beside_the_form(planner: Desk) -> None:
    planner.open(f"sku/{LOCATION}/22268")
    form = planner.page.locator("main form")
    form.get_by_label("Value").fill("1000")
    form.get_by_label("Reason").fill("much too much")
    form.get_by_role("button", name="Override").click()

    expect(form.get_by_role("alert")).to_contain_text("at most 20")
    planner.complaints.clear()  # the browser reports every 422


def test_a_hold_is_answered_with_a_decision_that_orders_nothing(planner: Desk, shop: Shop) -> None:
    planner.open("skus?status=order&sort=-quantity")
    planner.page.get_by_role("table", name="SKUs").locator("tbody a").first.click()
    planner.page.wait_for_url("**/#/sku/**")
    planner.settle()
    planner.page.get_by_role("button", name="Hold").click()
    planner.confirm("the supplier is on holiday", "Hold")

    made = shop.log.messages(DECISIONS)[-1]
    assert made.supersedes in {each.decision_id for each in shop.log.messages(DECISIONS)}
    assert (made.quantity, made.adjustments[-1].reason) == (0, "HELD")
    expect(planner.page.locator(".bars")).to_contain_text("Held by a planner")
    expect(planner.page.get_by_role("table", name="Decisions")).to_contain_text("superseded")
