"""Simulated views sent at a fixed rate in real time, whatever becomes of them.

Prints one JSON object: the events sent, the first and last event time, and how far sending fell behind.
"""

import json
import time
from typing import Annotated

import typer

from infra.contracts.codec import message_key
from infra.contracts.topics import CLICKSTREAM
from infra.heartbeat import send_heartbeats
from infra.kafka import Producer

SKUS = 500
_TICK_SECONDS = 0.05
_VIEW = (
    '{{"version":1,"event_id":"{name}","event_time_ms":{time_ms},"sku":"SKU-{sku}","location":"gb-main",'
    '"event_type":"view","session_id":"s-{session}","user_id":"u-{session}"}}'
)

app = typer.Typer(add_completion=False)


@app.command()
def main(
    servers: str, rate: Annotated[int, typer.Argument()], seconds: Annotated[int, typer.Argument()]
) -> None:
    """Send views and, every second, heartbeats to every partition of every input topic."""
    producer = Producer(servers)
    keys = [message_key(f"SKU-{sku}", "gb-main") for sku in range(SKUS)]
    each, ticks = round(rate * _TICK_SECONDS), round(seconds / _TICK_SECONDS)
    began, slip, first_ms = time.time(), 0.0, 0
    for tick in range(ticks):
        due = began + tick * _TICK_SECONDS
        time.sleep(max(0.0, due - time.time()))
        slip = max(slip, time.time() - due)
        time_ms = int(due * 1000)
        first_ms = first_ms or time_ms
        for number in range(tick * each, (tick + 1) * each):
            sku = number * 7919 % SKUS
            name = f"view-{int(began)}-{number}"
            view = _VIEW.format(name=name, time_ms=time_ms, sku=sku, session=number // 40)
            producer.send_bytes(CLICKSTREAM, keys[sku], view.encode())
        if tick % round(1 / _TICK_SECONDS) == 0:
            send_heartbeats(producer, time_ms)
    producer.flush()
    producer.close()
    print(
        json.dumps({"events": ticks * each, "first_ms": first_ms, "last_ms": time_ms, "slip_seconds": slip})
    )


if __name__ == "__main__":
    app()
