"""`stockstream import`: a shop's own sales, stock or orders file becomes events in the archive.

The import is identified by the file's content: importing it again replaces what it wrote before.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from pydantic import ValidationError

from batch.import_files import write_import
from batch.import_mapping import Mapping, OrdersMapping, SalesMapping, load_mapping, read_yaml
from batch.import_messages import Outcome, convert
from batch.source_table import load_table, require_columns
from infra.contracts.shop import LocationCalendar
from infra.contracts.topics import CALENDARS
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings

app = typer.Typer(add_completion=False, help=__doc__)


def import_file(mapping: Mapping, archive: Path) -> dict[str, Any]:
    """Imports the mapping's file into the archive.

    Returns:
        The report: rows read, written per dataset, excluded per rule, duplicates, rejected.

    Raises:
        StockstreamError: the file or a calendar cannot be read, or no row of it could be used.
    """
    table = load_table(mapping.file, mapping.format)
    require_columns(table, _named_columns(mapping), mapping.file)
    content_hash = hashlib.sha256(mapping.file.read_bytes()).hexdigest()
    source = content_hash[:16]
    outcome = convert(mapping, table, mapping.until, source)
    if outcome.rejects.rows and not outcome.written:
        raise StockstreamError(f"{mapping.file}: no row could be used; {_first_reject(outcome)}")
    for offset, calendar in enumerate(map(load_calendar, mapping.calendars)):
        outcome.write(CALENDARS, "1970-01-01", source, offset, calendar)
    report = _report(mapping, table, outcome, content_hash)
    write_import(archive, source, outcome.lines, _reject_lines(table, outcome), report)
    return report


def load_calendar(path: Path) -> LocationCalendar:
    """A location's calendar from YAML, valid from the beginning of time.

    Raises:
        StockstreamError: unreadable, or a field breaks the contract.
    """
    content = read_yaml(path)
    fields = content if isinstance(content, dict) else {}
    identity = {"event_id": hashlib.sha256(path.read_bytes()).hexdigest()[:32], "event_time_ms": 0}
    try:
        return LocationCalendar.model_validate(fields | identity)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise StockstreamError(f"{path}: {name} has value {first['input']!r:.80}: {first['msg']}") from None


def _named_columns(mapping: Mapping) -> dict[str, str | None]:
    named = {f"columns.{field}": column for field, column in mapping.columns.model_dump().items()}
    if isinstance(mapping, SalesMapping) and not isinstance(mapping.returns, str | None):
        named["returns.column"] = mapping.returns.column
    if isinstance(mapping, OrdersMapping):
        for kind, event in mapping.events.items():
            named |= {f"events.{kind}.{field}": column for field, column in event.model_dump().items()}
    return named


def _report(mapping: Mapping, table: pd.DataFrame, outcome: Outcome, content_hash: str) -> dict[str, Any]:
    return {
        "file": mapping.file.name,
        "content_hash": content_hash,
        "kind": mapping.kind,
        "until": mapping.until.isoformat() if mapping.until else None,
        "rows": len(table),
        "written": dict(outcome.written),
        "excluded": dict(outcome.excluded),
        "duplicates": outcome.duplicates,
        "rejected": len(outcome.rejects.rows),
    }


def _reject_lines(table: pd.DataFrame, outcome: Outcome) -> list[str]:
    return [
        json.dumps(reason | {"line": {str(name): str(cell) for name, cell in table.loc[row].items()}})
        for row, reason in sorted(outcome.rejects.rows.items())
    ]


def _first_reject(outcome: Outcome) -> str:
    first = outcome.rejects.rows[min(outcome.rejects.rows)]
    where = f"row {first['row']}, column {first['column']}"
    return f"{where} has value {first['value']!r:.80}: {first['accepted']}"


@app.command()
def main(
    mapping: Annotated[Path, typer.Option(help="YAML file that says how to read the shop's file")],
    source: Annotated[Path | None, typer.Option(help="read this file instead of the mapping's")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="first day left out")] = None,
    run_dir: Annotated[Path | None, typer.Option(help="folder of the stack's files")] = None,
) -> None:
    """Imports a CSV or Parquet file of sales, stock levels or purchase orders into the archive."""
    settings = load_settings(**({"run_dir": run_dir} if run_dir else {}))
    rules = load_mapping(mapping)
    changes: dict[str, Any] = {"file": source} if source else {}
    if until:
        changes["until"] = until.date()
    report = import_file(rules.model_copy(update=changes), settings.archive_dir)
    written = ", ".join(f"{count} to {dataset}" for dataset, count in report["written"].items())
    print(f"{report['rows']} rows of {report['file']}: {written}; {report['duplicates']} repeat another line")
    for rule, count in report["excluded"].items():
        print(f"  left out by {rule}: {count}")
    if report["rejected"]:
        print(f"  rejected, see import-{report['content_hash'][:16]}.rejects.jsonl: {report['rejected']}")


if __name__ == "__main__":
    exit_with_message(app)
