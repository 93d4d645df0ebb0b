from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.console.desk import Desk
from tests.unit.serving.api.small_prometheus import SmallPrometheus, active
from tests.unit.serving.records import LOCATION


@pytest.fixture
def alarming(prometheus: SmallPrometheus) -> Iterator[SmallPrometheus]:
    prometheus.alerts = [
        active("BrokerDown", "firing", "page", "2026-01-05T10:00:00Z"),
        active("TargetDown", "pending", "page", "2026-01-05T10:04:00Z"),
    ]
    yield prometheus
    prometheus.alerts, prometheus.is_well = [], True


def open_anew(desk: Desk) -> None:
    """The page as it is now, not as it will be when it next asks."""
    desk.open("today")
    desk.open("system")


def alerts(desk: Desk) -> Locator:
    return desk.page.get_by_role("table", name="Alerts")


def test_alerts_are_shown_with_what_to_do(planner: Desk, alarming: SmallPrometheus) -> None:
    open_anew(planner)
    rows = alerts(planner).locator("tbody tr")
    assert [row.split("\t")[:4] for row in rows.all_inner_texts()] == [
        ["BrokerDown", "Firing", "Page", "5 Jan 2026, 10:00"],
        ["TargetDown", "Pending", "Page", "5 Jan 2026, 10:04"],
    ]

    rows.first.get_by_text("What to do").click()
    advice = rows.first.locator(".markdown")
    expect(advice).to_contain_text("A Kafka broker answers no scrape")
    assert advice.locator("pre").inner_text().startswith("kubectl -n $N get pods")
    assert advice.locator("b").all_inner_texts() == ["Means.", "Look.", "Do."]
    assert planner.findings() == []
    planner.picture("system-alerts")


def test_grafana_and_prometheus_are_a_click_away(planner: Desk, prometheus: SmallPrometheus) -> None:
    open_anew(planner)

    links = {
        name: planner.page.get_by_role("link", name=f"Open {name}") for name in ("Grafana", "Prometheus")
    }
    assert links["Grafana"].get_attribute("href") == "https://grafana.example.com"
    assert links["Prometheus"].get_attribute("href") == prometheus.url
    expect(planner.page.get_by_text("No alert is active")).to_be_visible()


def test_silence_of_prometheus_is_not_shown_as_quiet(planner: Desk, alarming: SmallPrometheus) -> None:
    alarming.is_well = False
    open_anew(planner)

    expect(planner.page.get_by_role("alert")).to_contain_text("does not answer with its alerts")
    assert planner.page.get_by_text("No alert is active").count() == 0
    planner.complaints.clear()  # the browser reports every 503


def test_what_moves_a_forecast_is_worked_out_on_request(planner: Desk) -> None:
    planner.open(f"sku/{LOCATION}/22289")
    planner.page.get_by_role("button", name="Work out").click()
    card = planner.page.locator("section.card").filter(has_text="What moves the forecast")
    expect(card.locator(".bars li")).to_have_count(7)
    planner.picture("sku-drivers")

    assert planner.findings() == []
    assert card.locator(".bars li .value").all_inner_texts() == [
        "100 units", "+12", "-4.5", "+2.3", "110 units", "+2.3", "112 units",
    ]  # fmt: skip


def test_a_fallback_forecast_has_no_drivers_and_says_so(planner: Desk) -> None:
    planner.open(f"sku/{LOCATION}/22177")

    expect(planner.page.get_by_text("No model made this forecast")).to_be_visible()
    assert planner.page.get_by_role("button", name="Work out").count() == 0
