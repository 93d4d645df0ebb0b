"""`stockstream replay`: recomputes published decisions from their inputs in a fresh process."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from infra.contracts.codec import decode
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import AllocationRun, ReorderDecision
from infra.contracts.topics import ALLOCATION_RUNS, DECISIONS, FORECASTS, INTRADAY_FORECASTS
from infra.errors import StockstreamError, exit_with_message
from infra.kafka import read_to_end, topic_partitions
from infra.settings import Settings, load_settings
from serving.reproduction import ForecastKey, Reproduction, forecast_key, reproduce
from serving.revision_triggers import INTRADAY

_SHOWN = 20

app = typer.Typer(add_completion=False, help=__doc__)


class Source(Protocol):
    """Where the records of a topic come from."""

    def values(self, topic: str) -> Iterator[bytes]:
        """The recorded values of a topic, in any order."""
        ...


class TopicSource:
    """Reads the topics of the running stack from their beginning."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def values(self, topic: str) -> Iterator[bytes]:
        """The recorded values of a topic."""
        partitions = topic_partitions([topic], range(self._settings.partitions))
        return (record.value for record in read_to_end(self._settings.bootstrap_servers, partitions))


class FolderSource:
    """Reads `<topic>.jsonl` files, one value per line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def values(self, topic: str) -> Iterator[bytes]:
        """The recorded values of a topic.

        Raises:
            StockstreamError: the folder has no file of that topic.
        """
        file = self._folder / f"{topic}.jsonl"
        try:
            return iter(file.read_bytes().splitlines())
        except OSError as error:
            raise StockstreamError(f"--file {self._folder}: {file.name}: {error.strerror}") from None


def replay_records(source: Source) -> Reproduction:
    """Reads decisions, the forecasts they name and their runs, and recomputes them."""
    decisions: list[ReorderDecision] = _messages(source, DECISIONS)
    named = {forecast_key(decision) for decision in decisions}
    forecasts: dict[ForecastKey, DemandForecast] = {}
    for forecast in _forecasts(source, decisions):
        key = (forecast.sku, forecast.location, forecast.origin_ms, forecast.model_id)
        if key in named:
            forecasts.setdefault(key, forecast)
    runs: list[AllocationRun] = _messages(source, ALLOCATION_RUNS)
    return reproduce(decisions, forecasts, runs)


def _forecasts(source: Source, decisions: Iterable[ReorderDecision]) -> Iterator[DemandForecast]:
    """Those of every day; those within days only where a decision came of one."""
    for value in source.values(FORECASTS):
        yield decode(FORECASTS, value)
    if any(decision.cause.startswith(f"{INTRADAY}:") for decision in decisions):
        for value in source.values(INTRADAY_FORECASTS):
            yield decode(INTRADAY_FORECASTS, value).forecast


def _messages(source: Source, topic: str) -> list[Any]:
    return [decode(topic, value) for value in source.values(topic)]


@app.command()
def replay(
    file: Annotated[
        Path | None, typer.Option(help="a folder with <topic>.jsonl files instead of the topics")
    ] = None,
) -> None:
    """Exits 0 only if every decision and every allocation is reproduced exactly."""
    source = TopicSource(load_settings()) if file is None else FolderSource(file)
    result = replay_records(source)
    for difference in result.differences[:_SHOWN]:
        print(difference)
    runs = ", ".join(f"{count} {status}" for status, count in sorted(result.runs.items())) or "none"
    print(f"{result.reproduced} decisions reproduced exactly, {result.verified} verified; runs: {runs}")
    if result.differences:
        raise StockstreamError(f"{len(result.differences)} recorded values are not what their inputs give")
    if not result.reproduced + result.verified:
        raise StockstreamError("there are no decisions to replay")


if __name__ == "__main__":
    exit_with_message(app)
