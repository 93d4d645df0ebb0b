"""Whatever the order of arrival within the bound, the rows are the same: a pure model of the job's SQL."""

import json
import random
from collections import Counter
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.contracts.topics import CLICKSTREAM
from tests.parity.event_log import (
    BOUND_MS,
    HOUR_MS,
    Arrival,
    Sent,
    click,
    disordered,
    in_order,
    item,
    level,
    midnight,
    pounds,
)
from tests.parity.job_gate import PARTITIONS, Gate, Record, Verdict, records
from tests.parity.job_rows import final_rows

DAYS = [date(2011, 10, 29), date(2011, 10, 30)]
START, MIDDLE, END = (midnight(day) for day in (*DAYS, date(2011, 10, 31)))
# A busy machine is no failure of a rule.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
YEAR_AHEAD_MS = 400 * 24 * HOUR_MS

instants = st.one_of(
    st.integers(START, END - 1),
    st.integers(MIDDLE - BOUND_MS, MIDDLE + BOUND_MS),
    st.sampled_from([START, MIDDLE - 1, MIDDLE, END - 1]),
)
skus = st.sampled_from(["A", "B"])
# Exact in binary, so that SQLite's sums are exact like those of decimals.
quantities = st.sampled_from([0.25, 1, 2.5, 7, 12])
prices = st.sampled_from([None, "0.50", "2.25", "3.00"])
clicks = st.tuples(
    instants,
    skus,
    st.sampled_from(["view", "view", "search", "add_to_cart", "remove_from_cart", "purchase", "return"]),
    quantities,
    prices,
    st.sampled_from([None, "s1", "s2"]),
    st.sampled_from([None, "xmas"]),
)
levels = st.tuples(instants, skus, st.sampled_from([0, 0, 3]))
thresholds = st.tuples(instants, skus, st.sampled_from([None, 2.0, 10.0]))


@st.composite
def logs(draw: st.DrawFn) -> list[Sent]:
    """Two days of two SKUs, in order of time."""
    log = [
        click(
            f"click-{number}",
            time_ms,
            sku,
            kind,
            quantity=quantity,
            unit_price=pounds("2.25"),
            list_price=price and pounds(price),
            session_id=session,
            promotion_id=promotion,
        )
        for number, (time_ms, sku, kind, quantity, price, session, promotion) in enumerate(
            draw(st.lists(clicks, min_size=1, max_size=20))
        )
    ]
    log += [level(f"level-{n}", *drawn) for n, drawn in enumerate(draw(st.lists(levels, max_size=8)))]
    log += [item(f"item-{n}", *drawn) for n, drawn in enumerate(draw(st.lists(thresholds, max_size=3)))]
    return [sent for _, sent in in_order((sent[1]["event_time_ms"], sent) for sent in log)]


def on_time(log: list[Sent]) -> list[Arrival]:
    return [(sent[1]["event_time_ms"], sent) for sent in log]


def place(sku: str) -> int:
    """The last partition carries nothing but heartbeats."""
    return ord(sku) % (PARTITIONS - 1)


def run(stream: list[Record]) -> tuple[bytes, Counter[Verdict], int]:
    """The final rows as bytes, how records were judged, and up to when windows have closed."""
    gate = Gate()
    verdicts = Counter(gate.take(record) for record in stream)
    rows = {"|".join(map(str, key)): values for key, values in final_rows(gate.accepted).items()}
    return json.dumps(rows, sort_keys=True).encode(), verdicts, gate.closed_until()


@settings(PATIENT, max_examples=1000)
@given(logs(), st.integers(0, 2**32))
def test_no_order_within_the_bound_and_no_duplicate_changes_a_byte(log: list[Sent], seed: int) -> None:
    expected, _, _ = run(records(on_time(log), DAYS, place))
    arrivals = disordered(log, random.Random(seed))
    rows, verdicts, closed_until = run(records(arrivals, DAYS, place))
    assert rows == expected
    assert verdicts["duplicate"] == len(arrivals) - len(log)
    assert verdicts["late"] == verdicts["dead letter"] == 0
    assert closed_until >= END


@settings(PATIENT, max_examples=300)
@given(logs(), st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_clock_400_days_ahead_changes_nothing(log: list[Sent], seed: int, position: int) -> None:
    stream = records(disordered(log, random.Random(seed)), DAYS, place)
    expected, before, closed_until = run(stream)
    at = stream[position % len(stream)]
    ahead = click("ahead", at.written_ms + YEAR_AHEAD_MS, "A", "view")[1]
    stream.insert(position % len(stream), Record(CLICKSTREAM, place("A"), at.written_ms, ahead))
    assert run(stream) == (expected, before + Counter({"dead letter": 1}), closed_until)


@settings(PATIENT, max_examples=300)
@given(logs(), st.integers(0, 2**32), st.integers(START, END - 1))
def test_what_comes_after_its_day_has_closed_is_late_and_changes_nothing(
    log: list[Sent], seed: int, time_ms: int
) -> None:
    stream = records(disordered(log, random.Random(seed)), DAYS, place)
    expected, before, closed_until = run(stream)
    missed = click("missed", time_ms, "B", "purchase", quantity=1, unit_price=pounds("9.00"))[1]
    stream.append(Record(CLICKSTREAM, place("B"), END + 2 * BOUND_MS, missed))
    assert run(stream) == (expected, before + Counter({"late": 1}), closed_until)


@settings(PATIENT, max_examples=100)
@given(logs())
def test_a_partition_without_a_heartbeat_holds_every_window_open(log: list[Sent]) -> None:
    stream = records(on_time(log), DAYS, place)
    silent = [each for each in stream if each.partition != PARTITIONS - 1]
    rows, _, closed_until = run(silent)
    assert rows == run(stream)[0]
    assert closed_until <= 0
