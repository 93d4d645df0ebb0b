import hashlib
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.api.access import Holders
from serving.api.application import build_api
from serving.board.board import Board
from tests.console.conftest import tokens_file

CONSOLE = Path(__file__).parents[2] / "serving" / "console"
STATIC = CONSOLE / "static"
VENDORED = {
    "uplot-1.6.32/LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uplot-1.6.32/uPlot.esm.js": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
    "uplot-1.6.32/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
MAX_MODULE_LINES = 300


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    holders = Holders(tokens_file(tmp_path_factory.mktemp("tokens")))
    return TestClient(build_api(Board(), holders, lambda: [], lambda batch: None))


def own_files(*suffixes: str) -> list[Path]:
    return [file for file in STATIC.rglob("*") if file.suffix in suffixes and "vendor" not in file.parts]


def test_vendored_files_are_the_published_ones() -> None:
    vendor = STATIC / "vendor"
    found = {
        str(file.relative_to(vendor)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in vendor.rglob("*")
        if file.is_file()
    }

    assert found == VENDORED


def test_a_page_may_run_only_the_consoles_own_files(client: TestClient) -> None:
    answer = client.get("/console/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_holds_no_script_and_no_style_of_its_own() -> None:
    page = (STATIC / "index.html").read_text()

    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page) == []


def test_no_file_asks_another_host() -> None:
    asking = [
        file.name
        for file in own_files(".html", ".css", ".js", ".svg")
        if re.search(r"https?://(?!www\.w3\.org/)|//cdn", file.read_text())
    ]

    assert asking == []


def test_vendored_files_are_kept_and_own_files_asked_for_again(client: TestClient) -> None:
    vendored = client.get("/console/vendor/uplot-1.6.32/uPlot.esm.js")
    own = client.get("/console/js/app.js")

    assert "immutable" in vendored.headers["cache-control"]
    assert own.headers["cache-control"] == "no-cache"
    assert client.get("/console/js/app.js", headers={"if-none-match": own.headers["etag"]}).status_code == 304


def test_files_outside_the_console_are_not_served(client: TestClient) -> None:
    assert client.get("/console/../pages.py").status_code in (401, 404)
    assert client.get("/console/%2e%2e/pages.py").status_code == 404


def test_no_script_or_style_is_longer_than_a_reader_can_hold() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in own_files(".js", ".css")}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}
