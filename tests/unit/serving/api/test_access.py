import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from infra.api_tokens import ROLES, Role, read_holders, token_digest
from infra.errors import StockstreamError
from serving.api.access import MAX_BODY_BYTES, Holders
from serving.api.application import build_api, described
from serving.board.board import Board
from tests.unit.serving.api.small_api import (
    TOKENS,
    board_of,
    client,
    refuse,
    shop_log,
    signed_in,
    tokens_file,
)

OPEN = {("get", "/healthz"), ("get", "/readyz")}
PAGES = {"/", "/console"}
NEEDS: dict[tuple[str, str], Role] = {
    ("get", path): "viewer"
    for path in (
        "/openapi.json",
        "/v1/alerts",
        "/v1/audit",
        "/v1/decision-actions",
        "/v1/decisions",
        "/v1/decisions/{decision_id}",
        "/v1/decisions/{decision_id}/steps",
        "/v1/events",
        "/v1/exceptions",
        "/v1/export/exceptions.csv",
        "/v1/export/skus.csv",
        "/v1/forecasts/{location}/{sku}",
        "/v1/forecasts/{location}/{sku}/drivers",
        "/v1/labels",
        "/v1/me",
        "/v1/models",
        "/v1/override-value",
        "/v1/overrides",
        "/v1/policies",
        "/v1/positions/{location}/{sku}",
        "/v1/scorecard",
        "/v1/skus",
        "/v1/skus/{location}/{sku}",
        "/v1/skus/{location}/{sku}/days",
        "/v1/skus/{location}/{sku}/history",
        "/v1/skus/{location}/{sku}/projection",
        "/v1/system",
    )
}

NEEDS |= {
    ("post", "/v1/decision-actions"): "planner",
    ("post", "/v1/overrides"): "planner",
    ("post", "/v1/overrides/{override_id}/withdraw"): "planner",
    ("post", "/v1/policies"): "admin",
    ("post", "/v1/policies/{planning_group}/replenishment"): "admin",
    ("post", "/v1/what-if"): "viewer",
}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return build_api(Board(), Holders(tokens_file(tmp_path_factory.mktemp("tokens"))), list, refuse)


def operations(http: FastAPI) -> dict[tuple[str, str], dict[str, Any]]:
    document: Any = described(http)
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_endpoint_declares_the_role_that_this_table_says(http: FastAPI) -> None:
    declared = {each: operation.get("x-role") for each, operation in operations(http).items()}

    assert declared == NEEDS | dict.fromkeys(OPEN)


def test_no_route_is_left_out_of_the_description(http: FastAPI) -> None:
    def paths(routes: list[BaseRoute]) -> set[str]:
        own = {path for route in routes if (path := getattr(route, "path", None))}
        return own.union(*(paths(getattr(route, "routes", None) or []) for route in routes))

    assert paths(http.routes) - PAGES <= {path for _, path in NEEDS} | {path for _, path in OPEN}


def called(path: str) -> str:
    return "/v1/events?seconds=0" if path == "/v1/events" else re.sub(r"{\w+}", "unknown", path)


@pytest.mark.parametrize(("method", "path"), sorted(NEEDS))
@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_role_may_do_what_the_table_says_and_no_more(
    http: FastAPI, method: str, path: str, role: Role | None
) -> None:
    headers = signed_in(role) if role else {}

    status = TestClient(http, headers=headers).request(method, called(path)).status_code

    if role is None:
        assert status == 401
    elif ROLES.index(role) < ROLES.index(NEEDS[method, path]):
        assert status == 403
    else:
        assert status not in (401, 403)
        assert status < 500


def test_health_is_open_and_readiness_names_its_reasons(tmp_path: Path) -> None:
    http = client(tmp_path, Board(), role=None, reasons=["planner is UNHEALTHY"])

    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").status_code == 503
    assert http.get("/readyz").json() == {"ready": False, "reasons": ["planner is UNHEALTHY"]}


def test_an_endpoint_without_a_role_is_refused_to_everybody(tmp_path: Path) -> None:
    http = client(tmp_path, Board(), "admin")
    http.app.add_api_route("/v1/forgotten", lambda: {})  # type: ignore[attr-defined]

    assert http.get("/v1/forgotten").status_code == 403


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz", f"Token {TOKENS['admin']}"]
)
def test_an_unknown_token_is_refused_with_a_problem(tmp_path: Path, header: str) -> None:
    answer = client(tmp_path, Board(), role=None).get("/v1/me", headers={"Authorization": header})

    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"


def test_a_holder_is_told_name_role_and_the_shops_time_zone(tmp_path: Path) -> None:
    for board, zone in ((Board(), None), (board_of(shop_log().entries), "Europe/London")):
        assert client(tmp_path, board, "planner").get("/v1/me").json() == {
            "name": "some-planner",
            "role": "planner",
            "time_zone": zone,
        }


@pytest.mark.parametrize("path", ["/nowhere", "/v1/skus/a"])
def test_what_does_not_exist_is_not_told_to_strangers(tmp_path: Path, path: str) -> None:
    http = client(tmp_path, Board(), role=None)

    assert http.get(path).status_code == 401
    assert http.get(path, headers=signed_in("viewer")).status_code == 404


def test_a_large_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    answer = client(tmp_path, Board(), "admin").request("GET", "/v1/me", content=b"x" * (MAX_BODY_BYTES + 1))

    assert answer.status_code == 413


def test_without_a_tokens_file_nobody_gets_in(tmp_path: Path) -> None:
    assert Holders(tmp_path / "none.json").find("") is None


def test_a_token_that_left_the_file_is_refused_without_a_restart(tmp_path: Path) -> None:
    file = tokens_file(tmp_path)
    holders = Holders(file, reread_seconds=0)
    assert holders.find(TOKENS["planner"]) is not None

    file.write_text(json.dumps([{"name": "new", "role": "planner", "sha256": token_digest("another")}]))

    assert holders.find(TOKENS["planner"]) is None
    assert holders.find("another") is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"name": "a", "role": "owner", "sha256": "' + "0" * 64 + '"}]', "0.role"),
        ('[{"name": "a", "role": "admin", "sha256": "secret"}]', "0.sha256"),
        ('[{"name": "a", "role": "admin", "token": "secret", "sha256": "' + "0" * 64 + '"}]', "0.token"),
        ("{", "YAML|Parser|Scanner"),
    ],
)
def test_an_unusable_tokens_file_is_named_and_its_content_is_not_shown(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "tokens.yaml"
    file.write_text(text)

    with pytest.raises(StockstreamError, match=problem) as raised:
        read_holders(file)
    assert "secret" not in str(raised.value)
