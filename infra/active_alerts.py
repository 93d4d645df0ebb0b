"""What a Prometheus alarms about now."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.request import urlopen

from infra.errors import StockstreamError

_ANSWERS_WITHIN_SECONDS = 5.0


@dataclass(frozen=True)
class ActiveAlert:
    """An alert whose condition holds: `firing`, or `pending` for less than its hold; empty is unknown."""

    name: str
    state: str
    severity: str
    since_ms: int
    summary: str
    runbook_url: str


def read_active_alerts(prometheus_url: str) -> list[ActiveAlert]:
    """Active alerts, firing ones first, then those to get up for, then the oldest.

    Raises:
        StockstreamError: no Prometheus answers there.
    """
    try:
        with urlopen(
            f"{prometheus_url.rstrip('/')}/api/v1/alerts", timeout=_ANSWERS_WITHIN_SECONDS
        ) as answer:
            return alerts_of(json.load(answer))
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        raise StockstreamError(
            f"Prometheus at {prometheus_url} does not answer with its alerts: {error}"
        ) from error


def alerts_of(answer: Mapping[str, Any]) -> list[ActiveAlert]:
    """The alerts in an answer of Prometheus's `/api/v1/alerts`, in order."""
    found = [_alert(each) for each in answer["data"]["alerts"]]
    return sorted(found, key=lambda each: (each.state != "firing", each.severity != "page", each.since_ms))


def _alert(active: Mapping[str, Any]) -> ActiveAlert:
    labels, annotations = active["labels"], active["annotations"]
    return ActiveAlert(
        name=labels["alertname"],
        state=active["state"],
        severity=labels.get("severity", ""),
        since_ms=round(datetime.fromisoformat(active["activeAt"]).timestamp() * 1000),
        summary=annotations.get("summary", ""),
        runbook_url=annotations.get("runbook_url", ""),
    )
