from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from infra.errors import StockstreamError
from serving.api.access import Holders
from serving.api.application import build_api
from serving.api.drivers import Explain
from serving.explained_forecast import Explained, explain_published
from serving.inventory.ledger import Key
from tests.unit.serving.api.small_api import board_of, refuse, shop_log, signed_in, tokens_file
from tests.unit.serving.test_explain import published
from tests.unit.serving.test_forecaster_stage import MODEL, panel


def asked_of(folder: Path, explain: Explain | None) -> TestClient:
    board = board_of(shop_log().entries)
    http = build_api(board, Holders(tokens_file(folder)), lambda: [], refuse, explain=explain)
    return TestClient(http, headers=signed_in("viewer"), raise_server_exceptions=False)


def refusing(reason: str) -> Callable[[Key, int], Explained]:
    def explain(key: Key, days: int) -> Explained:
        raise StockstreamError(reason)

    return explain


def test_drivers_lead_from_the_usual_level_to_the_forecast_largest_first(tmp_path: Path) -> None:
    _, records = published(MODEL)
    http = asked_of(tmp_path, lambda key, days: explain_published(records, panel(), MODEL, key, None, days))
    answer = http.get("/v1/forecasts/gb-main/A/drivers", params={"days": 7}).json()

    units = [each["units"] for each in answer["drivers"]]
    assert answer["days"] == 7
    assert answer["reference"] + sum(units) == pytest.approx(answer["forecast"])
    assert [abs(each) for each in units] == sorted((abs(each) for each in units), reverse=True)
    assert answer["same_context"]


def test_what_cannot_be_explained_is_said_with_its_reason(tmp_path: Path) -> None:
    answer = asked_of(tmp_path, refusing("it is a new item's")).get("/v1/forecasts/gb-main/A/drivers")

    assert (answer.status_code, answer.json()["detail"]) == (409, "it is a new item's")


def test_an_api_without_a_model_says_so(tmp_path: Path) -> None:
    assert asked_of(tmp_path, None).get("/v1/forecasts/gb-main/A/drivers").status_code == 409


def test_a_sku_that_nothing_is_known_of_is_not_found(tmp_path: Path) -> None:
    answer = asked_of(tmp_path, refusing("never asked")).get("/v1/forecasts/gb-main/nothing/drivers")

    assert answer.status_code == 404
