import csv

from playwright.sync_api import expect

from serving.board.board import Board
from tests.console.desk import Desk

FILTERED = "skus?category=kitchen&status=order&sort=-quantity"


def names(desk: Desk) -> list[str]:
    return desk.page.get_by_role("table", name="SKUs").locator("tbody th a").all_inner_texts()


def test_filters_are_the_address(planner: Desk) -> None:
    planner.open("skus")
    planner.page.get_by_label("Category").select_option("kitchen")
    planner.settle()
    planner.page.get_by_label("Decision").select_option("order")
    planner.settle()
    shown = names(planner)

    assert planner.page.url.endswith("#/skus?category=kitchen&status=order")
    planner.page.reload()
    planner.settle()
    assert names(planner) == shown
    assert planner.page.get_by_label("Category").input_value() == "kitchen"


def test_a_view_is_kept_by_name_and_outlives_a_reload(planner: Desk) -> None:
    planner.open(FILTERED)
    planner.page.get_by_role("button", name="Save view").click()
    dialog = planner.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Kitchen orders")
    dialog.get_by_role("button", name="Save view").click()
    shown = names(planner)
    planner.open("skus")
    planner.page.reload()
    planner.settle()
    planner.page.get_by_label("View", exact=True).select_option("Kitchen orders")
    planner.settle()

    assert names(planner) == shown
    planner.page.get_by_role("button", name="Remove view").click()
    expect(planner.page.get_by_label("View", exact=True).locator("option")).to_have_count(1)


def test_an_export_is_the_filtered_list_with_units_in_its_headers(planner: Desk, board: Board) -> None:
    planner.open("skus?sort=-on_hand")
    with planner.page.expect_download() as download:
        planner.page.get_by_role("button", name="Export CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert download.value.suggested_filename == "skus.csv"
    on_hand = [float(row["On hand (units)"] or "-inf") for row in rows]
    assert len(rows) == len(board.table)
    assert on_hand == sorted(on_hand, reverse=True)


def test_exceptions_are_exported_by_kind(planner: Desk) -> None:
    planner.open("today?kind=overstock")
    with planner.page.expect_download() as download:
        planner.page.get_by_role("button", name="Export CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        assert {row["Exception"] for row in csv.DictReader(file)} == {"overstock"}
