"""Quantities per SKU in tumbling windows of a minute, in Flink SQL or default Python DataStream.

Event number n is of SKU `hash(n) % 10,000`, n * 10 ms after 1970, of quantity n % 5 + 1; bytewax does the
same in `bytewax_window.py`.
"""

import sys
from typing import Annotated, Any

import typer
from pyflink.common import Configuration, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import AggregateFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.window import TumblingEventTimeWindows

from infra.local.verify import ROOT
from streaming.flink_session import start_session

_NUMBERS = """CREATE TEMPORARY TABLE numbers (
    n BIGINT, sku AS MOD(MOD(n * 2654435761, 4294967296), 10000), quantity AS MOD(n, 5) + 1,
    ts AS TO_TIMESTAMP_LTZ(n * 10, 3), WATERMARK FOR ts AS ts
) WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'fields.n.kind' = 'sequence',
    'fields.n.start' = '0', 'fields.n.end' = '{last}')"""
_NOWHERE = "CREATE TEMPORARY TABLE nowhere (a BIGINT, b BIGINT, c BIGINT) WITH ('connector' = 'blackhole')"
_WINDOW = """INSERT INTO nowhere SELECT sku, COUNT(*), SUM(quantity)
    FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
    GROUP BY sku, window_start, window_end"""

app = typer.Typer(add_completion=False)


@app.command()
def sql(events: Annotated[int, typer.Argument()]) -> None:
    """The window in Flink SQL."""
    options = {"parallelism.default": "1", "pipeline.object-reuse": "true"}
    session = start_session(options, ROOT / ".run" / "logs", heap_mib=2048)
    session.execute_sql(_NUMBERS.format(last=events - 1))
    session.execute_sql(_NOWHERE)
    session.execute_sql(_WINDOW).wait()


class _EventTime(TimestampAssigner):  # type: ignore[misc]
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[2])


class _CountAndSum(AggregateFunction):  # type: ignore[misc]
    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: Any, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + 1, accumulator[1] + value[1]

    def get_result(self, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator

    def merge(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        return a[0] + b[0], a[1] + b[1]


@app.command()
def datastream(events: Annotated[int, typer.Argument()]) -> None:
    """The window in a Python DataStream program with Flink's default options."""
    configured = Configuration()
    configured.set_string("python.executable", sys.executable)
    environment = StreamExecutionEnvironment.get_execution_environment(configured)
    environment.set_parallelism(1)
    numbers = environment.from_source(
        NumberSequenceSource(0, events - 1), WatermarkStrategy.no_watermarks(), "numbers", Types.LONG()
    )
    row = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG()])
    rows = numbers.map(lambda n: (n * 2654435761 % 4294967296 % 10_000, n % 5 + 1, n * 10), output_type=row)
    in_order = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(_EventTime())
    windows = rows.assign_timestamps_and_watermarks(in_order).key_by(
        lambda value: value[0], key_type=Types.LONG()
    )
    pair = Types.TUPLE([Types.LONG(), Types.LONG()])
    counted = windows.window(TumblingEventTimeWindows.of(Time.minutes(1))).aggregate(
        _CountAndSum(), accumulator_type=pair, output_type=pair
    )
    counted.filter(lambda value: False).print()
    environment.execute("tumbling window")


if __name__ == "__main__":
    app()
