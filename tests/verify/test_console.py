"""A planner at the console while the demo's shop is open: what is said there changes what the shop orders.

The shop trades four weeks; at the review that ends them a planner holds, overrides and approves before the
orders go out, then the shop trades two weeks more. So the override meets two replans and its days' demand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from infra.api_tokens import ROLES
from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import Override
from infra.contracts.topics import DECISION_ACTIONS, DECISIONS, OVERRIDES
from infra.heartbeat import send_heartbeats
from infra.local.demo import FIRST_REPLAYED_DAY, Demo, fresh_stack
from infra.local.processes import wait_until
from infra.local.stack import Stack
from infra.local.tokens import local_token
from serving.simulation.sales_log import days_between, read_sales_log
from serving.simulation.scenario import build_scenario
from serving.simulation.shop import SAMPLE, Shop, connected_shop
from tests.console.desk import Desk, new_desk, started_chromium
from tests.e2e.topic_log import messages_of

DAYS, DAYS_AFTERWARDS = 28, 14
MINUTE_MS = 60_000
FACTOR = 1.5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@dataclass
class Demonstration:
    """A shop that has closed its last day of four weeks, and not placed the orders of that review yet."""

    stack: Stack
    shop: Shop
    last_day: date
    review: list[ReorderDecision]

    @property
    def review_ms(self) -> int:
        return self.review[0].epoch_ms

    def largest_orders(self) -> list[ReorderDecision]:
        return sorted(self.review, key=lambda each: (-each.quantity, each.sku))

    def successors(self, decision: ReorderDecision) -> list[ReorderDecision]:
        """The decisions on Kafka that supersede this one."""
        made: list[ReorderDecision] = messages_of(self.stack.settings(), DECISIONS)
        return [each for each in made if each.supersedes == decision.decision_id]

    def let_time_pass(self, minutes: int) -> None:
        """The shop is open: its heartbeats go on, and it hears what is decided."""
        send_heartbeats(self.shop.producer, self.review_ms + minutes * MINUTE_MS)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demonstration]:
    stack = fresh_stack()
    try:
        Demo(stack, None).start()
        settings = stack.settings()
        first = date.fromisoformat(FIRST_REPLAYED_DAY)
        log = read_sales_log(SAMPLE, settings.time_zone)
        scenario = build_scenario(log, settings.locations[0], first, seed=1)
        days = days_between(first, first + timedelta(days=DAYS - 1))
        with connected_shop(settings, scenario, days, timeout_seconds=120.0) as shop:
            shop.open()
            for day in days[:-1]:
                shop.run_day(day)
            shop.close_day(days[-1])
            yield Demonstration(stack, shop, days[-1], shop.wait(days[-1]))
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def planner(demo: Demonstration) -> Iterator[Desk]:
    """The console in a real Chromium, a planner signed in; the browser may complain about nothing."""
    settings = demo.stack.settings()
    tokens = {role: local_token(demo.stack.run_dir, role) for role in ROLES}
    with started_chromium() as chromium:
        desk = new_desk(chromium, f"http://{settings.api_host}:{settings.api_port}", tokens)
        desk.sign_in("planner")
        yield desk
        assert desk.complaints == []


def test_today_leads_to_a_sku_and_the_reasons_of_its_order(planner: Desk) -> None:
    planner.open("today")
    planner.page.get_by_role("table", name="Exceptions").locator("tbody a").first.click()
    planner.page.wait_for_url("**/#/sku/**")
    planner.settle()

    assert planner.page.locator(".bars li").count() >= 2
    assert planner.page.locator("figure.chart").count() == 3


def test_an_unchanged_what_if_is_the_live_plan(planner: Desk, demo: Demonstration) -> None:
    planner.open("what-if")
    planner.page.get_by_label("Also the cost–service curve").check()
    planner.page.get_by_role("button", name="Calculate").click()
    answer = planner.page.get_by_role("table", name="Answer")
    answer.wait_for()
    planner.settle()
    planner.picture("demo-what-if-answer")

    assert answer.locator("tbody tr > :nth-child(4)").all_inner_texts() == ["as it is"] * 7
    expect(planner.page.get_by_text(f"{len(demo.review)} decisions of")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_shows_the_demo_and_is_accessible(planner: Desk, demo: Demonstration, scheme: str) -> None:
    planner.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    largest = demo.largest_orders()[0]
    places = {name: name for name in ("today", "skus", "what-if", "scorecard", "system")}
    for name, place in (places | {"sku": f"sku/{largest.location}/{largest.sku}"}).items():
        planner.open(place)
        planner.picture(f"demo-{name}-{scheme}")
        assert (name, planner.findings()) == (name, [])
        assert planner.page.get_by_role("alert").filter(has_text=" ").count() == 0
    planner.page.emulate_media(color_scheme="light")


def test_what_moves_a_forecast_adds_up_in_units(planner: Desk, demo: Demonstration) -> None:
    largest = demo.largest_orders()[0]
    planner.open(f"sku/{largest.location}/{largest.sku}")
    planner.page.get_by_role("button", name="Work out").click()
    card = planner.page.locator("section.card").filter(has_text="What moves the forecast")
    expect(card.get_by_text("Mean as published")).to_be_visible(timeout=90_000)
    planner.picture("demo-sku-drivers")

    path = f"/v1/forecasts/{largest.location}/{largest.sku}/drivers"
    headers = {"Authorization": f"Bearer {planner.tokens['viewer']}"}
    found = planner.page.request.get(f"{planner.address}{path}", headers=headers, timeout=90_000).json()
    moved = sum(each["units"] for each in found["drivers"])
    assert found["reference"] + moved == pytest.approx(found["forecast"])
    assert found["same_context"]


def test_the_system_page_asks_the_stacks_prometheus(planner: Desk, demo: Demonstration) -> None:
    planner.open("system")

    link = planner.page.get_by_role("link", name="Open Prometheus")
    assert link.get_attribute("href") == f"http://127.0.0.1:{demo.stack.prometheus_port()}"
    assert planner.page.get_by_role("alert").filter(has_text="does not answer").count() == 0


def test_a_hold_supersedes_the_decision_and_the_shop_does_not_order(
    planner: Desk, demo: Demonstration
) -> None:
    held = demo.largest_orders()[1]
    planner.open(f"sku/{held.location}/{held.sku}")
    planner.page.get_by_role("button", name="Hold").click()
    planner.confirm("the supplier is on holiday", "Hold")

    wait_until(lambda: bool(demo.successors(held)), 60, "the decision that supersedes the held one")
    assert [each.quantity for each in demo.successors(held)] == [0]
    assert held.quantity > 0


def test_an_override_supersedes_the_decision_with_a_larger_one(planner: Desk, demo: Demonstration) -> None:
    decided = demo.largest_orders()[0]
    planner.open(f"sku/{decided.location}/{decided.sku}")
    form = planner.page.locator("main form")
    form.get_by_label("Value").fill(str(FACTOR))
    form.get_by_label("Reason").fill("TV advert")
    form.get_by_role("button", name="Override").click()
    expect(planner.page.get_by_role("table", name="Overrides")).to_contain_text("forecast × 1.5")
    demo.let_time_pass(minutes=5)

    wait_until(lambda: bool(demo.successors(decided)), 60, "the decision that supersedes the overridden one")
    (said,) = [each for each in messages_of(demo.stack.settings(), OVERRIDES) if isinstance(each, Override)]
    assert (said.value, said.author, said.reason) == (FACTOR, "local-planner", "TV advert")
    assert said.expires_ms == demo.shop.scenario.midnight_ms(demo.last_day + timedelta(days=15))
    (made,) = demo.successors(decided)
    assert made.quantity > decided.quantity
    assert [each.override_id for each in made.inputs.overrides] == [said.override_id]


def test_approving_in_bulk_is_one_action_for_each_decision(planner: Desk, demo: Demonstration) -> None:
    planner.open("today")
    planner.page.get_by_label("Choose every row of this page").check()
    planner.page.get_by_role("region", name="Decision").get_by_role("button", name="Approve").click()
    planner.confirm("checked this morning", "Approve")

    actions = [
        each
        for each in messages_of(demo.stack.settings(), DECISION_ACTIONS)
        if each.event_type == "approve" and each.reason == "checked this morning"
    ]
    assert len(actions) > 1
    assert len({each.decision_id for each in actions}) == len(actions)


def test_the_shop_orders_what_stands(demo: Demonstration) -> None:
    overridden, held = demo.largest_orders()[:2]

    def has_heard() -> bool:
        demo.shop.listen()
        standing = demo.shop.to_place(demo.last_day)
        return not {overridden.decision_id, held.decision_id} & set(standing)

    wait_until(has_heard, 60, "the shop to hear of both")
    ordered = {each.sku for each in demo.shop.place_orders(demo.last_day)}

    assert held.sku not in ordered
    assert len(ordered) > 10


def test_an_override_outlives_replans_until_it_expires(demo: Demonstration) -> None:
    overridden = demo.largest_orders()[0]
    used = {}
    for number in range(1, DAYS_AFTERWARDS + 1):
        day = demo.last_day + timedelta(days=number)
        demo.shop.run_day(day)
        for made in demo.shop.replies.decisions(demo.shop.scenario.midnight_ms(day + timedelta(days=1))):
            if made.sku == overridden.sku:
                used[number] = [each.value for each in made.inputs.overrides]

    assert used == {7: [FACTOR], 14: []}


def test_the_scorecard_says_what_the_override_was_worth(planner: Desk) -> None:
    planner.open("scorecard")
    planner.picture("demo-scorecard-override")

    (row,) = (
        planner.page.get_by_role("table", name="What overrides were worth")
        .locator("tbody tr")
        .all_inner_texts()
    )
    assert all(word in row for word in ("local-planner", "TV advert", "Forecast × factor", "units"))
