"""`stockstream sizing`: the chart's values for a shop, from its events per second and its SKUs.

Every coefficient was measured on this project's own runs; its docstring says where. What was not measured
(memory of the Planner by SKU, several brokers) keeps the chart's default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Annotated, Any

import typer
import yaml

from infra.contracts.topics import ACCURACY, CLICKSTREAM, FEATURES, FORECASTS, STOCK_LEVELS, TOPICS
from infra.errors import StockstreamError, exit_with_message

DAY_SECONDS = 86_400
GIB = 2**30

EVENTS_PER_CORE_SECOND = 13_000
"""All features, broker on the same cores: 26,000 on 2 cores, the slowest day of `make bench-streaming`."""
PLANNED_LOAD = 0.5
"""Share of that rate to plan with, so that a backlog is worked off at twice the rate it came."""
STATE_DAYS = 4
"""How long the features job keeps what it has seen (`table.exec.state.ttl`)."""
STATE_BYTES_PER_EVENT = 101
"""Savepoint after `make demo DAYS=10`: 808,693 bytes for 8,007 clicks, as if all of it were theirs."""
STATE_BYTES_PER_SKU = 8_087
"""The same savepoint by its 100 SKUs, as if all of it were theirs: together an upper bound."""
CLICK_BYTES = 300
"""A click with its key, uncompressed; the replayed shop, which compresses, takes 46 on the broker's disk."""
ARCHIVED_CLICK_BYTES = 412
"""Mean line of the archive's clickstream after `make demo DAYS=10`."""
SKU_DAY_BYTES: Mapping[str, int] = {FORECASTS: 4_652, FEATURES: 1_180, ACCURACY: 480, STOCK_LEVELS: 316}
"""On the broker's disk, compressed, one copy, after `make demo DAYS=10` (hourly rows, weekly reviews).

Stock levels stand for all topics of stock and orders. Accuracy had 144, with 1.2 of 4 horizons matured.
"""
FORECASTS_PER_SECOND = 300
"""Of the one Forecaster, in one thread: 308 to 336 a second of CPU time, 500 joint paths, states kept."""
FORECASTER_BYTES, FORECASTER_BYTES_PER_SKU = 1_004_000_000, 82_000
"""The process without SKUs; kept state (56 kB) and panel of 600 days (26 kB) of each of 512 series."""
FULL_DISK = 0.7
"""Share of a broker's disk to fill."""
PARTITIONS = (4, 12, 24, 48, 96)
MAX_CORES = PARTITIONS[-1] // 2

app = typer.Typer(add_completion=False, help=__doc__)


class Format(StrEnum):
    """What `stockstream sizing` prints."""

    TABLE = "table"
    VALUES = "values"


@dataclass(frozen=True)
class Shop:
    """Clicks a second in the busiest hour, SKUs times their locations, days of archive on the volume."""

    events_per_second: float
    skus: int
    archive_days: int = 90

    @property
    def events_a_day(self) -> float:
        """As if the busiest hour lasted all day."""
        return self.events_per_second * DAY_SECONDS


def feature_cores(shop: Shop) -> int:
    """Cores, and parallelism, of the features job.

    Raises:
        StockstreamError: more than the most partitions carry.
    """
    most = MAX_CORES * EVENTS_PER_CORE_SECOND * PLANNED_LOAD
    if shop.events_per_second > most:
        raise StockstreamError(
            f"--events-per-second has value {shop.events_per_second:g}: at most {most:g} is accepted"
        )
    return max(1, ceil(shop.events_per_second / (EVENTS_PER_CORE_SECOND * PLANNED_LOAD)))


def partitions(shop: Shop) -> int:
    """Partitions of every topic: twice the cores at least, since they can never be changed."""
    return next(count for count in PARTITIONS if count >= 2 * feature_cores(shop))


def state_bytes(shop: Shop) -> float:
    """State of the features job: what it has seen in four days, and its SKUs."""
    events = STATE_DAYS * shop.events_a_day
    return events * STATE_BYTES_PER_EVENT + shop.skus * STATE_BYTES_PER_SKU


