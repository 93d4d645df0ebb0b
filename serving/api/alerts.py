"""What Prometheus alarms about, with what the runbook says to do."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from pydantic import BaseModel

from infra.active_alerts import read_active_alerts
from infra.runbook import sections
from serving.api.access import allows

router = APIRouter(tags=["system"])


@dataclass(frozen=True)
class Monitoring:
    """Where Prometheus is asked, and where browsers reach it and Grafana; None is nowhere."""

    prometheus_url: str | None = None
    prometheus_link: str | None = None
    grafana_link: str | None = None


class ShownAlert(BaseModel):
    """An alert that is firing, or pending until it has held for long enough.

    `severity` is `page` or `ticket` for the project's own alerts. `runbook` is the text (Markdown) of its
    section, `runbook_url` what the rule names; null where there is none.
    """

    name: str
    state: str
    severity: str
    since_ms: int
    summary: str
    runbook_url: str | None
    runbook: str | None


class Alerts(BaseModel):
    """Active alerts, those that fire first; `watched` is false where no Prometheus is configured."""

    watched: bool
    items: list[ShownAlert]
    prometheus_link: str | None
    grafana_link: str | None


@router.get("/v1/alerts", **allows("viewer", 503))
def alerts(request: Request) -> Alerts:
    """What is wrong now by Prometheus; 503 where it does not answer."""
    monitoring: Monitoring = request.app.state.monitoring
    url = monitoring.prometheus_url
    shown = [
        ShownAlert(
            **vars(each) | {"runbook_url": each.runbook_url or None}, runbook=sections().get(each.name)
        )
        for each in (read_active_alerts(url) if url else [])
    ]
    return Alerts(
        watched=url is not None,
        items=shown,
        prometheus_link=monitoring.prometheus_link,
        grafana_link=monitoring.grafana_link,
    )
