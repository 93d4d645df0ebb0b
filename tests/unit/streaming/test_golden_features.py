"""The golden cases against the declared SQL and the oracle; `tests/parity` runs them on both engines."""

import pytest

from infra.contracts.features import FEATURES
from tests.parity import pandas_oracle
from tests.parity.comparison import differences, rows_of
from tests.parity.event_log import ZONE
from tests.parity.golden_cases import GoldenCase, golden_cases
from tests.parity.job_gate import Gate, records
from tests.parity.job_rows import final_rows

CASES = golden_cases()


def accepted(case: GoldenCase) -> Gate:
    gate = Gate()
    for record in records(case.arrivals, [], lambda _: 0):
        gate.take(record)
    return gate


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_declared_sql_gives_the_rows_computed_by_hand(case: GoldenCase) -> None:
    assert differences(case.rows, final_rows(accepted(case).accepted)) == {}


def test_the_oracle_gives_the_rows_computed_by_hand() -> None:
    log = [sent for case in CASES for sent in accepted(case).accepted]
    computed = rows_of(pandas_oracle.final_rows(log, ZONE))
    known = set(next(iter(computed.values())))
    expected = {
        key: {name: value for name, value in values.items() if name in known}
        for case in CASES
        for key, values in case.rows.items()
    }
    assert differences(expected, computed) == {}


@pytest.mark.parametrize("feature", [feature.name for feature in FEATURES])
def test_every_feature_has_a_golden_case_with_a_value_that_is_not_trivial(feature: str) -> None:
    values = [row[feature] for case in CASES for row in case.rows.values() if feature in row]
    assert any(values), f"no case in tests/golden/features gives {feature} a value other than 0 and null"


@pytest.mark.parametrize(
    "feature", [each.name for each in FEATURES if not each.null_rule.startswith("never null")]
)
def test_every_null_rule_has_a_golden_case(feature: str) -> None:
    assert any(row.get(feature, 0) is None for case in CASES for row in case.rows.values())


def test_both_clock_changes_are_golden_cases() -> None:
    hours = {(end - start) // 3_600_000 for case in CASES for _, start, end in case.rows}
    assert hours == {23, 24, 25}
