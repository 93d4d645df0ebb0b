"""A million simulated decisions, made here and recomputed by `stockstream replay` in fresh processes.

Each chunk is a planning group's day: SKUs with a forecast, reviewed many times in as many states of stock,
with one allocation run over all of them at each review, sometimes with a budget. Decisions, forecasts and
runs go to files; the replay reads nothing else and may not differ in a single field.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from infra.contracts import identity
from infra.contracts.codec import encode
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandForecast
from infra.contracts.inventory import (
    REVIEW,
    AllocationRun,
    DecisionInputs,
    ForecastReference,
    LeadTimeCount,
    OpenOrder,
    Proposal,
)
from infra.contracts.message import Money
from infra.contracts.topics import ALLOCATION_RUNS, DECISIONS, FORECASTS
from infra.local.verify import ROOT
from serving.inventory.allocation import solver_options
from serving.inventory.decisions import allocation_run, decisions_of
from serving.inventory.policy import Request, decide
from serving.inventory.proposals import proposal_of
from tests.benchmarks.figures import Figure, measured

CHUNKS, SKUS, EPOCHS = 100, 400, 25
LOCATION, GROUP, ZONE = "simulated", "simulated", "Europe/London"
DAY_MS, MINUTE_MS, EPOCH_MS = 86_400_000, 60_000, 1_600_041_600_000
_REPRODUCED = re.compile(r"^(\d+) decisions reproduced exactly, (\d+) verified", re.MULTILINE)


def forecast_of(sku: str, rng: np.random.Generator) -> DemandForecast:
    """Exponential days of a random mean, closed on one weekday."""
    mean, closed = float(rng.lognormal(1.5, 1.0)), int(rng.integers(0, 7))
    open_day = [round(-float(np.log1p(-level)) * mean, 4) for level in QUANTILE_LEVELS]
    table = [[0.0] * len(open_day) if day % 7 == closed else open_day for day in range(HORIZON_DAYS)]
    return DemandForecast(
        sku=sku,
        location=LOCATION,
        origin_ms=EPOCH_MS,
        forecaster="lstm" if rng.random() < 0.9 else "empirical_56_open_days",
        model_id="simulated-1",
        panel_hash="0" * 64,
        context_digest="0" * 64,
        quantile_levels=list(QUANTILE_LEVELS),
        quantiles=table,
        cumulative=table,
        copula=Copula(level=0.2, decay=0.3),
        seed=identity.seed(sku, EPOCH_MS),
        paths=100,
    )


def inputs_of(forecast: DemandForecast, digest: str, rng: np.random.Generator) -> DecisionInputs:
    """A random state of one SKU; now and then something is unknown, ended, capped, late or owed."""

    def maybe(chance: float) -> bool:
        return bool(rng.random() < chance)

    days = sorted({int(each) for each in rng.integers(1, 14, 4)})
    supplier = f"supplier-{rng.integers(0, 9)}"
    cost = f"{rng.uniform(0.5, 20):.2f}"
    return DecisionInputs(
        forecast=ForecastReference(origin_ms=EPOCH_MS, model_id=forecast.model_id, digest=digest),
        on_hand=None if maybe(0.02) else int(rng.integers(0, 120)),
        open_orders=[
            OpenOrder(
                order_id=f"po-{number}",
                supplier=supplier,
                outstanding=int(rng.integers(1, 60)),
                placed_ms=EPOCH_MS - int(rng.integers(1, 15)) * DAY_MS,
            )
            for number in range(int(rng.integers(0, 4)))
        ],
        lead_times=[LeadTimeCount(days=each, receipts=int(rng.integers(1, 20))) for each in days],
        delivery="fifo" if maybe(0.3) else "independent",
        review_period_days=int(rng.integers(1, 15)),
        cycle_service_level=round(float(rng.uniform(0.5, 0.99)), 3),
        min_order_quantity=int(rng.integers(1, 30)),
        case_pack=int(rng.choice([1, 1, 6, 12])),
        maximum_stock=int(rng.integers(50, 400)) if maybe(0.3) else None,
        supplier=supplier,
        unit_cost=Money(amount=cost, currency="GBP"),
        price=Money(amount=f"{float(cost) * 1.8:.2f}", currency="GBP"),
        planning_group=GROUP,
        time_zone=ZONE,
        end_ms=EPOCH_MS + 10 * DAY_MS if maybe(0.05) else None,
        input_stale=maybe(0.02),
        backordered=int(rng.integers(1, 60)) if maybe(0.1) else 0,
        reserved=int(rng.integers(1, 60)) if maybe(0.1) else 0,
        unmet_demand="backordered" if maybe(0.2) else "lost",
    )


def requests_of(
    forecasts: Mapping[str, DemandForecast], epoch_ms: int, rng: np.random.Generator
) -> Iterator[Request]:
    """The review of every SKU, from forecasts by their digest."""
    for digest, forecast in forecasts.items():
        made_id = identity.decision_id(forecast.sku, LOCATION, epoch_ms, REVIEW)
        inputs = inputs_of(forecast, digest, rng)
        yield Request(made_id, forecast.sku, LOCATION, epoch_ms, REVIEW, inputs, forecast)


def write_chunk(folder: Path, chunk: int) -> None:
    """Decides a chunk and writes what its replay reads."""
    rng = np.random.default_rng(chunk)
    forecasts = [forecast_of(f"sku-{chunk}-{number}", rng) for number in range(SKUS)]
    by_digest = {identity.digest(forecast): forecast for forecast in forecasts}
    runs, decisions = [], []
    for number in range(EPOCHS):
        requests = list(requests_of(by_digest, EPOCH_MS + number * MINUTE_MS, rng))
        proposals = [proposal_of(*pair, partition=0) for pair in zip(requests, decide(requests), strict=True)]
        runs.append(run_of(proposals, is_tight=bool(number % 2), rng=rng))
        decisions += decisions_of(proposals, runs[-1])
    _write(folder, FORECASTS, forecasts)
    _write(folder, ALLOCATION_RUNS, runs)
    _write(folder, DECISIONS, decisions)


def run_of(proposals: Sequence[Proposal], is_tight: bool, rng: np.random.Generator) -> AllocationRun:
    """The allocation run of one review; a tight one has a budget for a part of what is wanted."""
    wanted = sum(each.quantity * float(each.inputs.unit_cost.amount) for each in proposals)
    budget = Money(amount=f"{int(wanted * rng.uniform(0.2, 0.9))}.00", currency="GBP") if is_tight else None
    return allocation_run(proposals, (GROUP, proposals[0].epoch_ms), budget, [], solver_options(60.0))


def _write(folder: Path, topic: str, messages: Sequence[BaseModel]) -> None:
    (folder / f"{topic}.jsonl").write_bytes(b"\n".join(encode(topic, message) for message in messages))


def replayed(chunk: int) -> tuple[int, int]:
    """Decisions reproduced and verified; both processes are new, and the second saw nothing of the first."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", __name__, folder, str(chunk)], cwd=ROOT, check=True)
        replay = [sys.executable, "-m", "serving.replay", "--file", folder]
        done = subprocess.run(replay, cwd=ROOT, check=False, capture_output=True, text=True)
    found = _REPRODUCED.search(done.stdout)
    if done.returncode or found is None:
        print(done.stdout, done.stderr, sep="\n", flush=True)
        return 0, 0
    return int(found[1]), int(found[2])


def figures() -> list[Figure]:
    """How many of a million came out the same."""
    reproduced = verified = 0
    with ThreadPoolExecutor(2) as pool:
        for number, done in enumerate(pool.map(replayed, range(CHUNKS)), start=1):
            reproduced, verified = reproduced + done[0], verified + done[1]
            if number % 10 == 0:
                print(f"  {reproduced:,} reproduced, {verified:,} verified", flush=True)
    total = CHUNKS * SKUS * EPOCHS
    how = f"{total:,} simulated decisions, half under a budget, replayed in {CHUNKS} fresh processes"
    differing = float(total - reproduced - verified)
    return [
        measured("decisions that a replay changes", [differing], "", how, "0", lambda value: value == 0),
        measured("decisions verified because a solve ran out of time", [float(verified)], "", how),
    ]


if __name__ == "__main__":
    write_chunk(Path(sys.argv[1]), int(sys.argv[2]))
