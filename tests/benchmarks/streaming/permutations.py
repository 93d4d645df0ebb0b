"""Whether the order of arrival changes the features: permutations of simulated logs through the real job.

Each log of one SKU goes through one unbounded job in the order of its event times and, under other names, in
other orders within the bound, with a tenth of the events twice and one clock 400 days ahead. One partition of
each topic carries nothing but heartbeats. While the job runs all rows must be written, and be equal byte for
byte but for the SKU's name.
"""

import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kafka.partitioner.default import murmur2

from infra.contracts.codec import message_key
from infra.contracts.topics import CLICKSTREAM, FEATURES, TOPICS, WITH_LATE_EVENTS
from infra.local.broker import Broker
from infra.local.processes import wait_until
from tests.benchmarks.figures import Figure, measured
from tests.integration.features_job import FeaturesJob
from tests.parity.event_log import (
    HOUR_MS,
    LOCATION,
    Arrival,
    Sent,
    changing_thresholds,
    click,
    disordered,
    in_order,
    midnight,
    random_log,
    renamed,
)
from tests.parity.job_run import PARTITIONS, records_of, send_live
from tests.unit.streaming import test_permutations as model

LOGS, PERMUTATIONS, CLICKS_A_DAY = 6, 10, 40
DAYS = [date(2011, 10, 29), date(2011, 10, 30)]
AHEAD_MS = 400 * 24 * HOUR_MS
TIMEOUT_SECONDS = 240.0
PROPERTIES = (
    model.test_no_order_within_the_bound_and_no_duplicate_changes_a_byte,
    model.test_a_clock_400_days_ahead_changes_nothing,
    model.test_what_comes_after_its_day_has_closed_is_late_and_changes_nothing,
)


@dataclass(frozen=True)
class Case:
    """A log under a name of its own, in an order of its own; the first of a log is in order of time."""

    name: str
    log: int
    arrivals: list[Arrival]


def figures() -> list[Figure]:
    """Permuted cases whose rows differ, in the model and on the real job; dead letters and late events."""
    for holds in PROPERTIES:
        holds()
    with tempfile.TemporaryDirectory(prefix="permutations-") as folder:
        return _on_the_real_job(_cases(), Path(folder))


def _cases() -> list[Case]:
    names = _names_beside_the_last_partition(LOGS * (PERMUTATIONS + 1))
    cases = []
    for number in range(LOGS):
        log = _log(number)
        own = [names.pop() for _ in range(PERMUTATIONS + 1)]
        cases.append(Case(own[0], number, _on_time(renamed(log, "LOG", own[0]))))
        cases += [Case(name, number, _permuted(renamed(log, "LOG", name))) for name in own[1:]]
    return cases


def _names_beside_the_last_partition(count: int) -> list[str]:
    names = [f"SKU-{number:04}" for number in range(10 * count)]
    hashes = {name: murmur2(message_key(name, LOCATION)) & 0x7FFFFFFF for name in names}
    return [name for name in names if hashes[name] % len(PARTITIONS) != PARTITIONS[-1]][:count]


def _log(number: int) -> list[Sent]:
    """Days of one SKU; every other log knows no stock before its first noon."""
    skus = ["LOG", "OTHER"] if number % 2 else ["OTHER", "LOG"]
    log = [*random_log(random.Random(number), skus, DAYS, CLICKS_A_DAY), *changing_thresholds("LOG", DAYS[0])]
    return [sent for _, sent in _on_time(log)]


def _on_time(log: Sequence[Sent]) -> list[Arrival]:
    return in_order((sent[1]["event_time_ms"], sent) for sent in log)


def _permuted(log: Sequence[Sent]) -> list[Arrival]:
    name = log[0][1]["sku"]
    rng = random.Random(name)
    at = rng.randrange(midnight(DAYS[0]), midnight(DAYS[1]) + 24 * HOUR_MS)
    ahead = click(f"{name}-ahead", at + AHEAD_MS, name, "view")
    return in_order([*disordered(log, rng), (at, ahead)])


def _on_the_real_job(cases: Sequence[Case], run_dir: Path) -> list[Figure]:
    with Broker(run_dir) as broker:
        broker.create_topics(len(PARTITIONS))
        job = FeaturesJob(broker, run_dir)
        try:
            job.start()
            send_live(broker, in_order(each for case in cases for each in case.arrivals), DAYS)
            wait_until(lambda: _all_final(broker, cases), TIMEOUT_SECONDS, "final rows of every case")
        finally:
            job.component.stop()
        return _compared(broker, cases)


def _rows(broker: Broker) -> Mapping[str, set[bytes]]:
    """Every row by SKU, without its name."""
    rows: dict[str, set[bytes]] = defaultdict(set)
    for record in records_of(broker, FEATURES):
        sku = json.loads(record.value)["sku"]
        rows[sku].add(record.value.replace(sku.encode(), b""))
    return rows


def _all_final(broker: Broker, cases: Sequence[Case]) -> bool:
    rows = _rows(broker)
    return all(sum(b'"is_final":true' in row for row in rows[case.name]) == len(DAYS) for case in cases)


def _compared(broker: Broker, cases: Sequence[Case]) -> list[Figure]:
    rows = _rows(broker)
    references = {case.log: rows[case.name] for case in reversed(cases)}
    different = sum(rows[case.name] != references[case.log] for case in cases)
    ahead = LOGS * PERMUTATIONS
    letters = len(records_of(broker, TOPICS[CLICKSTREAM].dead_letters))
    late = sum(len(records_of(broker, TOPICS[topic].late)) for topic in WITH_LATE_EVENTS)
    return _described(different, sum(map(len, rows.values())), ahead - letters, late)


def _described(different: int, rows: int, not_refused: int, late: int) -> list[Figure]:
    orders = f"{LOGS * PERMUTATIONS} orders of {LOGS} simulated logs, 10 % duplicates, one idle partition"
    how = f"{orders}, one unbounded job, {rows:,} rows to the hour"
    model_how = "Hypothesis on a pure model of the SQL, 1,600 examples in 3 properties; fails if one does"

    def none(value: float) -> bool:
        return value == 0

    return [
        measured("permutations_model_failures", [0], "properties", model_how, "0", none),
        measured("permutations_job_different", [different], "of 60 cases", how, "0, byte for byte", none),
        measured("permutations_job_clocks_ahead_taken", [not_refused], "of 60 events", how, "0", none),
        measured("permutations_job_late", [late], "events", how, "0", none),
    ]
