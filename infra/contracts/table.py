"""`stockstream topics`: the contracts as a table, as Strimzi-ready YAML values, or as JSON Schemas.

With the schemas comes a table of the features for people.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from infra.contracts.access import ACCESS
from infra.contracts.features import FEATURES
from infra.contracts.topics import FEATURES as FEATURES_TOPIC
from infra.contracts.topics import TOPICS, Topic, turned_away
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings

DAY_MS = 86_400_000
TURNED_AWAY_DAYS = 30
"""Refused and late records are kept so long, or as long as their source if that is shorter."""
SCHEMAS_DIR = Path(__file__).parent / "schemas"

app = typer.Typer(add_completion=False, help=__doc__)


class Format(StrEnum):
    """What `stockstream topics` prints."""

    TABLE = "table"
    STRIMZI = "strimzi"


def topic_config(cleanup: str, retention_days: int) -> dict[str, str]:
    """Kafka settings that a contract asks for; retention -1 keeps records for ever."""
    retention_ms = retention_days * DAY_MS if retention_days > 0 else -1
    return {"cleanup.policy": cleanup, "retention.ms": str(retention_ms)}


def topic_configs() -> dict[str, dict[str, str]]:
    """Kafka settings of every topic, its dead-letter and late topics among them."""
    configs = {topic.name: topic_config(topic.cleanup, topic.retention_days) for topic in TOPICS.values()}
    for topic in TOPICS.values():
        days = topic.retention_days if 0 < topic.retention_days < TURNED_AWAY_DAYS else TURNED_AWAY_DAYS
        configs |= {name: topic_config("delete", days) for name in turned_away(topic.name)}
    return configs


def strimzi_values(partitions: int) -> dict[str, Any]:
    """Values from which a chart makes one KafkaTopic per topic and one KafkaUser per component."""
    return {
        "topics": [
            {"name": name.replace(".", "-"), "topicName": name, "partitions": partitions, "config": config}
            for name, config in topic_configs().items()
        ],
        "users": {
            name: {
                "readFrom": list(access.read_from),
                "writeTo": list(access.write_to),
                "groupPrefixes": list(access.group_prefixes),
                "transactionPrefixes": list(access.transaction_prefixes),
            }
            for name, access in ACCESS.items()
        },
    }


def json_schema(topic: Topic) -> dict[str, Any]:
    """JSON Schema (2020-12) of a topic's value."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": topic.name}
    return head | topic.message.json_schema()


def table(partitions: int) -> str:
    """One line per topic, aligned for people."""
    rows = [("topic", "key", "clean-up", "days", "partitions", "written by")]
    for topic in TOPICS.values():
        days = "ever" if topic.retention_days < 0 else str(topic.retention_days)
        rows.append((topic.name, topic.key, topic.cleanup, days, str(partitions), topic.writer))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(lines)


def feature_table() -> str:
    """The declared features for people, in Markdown."""
    rows = [f"| `{each.name}` | {each.meaning} | {each.unit} | {each.null_rule} |" for each in FEATURES]
    head = [
        f"# Values of `{FEATURES_TOPIC}`",
        "",
        "Generated from `infra/contracts/features.py`.",
        "",
        "| feature | meaning | unit | null |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def write_schemas(folder: Path) -> None:
    """Writes one `<topic>.json` per topic, and the table of features beside that of their topic."""
    folder.mkdir(parents=True, exist_ok=True)
    for topic in TOPICS.values():
        text = json.dumps(json_schema(topic), indent=2, sort_keys=True)
        (folder / f"{topic.name}.json").write_text(text + "\n")
    (folder / f"{FEATURES_TOPIC}.md").write_text(feature_table())


@app.command()
def topics(
    output: Annotated[
        Format, typer.Option("--format", help="table for people, strimzi for a chart")
    ] = Format.TABLE,
    schemas: Annotated[
        Path | None,
        typer.Option(help="write JSON Schemas and the table of features into this folder instead"),
    ] = None,
) -> None:
    """Prints every topic with its key, clean-up policy and retention."""
    if schemas is not None:
        try:
            write_schemas(schemas)
        except OSError as error:
            raise StockstreamError(f"--schemas {schemas}: {error.strerror}") from None
        return
    partitions = load_settings().partitions
    if output is Format.STRIMZI:
        print(yaml.safe_dump(strimzi_values(partitions), sort_keys=False), end="")
    else:
        print(table(partitions))


if __name__ == "__main__":
    exit_with_message(app)
