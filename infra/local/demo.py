"""`stockstream demo`: every stage once, on fresh state, with progress, time and memory; then down again."""

import json
import os
import shutil
import signal
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from infra.errors import exit_with_message
from infra.local.processes import Component
from infra.local.prometheus_server import PrometheusServer
from infra.local.stack import Stack, address_lines
from infra.local.stages import Say, Stage, StageRunner, run_module

ROOT = Path(__file__).parents[2]
RUN_DIR = ROOT / ".run" / "demo"
MAPPING = ROOT / "infra" / "local" / "online_retail" / "mapping.yaml"
FIRST_REPLAYED_DAY = "2011-09-19"
BATCH_STAGES = ("import", "history", "train", "shop", "report")

app = typer.Typer(help=__doc__, add_completion=False)


class Demo:
    """The stages of the demo over one stack."""

    def __init__(self, stack: Stack, days: int | None) -> None:
        self._stack = stack
        self._shop_arguments = ["--from", FIRST_REPLAYED_DAY, *(["--days", str(days)] if days else [])]
        self._batch = {name: Component(name, stack.run_dir) for name in BATCH_STAGES}
        self._runner = StageRunner(8, [*stack.components, *self._batch.values()], typer.echo)

    def run(self) -> None:
        """Runs all stages; the report reads the timings of those before it from `timings.json`.

        Raises:
            StockstreamError: a stage failed; everything has been stopped then.
        """
        self.start()
        self._runner.run(self._verb("shop", "serving.simulation.shop", *self._shop_arguments))
        self._write_timings()
        self._runner.run(Stage("report", self._report))
        self._write_timings()
        typer.echo("\n" + self._batch["report"].output_file.read_text())

    def start(self) -> None:
        """The stages before the shop opens: history, a trained model, and a stack that waits for events.

        Raises:
            StockstreamError: a stage failed; everything has been stopped then.
        """
        runner = self._runner
        history = ["--mapping", str(MAPPING), "--until", FIRST_REPLAYED_DAY]
        runner.run(Stage("broker", self._start_broker), self._verb("import", "batch.bulk_import", *history))
        runner.run(self._verb("history", "batch.demand_history"))
        runner.run(self._verb("train", "batch.train_forecaster"))
        runner.run(Stage("features", self._start_features), Stage("serving", self._start_serving))

    def _verb(self, name: str, module: str, *arguments: str) -> Stage:
        return Stage(name, lambda say: run_module(self._batch[name], module, arguments, say))

    def _report(self, say: Say) -> None:
        run_module(self._batch["report"], "serving.simulation.report", [], say=lambda line: None)

    def _start_broker(self, say: Say) -> None:
        self._stack.start_broker()
        say(self._stack.settings().bootstrap_servers)

    def _start_features(self, say: Say) -> None:
        self._stack.start_features()

    def _start_serving(self, say: Say) -> None:
        self._stack.start_serving()
        if PrometheusServer.is_installed():
            self._stack.start_prometheus()
        say(f"API on port {self._stack.settings().api_port}")

    def _write_timings(self) -> None:
        timings = [asdict(timing) for timing in self._runner.timings]
        (self._stack.run_dir / "timings.json").write_text(json.dumps(timings, indent=2))


def fresh_stack() -> Stack:
    """The demo's stack, on an empty folder that every process started from here finds."""
    os.environ["STOCKSTREAM_RUN_DIR"] = str(RUN_DIR)
    stack = Stack(RUN_DIR)
    stack.stop()
    shutil.rmtree(RUN_DIR, ignore_errors=True)
    return stack


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="leave the stack running")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="replay only so many days")] = None,
) -> None:
    """Run everything once: history, training, stream, serving, the shop's replay and the result."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    stack = fresh_stack()
    kept = False
    try:
        Demo(stack, days).run()
        kept = keep
    finally:
        if not kept:
            stack.stop()
    typer.echo(
        f"All of it took {time.monotonic() - began:.0f} s; everything is in {RUN_DIR}, see report.json"
    )
    if kept:
        typer.echo("\n".join(["The stack runs on; 'make down' ends it.", *address_lines(stack)]))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    exit_with_message(app)
