import re

from infra.contracts.features import FEATURE_NAMES, FEATURES
from infra.contracts.table import SCHEMAS_DIR, feature_table, json_schema
from infra.contracts.topics import FEATURES as FEATURES_TOPIC
from infra.contracts.topics import TOPICS
from streaming.feature_query import feature_rows
from streaming.sinks import features_table

COLUMNS = {
    "event_type",
    "event_time_ms",
    "session_id",
    "quantity",
    "unit_price",
    "list_price",
    "promotion_id",
    "bulk_threshold",
    "in_stock",
    "stock_change",
    "carry",
    "window_start_ms",
    "window_end_ms",
}


def test_each_feature_is_declared_once_with_meaning_unit_and_null_rule() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    assert all(feature.meaning and feature.unit and feature.null_rule for feature in FEATURES)


def test_a_feature_reads_only_the_declared_columns() -> None:
    for feature in FEATURES:
        names = re.findall(r"\b[a-z][a-z_]*\b", re.sub(r"'[^']*'", "", feature.sql))
        assert set(names) <= COLUMNS, feature.name


def test_the_job_computes_and_writes_every_feature_in_the_declared_order() -> None:
    query, table = feature_rows(60), features_table("127.0.0.1:9092", None)
    assert [name for name in re.findall(r"`(\w+)` DOUBLE", table)] == list(FEATURE_NAMES)
    assert query.count("AS DOUBLE), CAST(") >= len(FEATURES) - 1
    assert "window_end_ms" not in query


def test_the_published_table_of_features_is_that_of_the_declarations() -> None:
    assert (SCHEMAS_DIR / f"{FEATURES_TOPIC}.md").read_text() == feature_table()
    assert all(f"| `{name}` |" in feature_table() for name in FEATURE_NAMES)


def test_the_schema_names_every_feature() -> None:
    values = json_schema(TOPICS[FEATURES_TOPIC])["properties"]["values"]
    assert tuple(values["properties"]) == FEATURE_NAMES
