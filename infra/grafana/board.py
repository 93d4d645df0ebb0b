"""Panels and dashboards as data, and the JSON that Grafana 11 or newer loads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA_VERSION = 39
RUNBOOK = "infra/runbook.md"
COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_HEIGHTS = {"stat": 4, "bargauge": 8, "timeseries": 8}

Step = tuple[float | None, Literal["green", "yellow", "red", "blue"]]
"""From this value on, this colour; None begins."""

NEUTRAL: tuple[Step, ...] = ((None, "blue"),)


@dataclass(frozen=True)
class Query:
    """An expression and the name of its series; `{{label}}` is filled in."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One question and its answer.

    Args:
        title: the question, short.
        description: what it means and what is normal, for somebody who did not build it.
        unit: Grafana's name of the unit.
        queries: its series.
        kind: a number now, bars now, or a course.
        steps: where it becomes worth a look.
        width: of 24 columns.
        alert: the section of the runbook that it leads to.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["stat", "bargauge", "timeseries"] = "timeseries"
    steps: tuple[Step, ...] = NEUTRAL
    width: int = 8
    alert: str | None = None

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """As Grafana reads it, at a place of the grid."""
        targets = [
            {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query.expression}
            | {"legendFormat": query.legend or "__auto", "instant": self.kind != "timeseries"}
            for index, query in enumerate(self.queries)
        ]
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": _SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": _HEIGHTS[self.kind]},
            "targets": targets,
            "fieldConfig": {"defaults": self._field_defaults(), "overrides": []},
            "options": _options(self.kind),
            "links": _runbook_links(self.alert),
        }

    def _field_defaults(self) -> dict[str, Any]:
        steps = [{"value": value, "color": color} for value, color in self.steps]
        marks_thresholds = self.kind == "timeseries" and len(self.steps) > 1
        custom = {"thresholdsStyle": {"mode": "line"}} if marks_thresholds else {}
        palette = "palette-classic" if self.kind == "timeseries" else "thresholds"
        return {
            "unit": self.unit,
            "color": {"mode": palette},
            "thresholds": {"mode": "absolute", "steps": steps},
            "custom": custom,
        }


@dataclass(frozen=True)
class Board:
    """A dashboard: rows of panels under headings."""

    uid: str
    title: str
    description: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for _, panels in self.rows for panel in panels)

    def json(self) -> dict[str, Any]:
        """As Grafana reads it."""
        others = {"type": "dashboards", "title": "Stockstream", "tags": ["stockstream"], "asDropdown": True}
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["stockstream"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "links": [others, *_runbook_links("")],
            "templating": {"list": [_source_variable()]},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[dict[str, Any]]:
        number = y = 0
        for heading, panels in self.rows:
            number += 1
            yield {"id": number, "type": "row", "title": heading, "collapsed": False, "panels": []} | {
                "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            }
            x, y, height = 0, y + 1, 0
            for panel in panels:
                if x + panel.width > COLUMNS:
                    x, y, height = 0, y + height, 0
                number += 1
                yield panel.json(number, x, y)
                x, height = x + panel.width, max(height, _HEIGHTS[panel.kind])
            y += height


def _source_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _runbook_links(alert: str | None) -> list[dict[str, Any]]:
    if alert is None:
        return []
    anchor = f"#{alert.lower()}" if alert else ""
    link = {
        "title": f"Runbook: {alert}" if alert else "Runbook",
        "url": RUNBOOK + anchor,
        "targetBlank": True,
    }
    return [link if alert else link | {"type": "link", "icon": "doc"}]


def _options(kind: str) -> dict[str, Any]:
    if kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return reduced | ({"orientation": "horizontal"} if kind == "bargauge" else {"graphMode": "area"})