def kafka_bytes(shop: Shop) -> float:
    """One copy of all topics, at the end of their retention."""
    clicks = shop.events_a_day * CLICK_BYTES * TOPICS[CLICKSTREAM].retention_days
    each_sku = sum(size * TOPICS[name].retention_days for name, size in SKU_DAY_BYTES.items())
    return clicks + shop.skus * each_sku


def archive_bytes(shop: Shop) -> float:
    """Archived clicks of the days that the volume holds."""
    return shop.events_a_day * ARCHIVED_CLICK_BYTES * shop.archive_days


def forecast_seconds(shop: Shop) -> float:
    """From the close of a day to its last SKU's forecast."""
    return shop.skus / FORECASTS_PER_SECOND


def forecaster_bytes(shop: Shop) -> float:
    """Memory of the Forecaster."""
    return FORECASTER_BYTES + shop.skus * FORECASTER_BYTES_PER_SKU


def gibibytes(size: float, least: int = 1) -> str:
    """A quantity of Kubernetes, rounded up."""
    return f"{max(least, ceil(size / GIB))}Gi"


def chart_values(shop: Shop) -> dict[str, Any]:
    """Values of the chart: three brokers hold a copy each, a worker the Forecaster and 4 GiB besides."""
    cores = feature_cores(shop)
    # Of a checkpoint and a savepoint, besides the archive.
    volume = archive_bytes(shop) + 2 * state_bytes(shop)
    memory = gibibytes(forecaster_bytes(shop) + 4 * GIB, least=6)
    disk = {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "6Gi"}}
    return {
        "partitions": partitions(shop),
        "storage": {"size": gibibytes(volume, least=50)},
        "kafka": {
            "strimzi": {"brokers": {"storageSize": gibibytes(kafka_bytes(shop) / FULL_DISK, least=10)}}
        },
        "features": {
            "parallelism": cores,
            "scratchSize": gibibytes(2 * state_bytes(shop) / ceil(cores / 2), least=10),
            "taskManager": {"replicas": ceil(cores / 2), "slots": min(cores, 2), "cpu": min(cores, 2)},
        },
        "serving": {
            "workers": {
                "resources": {
                    "requests": {"cpu": "2", "memory": memory} | disk["requests"],
                    "limits": {"memory": memory} | disk["limits"],
                }
            }
        },
    }


def figures(shop: Shop) -> list[tuple[str, str]]:
    """The figures behind the values: what, and how much."""
    return [
        ("cores of the features job, at half load", f"{feature_cores(shop)}"),
        ("partitions", f"{partitions(shop)}"),
        (f"state of the features job, {STATE_DAYS} days, at most", gibibytes(state_bytes(shop))),
        ("all topics at the end of their retention, one copy", gibibytes(kafka_bytes(shop))),
        (f"archive of clicks, {shop.archive_days} days", gibibytes(archive_bytes(shop))),
        ("memory of the Forecaster", gibibytes(forecaster_bytes(shop))),
        ("time of a day's forecasts", f"{forecast_seconds(shop):.0f} s"),
    ]


def table(shop: Shop) -> str:
    """The figures, aligned for people."""
    rows = figures(shop)
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {size}" for name, size in rows)


@app.command()
def sizing(
    events_per_second: Annotated[float, typer.Option(min=0, help="clicks a second in the busiest hour")],
    skus: Annotated[int, typer.Option(min=1, help="SKUs times their locations")],
    archive_days: Annotated[int, typer.Option(min=1, help="days that the volume holds the archive")] = 90,
    output: Annotated[
        Format, typer.Option("--format", help="table for people, values for the chart")
    ] = Format.TABLE,
) -> None:
    """Prints what a shop of this size needs."""
    shop = Shop(events_per_second, skus, archive_days)
    if output is Format.VALUES:
        print(yaml.safe_dump(chart_values(shop), sort_keys=False), end="")
    else:
        print(table(shop))


if __name__ == "__main__":
    exit_with_message(app)
