"""Estimated demand of days with stock-outs against the truth, on real days cut by a made stock.

Only series that never served to develop the estimator (`batch.censored_truth.is_development`).
"""

from collections.abc import Callable

import numpy as np

from batch.censored_truth import (
    CensoredTruth,
    bias,
    censored_truth,
    is_development,
    mean_of_full_days,
    profile_fill,
    recorded_only,
    wape,
)
from batch.latent_demand import RecordedDays, estimate_demand
from batch.stockout_day import Flags, Floats
from tests.benchmarks.data_file import data_file
from tests.benchmarks.figures import Figure, measured
from tests.data.fresh_retail import FreshRetail, read_fresh_retail

FILE = "freshretailnet_dev.parquet"
FACTORS = (0.8, 1.2, 2.0)
SEEDS = (1, 2, 3)
BLOCK = 1000
"""Series that learn from each other; more would only take more memory."""

GOALS = {"bias": 1.0, "bias_hidden": 3.0}
METHODS: dict[str, Callable[[RecordedDays], Floats]] = {
    "estimate": estimate_demand,
    "doing_nothing": recorded_only,
    "dropping_days": mean_of_full_days,
    "profile_fill": profile_fill,
}


def figures() -> list[Figure]:
    """Bias and WAPE on all and on hidden days, per factor of the stock and method."""
    data = _evaluation_series()
    return [figure for factor in FACTORS for figure in _of_factor(data, factor)]


def _evaluation_series() -> FreshRetail:
    data = read_fresh_retail(data_file(FILE))
    return data.of([at for at, name in enumerate(data.names) if not is_development(name)])


def _of_factor(data: FreshRetail, factor: float) -> list[Figure]:
    runs = [_run(data, factor, seed) for seed in SEEDS]
    how = (
        f"FreshRetailNet, {len(data.names)} series not used in development, real days without stock-out; "
        f"opening stock made: {factor} x mean x exp(z/2), seeds {SEEDS}"
    )
    return [
        _figure(f"latent_demand_f{factor:g}_{name}", [run[name] for run in runs], how) for name in runs[0]
    ]


def _figure(name: str, values: list[float], how: str) -> Figure:
    limit = next((GOALS[key] for key in GOALS if name.endswith(f"_estimate_{key}")), None)
    if limit is None:
        return measured(name, values, "%", how)
    return measured(name, values, "%", how, f"within {limit:g} %", lambda value: abs(value) <= limit)


def _run(data: FreshRetail, factor: float, seed: int) -> dict[str, float]:
    blocks = np.array_split(np.arange(len(data.names)), max(len(data.names) // BLOCK, 1))
    rng = np.random.default_rng(seed)
    parts = [_cut(data.of(list(block)), factor, rng) for block in blocks]
    truth = np.concatenate([part.truth for part in parts])
    hidden = np.concatenate([part.days.censored for part in parts])
    result = {"hidden_days": 100 * float(hidden.mean())}
    for name, method in METHODS.items():
        demand = np.concatenate([method(part.days) for part in parts])
        result |= {f"{name}_{key}": 100 * value for key, value in _scores(demand, truth, hidden).items()}
    return result


def _cut(data: FreshRetail, factor: float, rng: np.random.Generator) -> CensoredTruth:
    return censored_truth(data.sales, data.stockout_hours, data.first_day, factor, rng)


def _scores(demand: Floats, truth: Floats, hidden: Flags) -> dict[str, float]:
    return {
        "bias": bias(demand, truth),
        "bias_hidden": bias(demand[hidden], truth[hidden]),
        "wape": wape(demand, truth),
        "wape_hidden": wape(demand[hidden], truth[hidden]),
    }
