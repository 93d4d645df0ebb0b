"""`stockstream features`: the Flink SQL job that turns the shop's events into demand features.

It checks, deduplicates and windows events, and writes features, dead letters, late events and the archive.
Started again, it goes on from its latest checkpoint or savepoint.
"""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from py4j.protocol import Py4JJavaError
from pyflink.table import TableEnvironment

from infra.errors import StockstreamError, exit_with_message
from infra.readiness import announce_ready, ready_file
from infra.settings import Settings, load_settings
from streaming import feature_query, sinks, sources
from streaming.flink_session import start_session, table_environment
from streaming.job_options import (
    check_arguments,
    checkpoint_dir,
    configuration,
    keep_step,
    latest_checkpoint,
    query_configuration,
    savepoint_dir,
)
from streaming.running_job import RunningJob, root_cause
from streaming.zone import Zone, zone_of

START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 15.0

app = typer.Typer(add_completion=False, help=__doc__)


def submit(
    session: TableEnvironment, settings: Settings, zone: Zone, bounded: bool, exactly_once: bool
) -> RunningJob:
    """Submits all queries as one job."""
    name = settings.features_job(zone.name)
    for function, java_class in sources.FUNCTIONS.items():
        session.create_java_temporary_system_function(function, java_class)
    definitions = [*_source_tables(settings, name, bounded), *_views(zone)]
    for definition in [*definitions, *_sink_tables(settings, name, exactly_once)]:
        session.execute_sql(definition)
    session.create_temporary_view("facts", session.sql_query(feature_query.FACTS))
    statements = session.create_statement_set()
    rows = {
        "demand_features": feature_query.feature_rows(settings.feature_step_seconds),
        "turned_away": sinks.turned_away_rows(),
        "archive": sinks.archive_rows(zone),
    }
    for table, query in rows.items():
        statements.add_insert_sql(f"INSERT INTO {table} {query}")
    try:
        client = statements.execute().get_job_client()
    except Py4JJavaError as error:
        raise StockstreamError(f"features job not started: {root_cause(error.java_exception)}") from None
    return RunningJob(client, savepoint_dir(settings, zone.name))


def _source_tables(settings: Settings, name: str, bounded: bool) -> list[str]:
    group, servers = f"stockstream-{name}", settings.bootstrap_servers
    disorder = settings.out_of_orderness_seconds
    tables = [
        sources.source_table(source, group, servers, disorder, bounded) for source in sources.COMPUTED_FROM
    ]
    return [*tables, sources.archived_table(group, servers, bounded)]


def _views(zone: Zone) -> list[str]:
    checked = [view for source in sources.COMPUTED_FROM for view in sources.views(source, zone)]
    return checked + feature_query.views()


def _sink_tables(settings: Settings, name: str, exactly_once: bool) -> list[str]:
    servers = settings.bootstrap_servers
    prefix = {
        sink: f"stockstream-{name}-{sink}" if exactly_once else None for sink in ("rows", "turned-away")
    }
    return [
        sinks.features_table(servers, prefix["rows"]),
        sinks.turned_away_table(servers, prefix["turned-away"]),
        sinks.archive_table(settings.archive_dir, settings.checkpoint_interval_seconds),
    ]


@app.command()
def features(
    run_dir: Annotated[Path | None, typer.Option(help="folder of the stack's files")] = None,
    zone: Annotated[
        str | None, typer.Option(help="its locations are computed; the first of the settings if not given")
    ] = None,
    bounded: Annotated[bool, typer.Option("--bounded", help="stop at the topics' present ends")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="read everything again, ignoring checkpoints")
    ] = False,
    exactly_once: Annotated[
        bool, typer.Option("--exactly-once", help="no duplicates for readers of committed records")
    ] = False,
    parallelism: Annotated[int, typer.Option(min=1, help="at most the partitions of a topic")] = 1,
    on_cluster: Annotated[
        bool,
        typer.Option(
            "--on-cluster", help="Flink's application mode: the cluster restores, sizes and measures"
        ),
    ] = False,
) -> None:
    """Compute demand features until SIGTERM, or with --bounded to the present ends of the topics."""
    settings = load_settings(**({"run_dir": run_dir} if run_dir else {}))
    zone = zone or settings.time_zone
    check_arguments(settings, zone, parallelism)
    name = settings.features_job(zone)
    ready_file(settings.run_dir, name).unlink(missing_ok=True)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    anew = fresh or bounded
    session = (
        _cluster_session(settings, zone, anew)
        if on_cluster
        else _own_session(settings, zone, parallelism, anew)
    )
    job = submit(session, settings, zone_of(settings, zone), bounded, exactly_once)
    _run(job, settings.run_dir, name, stopping)


def _own_session(settings: Settings, zone: str, parallelism: int, anew: bool) -> TableEnvironment:
    """A Flink of this process's own, going on from the latest checkpoint unless it begins `anew`."""
    name, folder = settings.features_job(zone), checkpoint_dir(settings, zone)
    restore_from = None if anew else latest_checkpoint(folder)
    keep_step(folder, settings.feature_step_seconds, restore_from is not None)
    print(
        f"{name}: {f'going on from {restore_from}' if restore_from else 'reading from the beginning'}",
        flush=True,
    )
    options = configuration(settings, zone, parallelism, restore_from)
    return start_session(options, settings.run_dir / "logs" / name, settings.features_heap_mib)


def _cluster_session(settings: Settings, zone: str, anew: bool) -> TableEnvironment:
    """The Flink that has started this process as its application; it knows what to restore, this does not."""
    keep_step(checkpoint_dir(settings, zone), settings.feature_step_seconds, restoring=not anew)
    return table_environment(query_configuration(zone))


def _run(job: RunningJob, run_dir: Path, name: str, stopping: threading.Event) -> None:
    """Announces the job while it runs; returns when it has ended well."""
    job.wait_until_running(START_TIMEOUT_SECONDS)
    announce_ready(run_dir, name)
    try:
        while not job.has_ended():
            if stopping.wait(0.2):
                job.stop(STOP_TIMEOUT_SECONDS)
    finally:
        ready_file(run_dir, name).unlink(missing_ok=True)
    job.raise_failure()


if __name__ == "__main__":
    exit_with_message(app)
