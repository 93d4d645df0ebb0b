"""`stockstream status`: the stack's health in the terminal; exit status 1 if something is wrong."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.errors import exit_with_message
from infra.local.health import Health, health, read_alerts
from infra.local.metric_page import read_page
from infra.local.prometheus_server import PrometheusServer
from infra.local.stack import Stack, address_lines
from infra.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)


def stack_health(stack: Stack) -> Health:
    """Asks every component of the stack; what does not run is down, whatever it told before."""
    components = {
        component.name: component.memory_bytes() if component.members() else None
        for component in stack.components
        if component.name != "prometheus" or PrometheusServer.is_installed()
    }
    if all(memory is None for memory in components.values()):
        return health(components, {}, None)
    pages = {
        name: read_page(port) for name, port in stack.metric_ports().items() if components[name] is not None
    }
    has_prometheus = components.get("prometheus") is not None
    return health(components, pages, read_alerts(stack.prometheus_port()) if has_prometheus else None)


def health_lines(found: Health) -> Iterator[str]:
    """The health for people."""
    for name, memory in found.components.items():
        yield f"  {name:<12}" + ("down" if memory is None else f"up, {memory / 2**20:.0f} MiB")
    yield ""
    yield f"  {'stage':<12}{'lag':>9}{'waiting':>10}  last epoch (UTC)"
    for name, stage in found.stages.items():
        waiting = _number(stage.waiting_seconds, " s")
        yield f"  {name:<12}{_number(stage.lag_records):>9}{waiting:>10}  {_instant(stage.last_epoch)}"
    yield ""
    yield f"  {'clock':<12}{_instant(found.clock)} (newest event time of the shop)"
    behind = ", ".join(f"{name} {_duration(seconds)}" for name, seconds in found.behind_seconds.items())
    yield f"  {'behind it':<12}{behind}"
    yield f"  {'turned away':<12}{_number(found.dead_letters)} dead letters, {_number(found.late)} late"
    share = None if found.fallback_share is None else 100 * found.fallback_share
    age = _number(found.model_age_days, " days")
    yield f"  {'model':<12}knows all but the last {age}; {_number(share, ' %')} of forecasts by the fallback"
    yield f"  {'alerts':<12}{_alerts(found)}"


def _alerts(found: Health) -> str:
    if found.alerts is None:
        return "unknown: no Prometheus answers"
    return ", ".join(f"{alert.name} {alert.state}" for alert in found.alerts) or "none"


def _number(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:,.0f}{unit}"


def _instant(seconds: float | None) -> str:
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.1f} days"


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False) -> None:
    """Show whether the components run, how far behind the stages are, and what is alarming."""
    stack = Stack(load_settings().run_dir)
    found = stack_health(stack)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        typer.echo("\n".join(health_lines(found)))
        if stack.running():
            typer.echo("\n".join(["", *address_lines(stack)]))
        typer.echo("\nhealthy" if not found.problems else "\nnot healthy: " + "; ".join(found.problems))
    if found.problems:
        raise typer.Exit(1)


if __name__ == "__main__":
    exit_with_message(app)
