"""The window of `tumbling_window.py` in bytewax; runs in an environment of its own: `python FILE EVENTS`."""

import sys
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.testing import TestingSink, TestingSource, run_main

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Event = tuple[datetime, int]


def event(n: int) -> tuple[str, Event]:
    """Key and event number n."""
    return str(n * 2654435761 % 4294967296 % 10_000), (EPOCH + timedelta(milliseconds=n * 10), n % 5 + 1)


def main(events: int) -> None:
    """Run the window over so many events."""
    flow = Dataflow("tumbling_window")
    keyed = op.map("event", op.input("numbers", flow, TestingSource(range(events), batch_size=1000)), event)
    counted = fold_window(
        "count",
        keyed,
        EventClock(lambda value: value[0], wait_for_system_duration=timedelta(0)),
        TumblingWindower(length=timedelta(minutes=1), align_to=EPOCH),
        builder=lambda: (0, 0),
        folder=lambda state, value: (state[0] + 1, state[1] + value[1]),
        merger=lambda a, b: (a[0] + b[0], a[1] + b[1]),
    )
    nothing = op.filter("nothing", counted.down, lambda _: False)
    op.output("out", nothing, TestingSink([]))
    run_main(flow)


if __name__ == "__main__":
    main(int(sys.argv[1]))
