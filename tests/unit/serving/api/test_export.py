import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.api.export import csv_of
from tests.unit.serving.api.small_api import board_of, client, shop_log

FORMULA_STARTS = "=+-@\t\r\n"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client(tmp_path_factory.mktemp("tokens"), board_of(shop_log().entries))


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), min_size=2, max_size=2)
    )
)
def test_no_text_begins_as_a_formula_and_all_of_it_is_there(lines: list[list[str]]) -> None:
    text = "".join(csv_of(["one", "two"], lines))
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]

    assert [[cell.removeprefix("'") for cell in line] for line in read] == [
        [cell.removeprefix("'") for cell in line] for line in lines
    ]
    assert not any(cell.startswith(tuple(FORMULA_STARTS)) for line in read for cell in line)


def test_a_negative_number_stays_a_number() -> None:
    lines: list[list[str | float | None]] = [[-1.5, 1], [None, 2], ["-1.5", 3]]

    assert list(csv_of(["n", "m"], lines)) == ["n,m\r\n-1.5,1\r\n,2\r\n'-1.5,3\r\n"]


def test_an_export_has_every_row_of_the_list_in_its_order(http: TestClient) -> None:
    question = {"sort": "-on_hand", "status": "order"}
    shown = http.get("/v1/skus", params=question).json()["items"]
    answer = http.get("/v1/export/skus.csv", params=question)

    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="skus.csv"' in answer.headers["content-disposition"]
    rows = parsed(answer.text)
    assert [row["SKU"] for row in rows] == [row["sku"] for row in shown]
    assert [float(row["On hand (units)"]) for row in rows] == [row["on_hand"] for row in shown]


def test_an_export_of_exceptions_is_the_list_too(http: TestClient) -> None:
    shown = http.get("/v1/exceptions").json()["items"]
    rows = parsed(http.get("/v1/export/exceptions.csv").text)

    assert len(rows) == len(shown) > 0
    assert [(row["SKU"], row["Exception"], row["Reason"]) for row in rows] == [
        (row["sku"], row["kind"], row["reason"]) for row in shown
    ]


def test_an_export_refuses_the_order_that_the_list_refuses(http: TestClient) -> None:
    for name in ("skus", "exceptions"):
        assert http.get(f"/v1/export/{name}.csv", params={"sort": "colour"}).status_code == 422


def test_more_rows_than_a_page_holds_come_in_one_export() -> None:
    pieces = list(csv_of(["n"], ([number] for number in range(1200))))

    assert len(pieces) == 3
    assert len(parsed("".join(pieces))) == 1200
