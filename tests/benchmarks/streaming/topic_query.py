"""One plain Flink SQL query over the clickstream, decoded by Flink's JSON format, into a blackhole."""

from typing import Annotated

import typer

from infra.contracts.topics import CLICKSTREAM
from infra.local.verify import ROOT
from streaming.flink_session import start_session
from streaming.job_options import connector_jars

_CLICKS = """CREATE TEMPORARY TABLE clicks (
    event_id STRING, event_time_ms BIGINT, sku STRING, location STRING, event_type STRING, session_id STRING,
    quantity DOUBLE, unit_price ROW<amount STRING, currency STRING>, ts AS TO_TIMESTAMP_LTZ(event_time_ms, 3),
    WATERMARK FOR ts AS ts - INTERVAL '60' SECOND
) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{servers}',
    'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json')"""

_SIX_FEATURES = """COUNT(CASE WHEN event_type = 'view' THEN 1 END),
    COUNT(CASE WHEN event_type = 'search' THEN 1 END),
    COUNT(CASE WHEN event_type = 'add_to_cart' THEN 1 END),
    COUNT(CASE WHEN event_type = 'purchase' THEN 1 END),
    SUM(CASE WHEN event_type = 'purchase' THEN quantity END),
    SUM(CASE WHEN event_type = 'purchase' THEN quantity * CAST(unit_price.amount AS DOUBLE) END)"""
_BLACKHOLE = "CREATE TEMPORARY TABLE nowhere ({columns}) WITH ('connector' = 'blackhole')"
_QUERIES = {
    "decode": (
        "a STRING, b BIGINT, c STRING, d STRING, e STRING, f STRING, g DOUBLE, h STRING",
        """SELECT event_id, event_time_ms, sku, location, event_type, session_id, quantity, unit_price.amount
        FROM clicks""",
    ),
    "cumulate": (
        "a STRING, b STRING, c BIGINT, d BIGINT, e BIGINT, f BIGINT, g DOUBLE, h DOUBLE",
        f"""SELECT sku, location, {_SIX_FEATURES}
        FROM TABLE(CUMULATE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY))
        GROUP BY sku, location, window_start, window_end""",
    ),
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    query: str,
    servers: str,
    backend: str = "hashmap",
    parallelism: Annotated[int, typer.Option()] = 2,
) -> None:
    """Run a query to the end of the topic."""
    options = {
        "pipeline.jars": connector_jars(),
        "parallelism.default": str(parallelism),
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "Europe/London",
        "state.backend.type": backend,
    }
    session = start_session(options, ROOT / ".run" / "logs", heap_mib=2048)
    columns, select = _QUERIES[query]
    session.execute_sql(_CLICKS.format(topic=CLICKSTREAM, servers=servers))
    session.execute_sql(_BLACKHOLE.format(columns=columns))
    session.execute_sql(f"INSERT INTO nowhere {select}").wait()


if __name__ == "__main__":
    app()
