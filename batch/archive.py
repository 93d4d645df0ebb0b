"""`stockstream archive`: new archive files become deduplicated Parquet, one whole day at a time.

A day of a dataset whose files changed is written anew from all of them, beside the old one; replacing
`events/_manifest.json` makes all new days current at once. All copies of an event lie in the same day, since
its writers place it by its event time. A record delivered again has its offset and its bytes: a broker that
starts anew gives the old offsets to other records.
"""

import hashlib
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pyspark.sql import DataFrame, SparkSession, functions

from batch.import_files import replace_text, visible_files
from batch.spark_session import spark_session
from infra.errors import exit_with_message
from infra.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)

Day = dict[str, Any]

_ARCHIVED = (
    "topic STRING, partition STRING, offset BIGINT, late BOOLEAN, value STRING, dataset STRING, day STRING"
)
_FIELDS = "event_id STRING, event_type STRING, event_time_ms BIGINT, sku STRING, location STRING"
EVENT_COLUMNS = "topic STRING, partition STRING, offset BIGINT, late BOOLEAN, value STRING, " + _FIELDS
"""Columns of the events: where a record came from, its JSON text, and the fields that most topics share."""

_NUMBERED = f"""
SELECT topic, partition, offset, late, value, fields.*, dataset, day, delivery,
       CASE WHEN fields.event_id IS NOT NULL AND delivery = 1 THEN row_number() OVER (
         PARTITION BY dataset, day, delivery, fields.event_id ORDER BY topic, partition, offset
       ) ELSE 1 END AS occurrence
FROM (
  SELECT *, from_json(value, '{_FIELDS}') AS fields,
         row_number() OVER (PARTITION BY dataset, day, topic, partition, offset, value ORDER BY late)
           AS delivery
  FROM {{archived}}
)
"""
_COUNTS = {
    "kept": "value IS NOT NULL AND delivery = 1 AND occurrence = 1",
    "delivered_again": "value IS NOT NULL AND delivery > 1",
    "repeated_events": "value IS NOT NULL AND delivery = 1 AND occurrence > 1",
    "unreadable_lines": "value IS NULL",
}


def update_events(spark: SparkSession, archive: Path, events: Path) -> dict[str, Day]:
    """Brings the events up to date with the archive.

    Returns:
        The manifest's days: for each `dataset=.../day=...` its current folder, the files it was made of with
        size and time, and how many records were kept, delivered again, or repeated under another identity.
    """
    current = read_manifest(events)
    files = _files_by_day(archive)
    changed = {day for day in files if day not in current or current[day]["files"] != files[day]}
    days = {day: entry for day, entry in current.items() if day in files and day not in changed}
    if changed:
        staging = events / ".staging"
        shutil.rmtree(staging, ignore_errors=True)
        paths = [archive / name for day in changed for name in files[day]]
        counts = _write_days(spark, archive, paths, staging)
        for day in changed:
            days[day] = _place(staging, events, day, files[day]) | counts[day]
        shutil.rmtree(staging)
    if days != current:
        manifest = json.dumps({"days": dict(sorted(days.items()))}, indent=1)
        replace_text(events / "_manifest.json", manifest + "\n")
    _remove_replaced(events, current, days)
    return days


def read_manifest(events: Path) -> dict[str, Day]:
    """Days of the events as the manifest names them; none before the first run."""
    path = events / "_manifest.json"
    days: dict[str, Day] = json.loads(path.read_text())["days"] if path.exists() else {}
    return days


def read_events(spark: SparkSession, events: Path, dataset: str) -> DataFrame:
    """Every current event of a dataset, with EVENT_COLUMNS."""
    days = read_manifest(events).items()
    paths = [str(events / entry["folder"]) for day, entry in days if day.startswith(f"dataset={dataset}/")]
    if not paths:
        return spark.createDataFrame([], EVENT_COLUMNS)
    return spark.read.schema(EVENT_COLUMNS).parquet(*paths)


def _files_by_day(archive: Path) -> dict[str, dict[str, list[int]]]:
    found: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for path in sorted(visible_files(archive)):
        status = path.stat()
        found[str(path.parent.relative_to(archive))][str(path.relative_to(archive))] = [
            status.st_size,
            status.st_mtime_ns,
        ]
    return found


def _write_days(
    spark: SparkSession, archive: Path, files: list[Path], staging: Path
) -> dict[str, dict[str, int]]:
    """Writes the deduplicated days into `staging`; returns their counts."""
    reader = spark.read.schema(_ARCHIVED).option("basePath", str(archive))
    archived = reader.json([str(path) for path in files]).repartition("dataset", "day")
    numbered = spark.sql(_NUMBERED, archived=archived).localCheckpoint()
    kept = numbered.where(_COUNTS["kept"]).drop("delivery", "occurrence")
    kept.write.partitionBy("dataset", "day").parquet(str(staging))
    sums = [functions.expr(f"count_if({condition})").alias(name) for name, condition in _COUNTS.items()]
    counted = numbered.groupBy("dataset", "day").agg(*sums).collect()
    return {
        f"dataset={row['dataset']}/day={row['day']}": {name: row[name] for name in _COUNTS} for row in counted
    }


def _place(staging: Path, events: Path, day: str, files: dict[str, list[int]]) -> Day:
    """Moves a written day to its folder, named after the files it was made of."""
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    folder = events / day / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if (staging / day).exists():
        (staging / day).rename(folder)
    else:
        folder.mkdir()
    return {"folder": f"{day}/{name}", "files": files}


def _remove_replaced(events: Path, before: dict[str, Day], after: dict[str, Day]) -> None:
    current = {entry["folder"] for entry in after.values()}
    for entry in before.values():
        if entry["folder"] not in current:
            shutil.rmtree(events / entry["folder"], ignore_errors=True)


def totals(days: dict[str, Day]) -> dict[str, int]:
    """Counts over all days: kept, delivered_again, repeated_events, unreadable_lines."""
    return {name: sum(entry.get(name, 0) for entry in days.values()) for name in _COUNTS}


@app.command()
def main(run_dir: Annotated[Path | None, typer.Option(help="folder of the stack's files")] = None) -> None:
    """Brings <run_dir>/events up to date with <run_dir>/archive."""
    settings = load_settings(**({"run_dir": run_dir} if run_dir else {}))
    with spark_session("stockstream archive") as spark:
        days = update_events(spark, settings.archive_dir, settings.run_dir / "events")
    print(f"{len(days)} days: " + ", ".join(f"{name} {count}" for name, count in totals(days).items()))


if __name__ == "__main__":
    exit_with_message(app)
