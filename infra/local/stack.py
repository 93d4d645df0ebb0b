"""`stockstream up`, `down`: the components of one machine, started as modules, found by name."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import StockstreamError, exit_with_message
from infra.local.broker import Broker, free_ports
from infra.local.processes import Component, started_components
from infra.local.prometheus_server import PrometheusServer
from infra.local.secured_broker import OPERATOR, SHOP, BrokerSecurity
from infra.local.tokens import issue_tokens
from infra.ray_directory import LOOPBACK_RAY
from infra.readiness import ready_file
from infra.settings import Settings, load_settings

FEATURES_TIMEOUT_SECONDS = 240.0
SERVING_TIMEOUT_SECONDS = 300.0
_PORTS = ("api_port", "metrics_port", "flink_metrics_port", "prometheus_port")

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@dataclass(frozen=True)
class Stack:
    """The components of one run directory; `<run_dir>/stack.json` tells every process their addresses."""

    run_dir: Path

    @property
    def components(self) -> list[Component]:
        """In the order they start."""
        settings = self.settings()
        jobs = [settings.features_job(zone) for zone in settings.zones]
        return [Component(name, self.run_dir) for name in ("broker", *jobs, "serving", "prometheus")]

    def settings(self) -> Settings:
        """Settings as the components see them."""
        return load_settings(run_dir=self.run_dir)

    @property
    def security(self) -> BrokerSecurity:
        """Certificates and credentials, if it is a secured stack."""
        return BrokerSecurity(self.run_dir)

    def start_broker(self, secure: bool = False) -> None:
        """Starts the broker, creates the topics and writes the addresses of everything to come.

        Args:
            secure: with TLS, SCRAM and access control. It stays so for the life of the run directory.

        Raises:
            StockstreamError: the run directory already has a broker that is not secured.
        """
        if secure:
            self.security.prepare(self.run_dir / "broker")
        broker = Broker(self.run_dir)
        broker.start()
        ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        addresses = {"bootstrap_servers": broker.bootstrap_servers, **ports}
        if PrometheusServer.is_installed():
            own = f"http://127.0.0.1:{ports['prometheus_port']}"
            addresses |= {"prometheus_url": own, "prometheus_link": own}
        self._addresses_file.write_text(json.dumps(addresses, indent=2))
        broker.create_topics(self.settings().partitions)

    def start_features(self) -> None:
        """Starts the features job of every zone; returns when they consume."""
        settings = self.settings()
        for zone in settings.zones:
            name, module = settings.features_job(zone), "streaming.demand_features_job"
            self._start_module(name, module, FEATURES_TIMEOUT_SECONDS, "--zone", zone)

    def start_serving(self) -> None:
        """Starts forecasting and deciding; returns when it consumes."""
        issue_tokens(self.run_dir, self.settings().tokens_file)
        self._start_module("serving", "serving.app", SERVING_TIMEOUT_SECONDS)

    def start_prometheus(self) -> None:
        """Starts Prometheus on the metric ports of the other components."""
        PrometheusServer(self.run_dir).start(self.prometheus_port(), self.metric_ports())

    def metric_ports(self) -> dict[str, int]:
        """Loopback port of each component's metrics, by name."""
        settings = self.settings()
        jobs = {settings.features_job(zone): settings.features_metrics_port(zone) for zone in settings.zones}
        return {"broker": Broker(self.run_dir).metrics_port, **jobs, "serving": settings.metrics_port}

    def prometheus_port(self) -> int:
        """Loopback port of the stack's Prometheus."""
        return int(self.addresses()["prometheus_port"])

    def addresses(self) -> dict[str, str | int]:
        """What `stack.json` says.

        Raises:
            StockstreamError: no stack was started in this run directory.
        """
        try:
            return dict(json.loads(self._addresses_file.read_text()))
        except FileNotFoundError:
            raise StockstreamError(f"no stack in {self.run_dir}; start one with 'stockstream up'") from None

    def running(self) -> list[str]:
        """Names of the components that have a live process, a stage of a demo among them."""
        return [component.name for component in started_components(self.run_dir) if component.members()]

    def stop(self) -> None:
        """Stops every process started here, serving before the broker, and forgets the addresses.

        Raises:
            WaitExpired: a process outlived its kill.
        """
        stages = [each for each in started_components(self.run_dir) if each not in self.components]
        for component in [*stages, *reversed(self.components)]:
            component.stop()
            ready_file(self.run_dir, component.name).unlink(missing_ok=True)
        self._addresses_file.unlink(missing_ok=True)

    @property
    def _addresses_file(self) -> Path:
        return self.run_dir / "stack.json"

    def _kafka_user(self, component: str) -> dict[str, str]:
        """Environment of a component's user: every zone's features job is the same one."""
        user = "features" if component.startswith("features") else component
        return self.security.environment(user) if self.security.is_on else {}

    def _start_module(self, name: str, module: str, timeout_seconds: float, *arguments: str) -> None:
        ready = ready_file(self.run_dir, name)
        ready.unlink(missing_ok=True)
        component = Component(name, self.run_dir)
        environment = LOOPBACK_RAY | {"STOCKSTREAM_RUN_DIR": str(self.run_dir.resolve())}
        environment |= self._kafka_user(name)
        component.start([sys.executable, "-m", module, *arguments], environment)
        component.wait_until_ready(ready.exists, timeout_seconds)


