"""`stockstream retrain`: replaces the current model if the Forecaster asked for it; run by any scheduler.

History and training run as the verbs do, on everything that has happened up to now. The gate decides as
ever: a request stays open until a model passes it, and meanwhile the fallback forecasts.
"""

import subprocess
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from batch.forecaster.artifact import current_model
from infra.contracts.codec import decode
from infra.contracts.demand import RetrainRequest
from infra.contracts.topics import RETRAIN_REQUESTS
from infra.errors import StockstreamError, exit_with_message
from infra.kafka import read_to_end, topic_partitions
from infra.settings import Settings, load_settings

app = typer.Typer(help=__doc__, add_completion=False)


def open_request(requests: Iterable[RetrainRequest], model_id: str | None) -> RetrainRequest | None:
    """The request that is open: it names the model that is current."""
    return next((request for request in requests if request.model_id == model_id), None)


def published_requests(settings: Settings) -> list[RetrainRequest]:
    """Every request in the topic.

    Raises:
        StockstreamError: no broker answers.
    """
    partitions = topic_partitions([RETRAIN_REQUESTS], range(settings.partitions))
    records = read_to_end(settings.bootstrap_servers, partitions)
    return [decode(RETRAIN_REQUESTS, record.value) for record in records]


def run_verb(module: str, *arguments: str) -> None:
    """Runs a verb's module in a process of its own, its output shown.

    Raises:
        StockstreamError: it failed.
    """
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
    if done.returncode:
        raise StockstreamError(f"{module} ended with exit status {done.returncode}; the request stays open")


@app.command()
def main(
    epochs: Annotated[
        int | None, typer.Option(min=1, help="passes of training; the usual by default")
    ] = None,
) -> None:
    """Trains, gates and promotes a successor of a model that forecasts worse than the fallback."""
    settings = load_settings()
    before = current_model(settings.models_dir)
    request = open_request(published_requests(settings), before)
    if request is None:
        typer.echo(f"no request to retrain {before or 'any model'} is open")
        return
    typer.echo(f"model {request.model_id}: {request.reason}")
    run_verb("batch.demand_history")
    run_verb("batch.train_forecaster", *([] if epochs is None else ["--epochs", str(epochs)]))
    after = current_model(settings.models_dir)
    typer.echo(f"model {after} is current now" if after != before else "the request stays open")


if __name__ == "__main__":
    exit_with_message(app)
