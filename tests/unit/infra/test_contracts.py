"""The contracts: golden messages stay readable, broken ones name what is wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infra.contracts.codec import decode, encode
from infra.contracts.identity import decision_id, digest, seed
from infra.contracts.table import SCHEMAS_DIR, json_schema, strimzi_values, table
from infra.contracts.topics import CLICKSTREAM, DECISIONS, FORECASTS, STOCK_LEVELS, TOPICS
from infra.errors import ContractError

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
PURCHASE = {
    "version": 1,
    "event_id": "e1",
    "event_type": "purchase",
    "event_time_ms": 1_316_430_000_000,
    "sku": "85123A",
    "location": "gb-main",
    "quantity": 6,
    "unit_price": {"amount": "2.95", "currency": "GBP"},
}

BROKEN_PURCHASES: dict[str, list[object]] = {
    "event_id": ["", "a b", 7, None],
    "event_type": ["bought", 1, None],
    "event_time_ms": ["1316430000000", -1, 1.5, 99_999_999_999_999, True, None],
    "sku": ["", "a|b", 5, None],
    "location": ["", "x y", None],
    "quantity": [0, -6, "6", 1e9, True, None],
    "unit_price": [2.95, {"amount": "-1", "currency": "GBP"}, {"amount": "2.95", "currency": "pounds"}, None],
    "version": [2, "1", True, 1.5],
}


def golden_lines(topic: str) -> list[str]:
    return (GOLDEN / f"{topic}.jsonl").read_text().splitlines()


@pytest.mark.parametrize("topic", TOPICS)
def test_every_golden_message_survives_a_round_trip(topic: str) -> None:
    for line in golden_lines(topic):
        message = decode(topic, line.encode())

        assert json.loads(encode(topic, message)) == json.loads(line)


@pytest.mark.parametrize("topic", TOPICS)
def test_published_schema_is_the_contract_and_accepts_the_golden_messages(topic: str) -> None:
    schema = json.loads((SCHEMAS_DIR / f"{topic}.json").read_text())

    assert schema == json_schema(TOPICS[topic])
    for line in golden_lines(topic):
        Draft202012Validator(schema).validate(json.loads(line))


@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, values in BROKEN_PURCHASES.items() for v in values]
)
def test_a_broken_purchase_is_refused_by_codec_and_schema_alike(field: str, value: object) -> None:
    broken = PURCHASE | {field: value}
    schema = Draft202012Validator(json_schema(TOPICS[CLICKSTREAM]))

    with pytest.raises(ContractError):
        decode(CLICKSTREAM, json.dumps(broken).encode())
    assert not schema.is_valid(broken)


@pytest.mark.parametrize("field", ["event_id", "event_type", "event_time_ms", "sku", "location", "quantity"])
def test_a_purchase_without_a_field_is_refused(field: str) -> None:
    partial = {name: value for name, value in PURCHASE.items() if name != field}

    with pytest.raises(ContractError):
        decode(CLICKSTREAM, json.dumps(partial).encode())


def test_the_error_names_topic_field_value_and_what_is_accepted() -> None:
    with pytest.raises(
        ContractError, match=r"shop\.clickstream\.v1: field 'quantity' has value -6: .*greater than 0"
    ):
        decode(CLICKSTREAM, json.dumps(PURCHASE | {"quantity": -6}).encode())


@given(st.binary(max_size=200))
def test_no_bytes_can_break_the_decoder(value: bytes) -> None:
    try:
        message = decode(STOCK_LEVELS, value)
    except ContractError:
        return
    assert decode(STOCK_LEVELS, encode(STOCK_LEVELS, message)) == message


def test_a_tombstone_is_not_an_event() -> None:
    with pytest.raises(ContractError, match="tombstone"):
        decode(CLICKSTREAM, None)


def test_unknown_fields_are_ignored_so_that_producers_may_add_some() -> None:
    message = decode(CLICKSTREAM, json.dumps(PURCHASE | {"colour": "red"}).encode())

    assert not hasattr(message, "colour")


def test_descending_quantiles_are_refused() -> None:
    forecast = json.loads(golden_lines(FORECASTS)[0])
    forecast["quantiles"][0] = forecast["quantiles"][0][::-1]

    with pytest.raises(ContractError, match="must not descend"):
        decode(FORECASTS, json.dumps(forecast).encode())


def test_decision_id_depends_on_every_part_of_what_it_is_for() -> None:
    ids = {
        decision_id("a", "x", 1, "review"),
        decision_id("b", "x", 1, "review"),
        decision_id("a", "y", 1, "review"),
        decision_id("a", "x", 2, "review"),
        decision_id("a", "x", 1, "order-7"),
    }

    assert len(ids) == 5


def test_digest_sees_every_change_of_a_decision() -> None:
    decision = decode(DECISIONS, golden_lines(DECISIONS)[0].encode())

    assert digest(decision) != digest(decision.model_copy(update={"quantity": decision.quantity + 1}))


@given(st.lists(st.text(max_size=8), max_size=4))
def test_seeds_fit_numpy_and_depend_only_on_their_parts(parts: list[str]) -> None:
    assert 0 <= seed(*parts) < 2**63
    assert seed(*parts) == seed(*parts)


def test_topic_names_hold_no_underscore_and_carry_a_version() -> None:
    for topic in TOPICS.values():
        for name in (topic.name, topic.late, topic.dead_letters):
            assert "_" not in name
            assert name.rsplit(".", 1)[1] == "v1"


def test_the_table_and_the_chart_values_list_every_topic_with_the_same_partitions() -> None:
    values = strimzi_values(partitions=12)

    names = [topic["topicName"] for topic in values["topics"]]
    assert names[: len(TOPICS)] == list(TOPICS)
    assert set(names) >= {topic.dead_letters for topic in TOPICS.values()}
    assert {t["partitions"] for t in values["topics"]} == {12}
    assert all(name in table(12) for name in TOPICS)
