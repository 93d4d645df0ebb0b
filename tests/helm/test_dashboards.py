"""The dashboards are what is declared, and each panel says what it means and where to go on."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from infra.grafana.board import Board, Panel
from infra.grafana.dashboards import BOARDS, CHART_FOLDER, FOLDER, dashboard_texts
from infra.prometheus.rules import ALERTS
from tests.helm.chart import PRODUCTION, objects
from tests.promql import known_names, names_in

PANELS = [pytest.param(panel, id=f"{board.uid}: {panel.title}") for board in BOARDS for panel in board.panels]


@pytest.mark.parametrize("folder", [FOLDER, CHART_FOLDER], ids=["infra", "helm"])
def test_the_dashboards_files_are_what_the_declarations_say(folder: Any) -> None:
    kept = {file.name: file.read_text() for file in folder.glob("*.json")}

    assert kept == dashboard_texts(), f"python -m infra.grafana.dashboards --out {folder}"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_explains_itself_and_reads_only_metrics_that_exist(panel: Panel) -> None:
    assert panel.description.endswith(".")
    assert panel.unit
    assert [value for value, _ in panel.steps[1:]] == sorted(value for value, _ in panel.steps[1:] if value)
    assert panel.alert is None or panel.alert in {alert.name for alert in ALERTS}
    for query in panel.queries:
        assert names_in(re.sub(r"\$__\w+", "1m", query.expression)) <= known_names()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_no_panel_covers_another_and_every_one_has_its_own_number(board: Board) -> None:
    panels = board.json()["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [pair for pair in combinations([panel["gridPos"] for panel in panels], 2) if overlap(*pair)] == []
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    apart_across = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart_down = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (apart_across or apart_down)


def test_the_chart_brings_every_dashboard_where_grafanas_sidecar_finds_it() -> None:
    found = [each for each in objects(values=PRODUCTION) if "grafana_dashboard" in each["metadata"]["labels"]]

    assert {name for each in found for name in each["data"]} == set(dashboard_texts())
    for each in found:
        (text,) = each["data"].values()
        links = json.loads(text)["links"]
        assert "https://runbooks.example.com/stockstream" in {link.get("url") for link in links}
