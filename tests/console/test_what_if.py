from playwright.sync_api import Locator, expect

from tests.console.desk import Desk
from tests.unit.serving.records import LOCATION


def calculated(desk: Desk) -> Locator:
    desk.page.get_by_role("button", name="Calculate").click()
    answer = desk.page.get_by_role("table", name="Answer")
    answer.wait_for()
    desk.settle()
    return answer


def differences(answer: Locator) -> list[str]:
    return answer.locator("tbody tr > :nth-child(4)").all_inner_texts()


def test_an_unchanged_question_answers_with_the_live_plan(planner: Desk) -> None:
    planner.open("what-if")
    answer = calculated(planner)

    assert differences(answer) == ["as it is"] * 7
    expect(planner.page.get_by_text("28 decisions of 10 Oct 2011")).to_be_visible()
    assert planner.page.get_by_role("table", name="What changes").count() == 0


def test_a_higher_service_target_shows_what_it_costs_and_brings(planner: Desk) -> None:
    planner.open("what-if")
    planner.page.get_by_label("Each SKU's own service target").uncheck()
    planner.page.get_by_label("Service target", exact=True).fill("0.99")
    planner.page.get_by_label("Budget").select_option("unlimited")
    planner.page.get_by_label("Also the cost–service curve").check()
    answer = calculated(planner)
    planner.picture("what-if-answer")

    figures = answer.locator("tbody tr > :nth-child(1)").all_inner_texts()
    by_figure = dict(zip(figures, differences(answer), strict=True))
    assert by_figure["Units"].startswith("+")
    assert by_figure["Cost of orders"].startswith("+")
    assert by_figure["Fill rate (expected)"].startswith("+")
    assert planner.page.get_by_role("table", name="What changes").locator("tbody tr").count() > 0
    planner.page.locator("figure.chart summary").click()
    targets = planner.page.get_by_role("table", name="Cost against service").locator(
        "tbody tr > :first-child"
    )
    assert sorted(targets.all_inner_texts()) == ["80%", "85%", "90%", "95%", "97.5%", "99%"]


def test_a_skus_page_leads_to_a_question_about_it_alone(planner: Desk) -> None:
    planner.open(f"sku/{LOCATION}/22289")
    planner.page.locator("main").get_by_role("link", name="What-if").click()
    planner.page.get_by_role("heading", level=1, name="What-if").wait_for()
    calculated(planner)

    expect(planner.page.get_by_text("1 decision of")).to_be_visible()


def test_a_question_that_is_refused_says_why(planner: Desk) -> None:
    planner.open("what-if?scope=sku:nothing")
    planner.page.get_by_role("button", name="Calculate").click()

    expect(planner.page.get_by_role("alert")).to_contain_text("sku:nothing has no SKU in the last plan")
    planner.complaints.clear()  # the browser reports every 422