def start_all(stack: Stack, secure: bool = False) -> None:
    """Starts every component in order, with a line of progress for each; what has started ends if one fails.

    Raises:
        StockstreamError: something runs already, or a component did not come up.
    """
    if running := stack.running():
        raise StockstreamError(f"the stack in {stack.run_dir} runs already ({', '.join(running)})")
    try:
        announce("broker", lambda: stack.start_broker(secure))
        announce("features", stack.start_features)
        announce("serving", stack.start_serving)
        if PrometheusServer.is_installed():
            announce("prometheus", stack.start_prometheus)
    except BaseException:
        stack.stop()
        raise


def announce(name: str, start: Callable[[], None]) -> None:
    """Prints the name, starts the component and prints how long it took."""
    typer.echo(f"  {name:<12}", nl=False)
    began = time.monotonic()
    try:
        start()
    except BaseException:
        typer.echo("failed")
        raise
    typer.echo(f"up in {time.monotonic() - began:.1f} s")


def address_lines(stack: Stack) -> list[str]:
    """Where the stack's parts are reached, for people."""
    settings = stack.settings()
    lines = {
        "Kafka": settings.bootstrap_servers,
        "console": f"http://{settings.api_host}:{settings.api_port}/console/ (sign in: 'stockstream token')",
        "API": f"http://{settings.api_host}:{settings.api_port}",
        "metrics": f"http://127.0.0.1:{settings.metrics_port} http://127.0.0.1:{settings.flink_metrics_port}",
    }
    if Component("prometheus", stack.run_dir).is_running():
        lines["Prometheus"] = f"http://127.0.0.1:{stack.prometheus_port()}"
    if stack.security.is_on:
        files = (str(stack.security.credentials_file(user)) for user in (OPERATOR, SHOP))
        lines["Kafka users"] = f"source {' or '.join(files)}"
    return [f"  {name:<12}{address}" for name, address in lines.items()]


@app.command()
def up(
    secure: Annotated[
        bool, typer.Option("--secure", help="Kafka with TLS, SCRAM users and access control")
    ] = False,
) -> None:
    """Start broker, features job, serving and, where its binary is, Prometheus."""
    stack = Stack(load_settings().run_dir)
    start_all(stack, secure)
    typer.echo("\n".join(address_lines(stack)))


@app.command()
def down(
    everything: Annotated[
        bool, typer.Option("--all", help="also stacks in the other run directories")
    ] = False,
) -> None:
    """Stop the stack; its data stays."""
    own = load_settings().run_dir
    folders = {path.parent for path in own.parent.glob("*/pids")} if everything else {own}
    for folder in sorted(folders):
        stack = Stack(folder)
        running = stack.running()
        stack.stop()
        typer.echo(f"{folder}: " + (f"stopped {', '.join(running)}" if running else "nothing was running"))


if __name__ == "__main__":
    exit_with_message(app)
