"""Whether the stream, the batch and plain pandas compute the same features from one simulated log.

The log comes out of order within the bound, a tenth of it twice, one event in a hundred after its day has
closed. What the job calls late is left out of the comparison; what it changes in history is reported.
"""

import json
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from batch.archive import update_events
from batch.spark_session import spark_session
from infra.contracts.topics import ITEMS, TOPICS, WITH_LATE_EVENTS
from infra.local.broker import Broker
from tests.benchmarks.figures import Figure, measured
from tests.integration.features_job import FeaturesJob
from tests.parity import pandas_oracle
from tests.parity.comparison import Comparison, compare, differences, rows_of
from tests.parity.event_log import HOUR_MS, ZONE, Arrival, RowKey, Values, disordered, in_order, random_log
from tests.parity.job_run import (
    PARTITIONS,
    batch_rows,
    records_of,
    send_live,
    streamed_rows,
)

SKUS = [f"SKU-{number:04}" for number in range(1000)]
DAYS = [date(2011, 10, 1) + timedelta(days=number) for number in range(60)]
CLICKS_A_DAY = 8
LATE_SHARE = 0.01
SEED = 20111030
TIMEOUT_SECONDS = 1800.0
CELLS = 1_000_000
LARGEST_DIFFERENCE = 1e-9
_FEWER_STEPS = {"FEATURE_STEP_SECONDS": "21600", "CHECKPOINT_INTERVAL_SECONDS": "10"}

Rows = Mapping[RowKey, Values]


@dataclass(frozen=True)
class Outcome:
    """Final rows by engine, those of history with late events, and the identities of events called late."""

    flink: Rows
    spark: Rows
    corrected: Rows
    late: set[str]


def figures() -> list[Figure]:
    """Cells compared, rows missing and extra, cells that differ, for each pair; what late events change."""
    arrivals, after_closing = _log(random.Random(SEED))
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        outcome = _outcome(arrivals, Path(folder))
    log = [sent for _, sent in arrivals if sent[1]["event_id"] not in outcome.late]
    pandas = rows_of(pandas_oracle.final_rows(log, ZONE))
    pairs = {
        "flink_spark": compare(outcome.spark, outcome.flink, pandas_oracle.WHOLE_NUMBERS),
        "flink_pandas": compare(pandas, outcome.flink, pandas_oracle.WHOLE_NUMBERS),
        "spark_pandas": compare(pandas, outcome.spark, pandas_oracle.WHOLE_NUMBERS),
    }
    how = (
        f"{len(arrivals):,} simulated events of {len(SKUS)} SKUs on {len(DAYS)} days, disordered within the "
        f"bound, 10 % twice, {len(outcome.late):,} late"
    )
    compared = [figure for pair, result in pairs.items() for figure in _compared(pair, result, how)]
    return [*compared, *_late(outcome, after_closing, how)]


def _log(rng: random.Random) -> tuple[list[Arrival], set[str]]:
    """The events in order of arrival, and the identities of those sent long after their day."""
    log = random_log(rng, SKUS, DAYS, CLICKS_A_DAY)
    chosen = {
        message["event_id"] for topic, message in log if topic != ITEMS and rng.random() < LATE_SHARE
    }  # fmt: skip
    late = [
        (sent[1]["event_time_ms"] + rng.randrange(240, 480) * HOUR_MS, sent)
        for sent in log
        if sent[1]["event_id"] in chosen
    ]
    on_time = [sent for sent in log if sent[1]["event_id"] not in chosen]
    return in_order([*disordered(on_time, rng), *late]), chosen


def _outcome(arrivals: list[Arrival], run_dir: Path) -> Outcome:
    with Broker(run_dir) as broker:
        broker.create_topics(len(PARTITIONS))
        send_live(broker, arrivals, DAYS)
        FeaturesJob(broker, run_dir).run_bounded(TIMEOUT_SECONDS, **_FEWER_STEPS)
        flink, late = streamed_rows(broker), _called_late(broker)
    with spark_session("parity") as spark:
        update_events(spark, run_dir / "archive", run_dir / "events")
        history, corrected = (batch_rows(spark, run_dir / "events", counted) for counted in (False, True))
    return Outcome(flink, history, corrected, late)


def _called_late(broker: Broker) -> set[str]:
    records = (record for topic in WITH_LATE_EVENTS for record in records_of(broker, TOPICS[topic].late))
    return {json.loads(record.value)["event_id"] for record in records}


def _compared(pair: str, result: Comparison, how: str) -> list[Figure]:
    def none(value: float) -> bool:
        return value == 0

    return [
        measured(f"parity_{pair}_cells", [result.cells], "cells", how, f">= {CELLS:,}", lambda v: v >= CELLS),
        measured(f"parity_{pair}_missing", [result.missing], "rows", how, "0", none),
        measured(f"parity_{pair}_extra", [result.extra], "rows", how, "0", none),
        measured(f"parity_{pair}_integers_wrong", [result.wrong_integers], "cells", how, "0", none),
        measured(
            f"parity_{pair}_largest_difference",
            [result.largest_difference],
            "relative",
            how,
            f"<= {LARGEST_DIFFERENCE:g}",
            lambda value: value <= LARGEST_DIFFERENCE,
        ),
    ]


def _late(outcome: Outcome, after_closing: set[str], how: str) -> list[Figure]:
    changed = differences(outcome.spark, outcome.corrected, tolerance=0)
    cells = sum(map(len, outcome.spark.values()))
    before, after = (
        sum(row["units"] or 0 for row in rows.values()) for rows in (outcome.spark, outcome.corrected)
    )
    counted_in = f"history with the late events against without; {how}"
    wrongly = len(outcome.late - after_closing)
    return [
        measured("parity_on_time_called_late", [wrongly], "events", how, "0", lambda value: value == 0),
        measured("parity_late", [len(outcome.late)], "events", f"of {len(after_closing):,} sent late; {how}"),
        measured("parity_corrected_cells", [100 * len(changed) / cells], "% of cells", counted_in),
        measured("parity_corrected_units", [100 * (after - before) / before], "% of units", counted_in),
    ]
