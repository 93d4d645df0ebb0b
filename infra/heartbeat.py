"""`stockstream heartbeat`: tells every partition of every input topic that event time has passed.

Event time only moves when records come. In production this runs beside the shop's producers, so that a quiet
partition does not hold back the close of a day; a replay sends its own heartbeats in event time.
"""

import time
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from infra.contracts.topics import ARCHIVED
from infra.errors import exit_with_message
from infra.kafka import Producer
from infra.prometheus_meters import PrometheusMeters, exposed
from infra.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)


def send_heartbeats(producer: Producer, event_time_ms: int) -> None:
    """Sends one heartbeat to every partition of every archived topic; returns when all are acknowledged."""
    for topic in ARCHIVED:
        producer.send_heartbeat(topic, event_time_ms)
    producer.flush()


@app.command()
def heartbeat(
    every: Annotated[float, typer.Option(min=0.1, help="seconds between heartbeats")] = 10.0,
    once: Annotated[bool, typer.Option(help="send one heartbeat and end")] = False,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="expose metrics here; nowhere if not given")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="address that the metrics port binds to")] = "127.0.0.1",
) -> None:
    """Sends heartbeats of the present minus the bound of disorder, for ever unless `--once`."""
    settings, meters = load_settings(), PrometheusMeters()
    with ExitStack() as stack:
        producer = stack.enter_context(closing(Producer(settings.bootstrap_servers)))
        if metrics_port is not None:
            stack.enter_context(exposed(meters, metrics_host, metrics_port))
        while True:
            event_time = time.time() - settings.out_of_orderness_seconds
            send_heartbeats(producer, int(event_time * 1000))
            meters.record("stockstream_heartbeats_total")
            meters.record("stockstream_last_heartbeat_seconds", event_time)
            if once:
                return
            time.sleep(every)


if __name__ == "__main__":
    exit_with_message(app)
