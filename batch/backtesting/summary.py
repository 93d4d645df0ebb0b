"""Scores of models from their sums, ratios to the baselines with intervals, champions of segments."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch.backtesting.scores import CENTRAL, PIT_BINS, ScoreSums
from batch.forecaster.scores import SCORED_LEVELS
from batch.forecaster.windows import Floats
from infra.contracts.demand import QUANTILE_LEVELS

_NINE = [QUANTILE_LEVELS.index(level) for level in SCORED_LEVELS]
RESAMPLES = 2000


def total(parts: Sequence[ScoreSums]) -> ScoreSums:
    return reduce(add, parts)


def loss_and_demand(sums: ScoreSums, tau: int | None = None) -> tuple[float, float]:
    """Numerator and denominator of the weighted quantile loss, of days or of the tau at that place."""
    if tau is None:
        loss, demand = sums.daily_pinball[..., _NINE], sums.daily_demand
    else:
        loss, demand = sums.sum_pinball[:, tau, _NINE], sums.sum_demand[:, tau]
    return 2 * float(loss.sum()) / len(_NINE), float(demand.sum())


def metrics(sums: ScoreSums, taus: Sequence[int]) -> dict[str, Any]:
    """All scores, pooled over segments and horizon; None where there is nothing to measure by.

    `wql` is M5's: 2 * pinball / demand, mean of nine levels. `bias` is (forecast - demand) / demand and `cfe`
    the units demanded beyond the forecast, both of the mean; MAE and MASE are of the median, RMSE and
    WRMSSE of the mean. `coverage` counts both ends in; `pit_coverage` is by randomised PIT, which is right
    for demand with ties too.
    """
    count, demand = float(sums.daily_count.sum()), float(sums.daily_demand.sum())
    error, pit = float(sums.daily_error.sum()), sums.daily_pit.sum(axis=(0, 1))
    by_level = sums.daily_pinball.sum(axis=(0, 1))
    return {
        "days_scored": int(count),
        "units": demand,
        "wql": _ratio(*loss_and_demand(sums)),
        "pinball": {str(p): _ratio(float(x), count) for p, x in zip(QUANTILE_LEVELS, by_level, strict=True)},
        "coverage": _coverage(sums.daily_covered.sum(axis=(0, 1)), count),
        "pit_coverage": pit_coverage(pit),
        "pit_histogram": (pit / max(count, 1)).tolist(),
        "bias": _ratio(error, demand),
        "cfe": -error,
        "wrmsse": _ratio(float(sums.rmsse.sum()), float(sums.rmsse_weight.sum())),
        "mase": _ratio(float(sums.mase.sum()), float(sums.mase_count.sum())),
        "mae": _ratio(float(sums.daily_absolute.sum()), count),
        "rmse": None if count == 0 else float(np.sqrt(sums.daily_squared.sum() / count)),
        "cumulative": {str(tau): _cumulative(sums, place) for place, tau in enumerate(taus)},
    }


def per_horizon(sums: ScoreSums) -> list[dict[str, Any]]:
    """WQL, bias and coverage of each day ahead."""
    steps = []
    for step in range(sums.daily_count.shape[1]):
        demand = float(sums.daily_demand[:, step].sum())
        loss = 2 * float(sums.daily_pinball[:, step][:, _NINE].sum()) / len(_NINE)
        steps.append(
            {
                "day": step + 1,
                "wql": _ratio(loss, demand),
                "bias": _ratio(float(sums.daily_error[:, step].sum()), demand),
                "pit_coverage": pit_coverage(sums.daily_pit[:, step].sum(axis=0)),
            }
        )
    return steps


def _cumulative(sums: ScoreSums, place: int) -> dict[str, Any]:
    count, pit = float(sums.sum_count[:, place].sum()), sums.sum_pit[:, place].sum(axis=0)
    by_level = sums.sum_pinball[:, place].sum(axis=0)
    return {
        "sums_scored": int(count),
        "wql": _ratio(*loss_and_demand(sums, place)),
        "pinball": {str(p): _ratio(float(x), count) for p, x in zip(QUANTILE_LEVELS, by_level, strict=True)},
        "coverage": _coverage(sums.sum_covered[:, place].sum(axis=0), count),
        "pit_coverage": pit_coverage(pit),
        "pit_histogram": (pit / max(count, 1)).tolist(),
    }


def pit_coverage(histogram: Floats) -> dict[str, float | None]:
    """Shares of PIT values in the central 50, 80 and 95 %."""
    edges = [(round(low * PIT_BINS), round(high * PIT_BINS)) for low, high in CENTRAL]
    inside = np.array([histogram[first:last].sum() for first, last in edges])
    return _coverage(inside, float(histogram.sum()))


def _coverage(inside: Floats, count: float) -> dict[str, float | None]:
    return {
        f"{round(100 * (high - low))}": _ratio(float(share), count)
        for (low, high), share in zip(CENTRAL, inside, strict=True)
    }


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator > 0 else None


def loss_ratio(
    ours: Sequence[ScoreSums], theirs: Sequence[ScoreSums], tau: int | None, block: int
) -> dict[str, float] | None:
    """Ratio of pooled losses at the same origins, with a 95 % interval by circular block bootstrap over them.

    Args:
        ours: sums per origin.
        theirs: likewise, of what is compared with.
        tau: place of the tau, None for days.
        block: origins in a block.

    Returns:
        value, low and high, or None where there is no loss to compare with.

    Source: Politis and Romano 1992, A circular block-resampling procedure for stationary data.
    """
    one, other = (np.array([loss_and_demand(s, tau)[0] for s in sums]) for sums in (ours, theirs))
    if other.sum() <= 0:
        return None
    drawn = block_indices(len(one), block)
    resampled = one[drawn].sum(axis=1) / np.maximum(other[drawn].sum(axis=1), 1e-300)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return {"value": float(one.sum() / other.sum()), "low": float(low), "high": float(high)}


def block_indices(count: int, block: int) -> NDArray[np.intp]:
    """(resamples, count) indices of origins, in runs of `block` that wrap around."""
    rng = np.random.default_rng(0)
    blocks = -(-count // block)
    start = rng.integers(0, count, (RESAMPLES, blocks, 1))
    drawn = (start + np.arange(block)) % count
    return drawn.reshape(RESAMPLES, -1)[:, :count]


def champions(runs: Mapping[str, Sequence[ScoreSums]], segments: Sequence[str]) -> dict[str, Any] | None:
    """The best model of each segment on the earlier half of the origins, and how the choice did on the later.

    A segment without demand on the earlier origins has the model that is best over all. None with fewer than
    two origins.
    """
    origins = len(next(iter(runs.values())))
    early = origins // 2
    if not early:
        return None
    chosen_on = {name: total(sums[:early]) for name, sums in runs.items()}
    later = {name: total(sums[early:]) for name, sums in runs.items()}
    single = min(runs, key=lambda name: loss_and_demand(chosen_on[name])[0])
    choice = {}
    loss = demand = single_loss = 0.0
    for place, segment in enumerate(segments):
        one = np.array([place])
        if loss_and_demand(chosen_on[single].pick(one))[1] > 0:
            choice[segment] = min(runs, key=lambda name: loss_and_demand(chosen_on[name].pick(one))[0])
        else:
            choice[segment] = single
        own, units = loss_and_demand(later[choice[segment]].pick(one))
        loss, demand = loss + own, demand + units
        single_loss += loss_and_demand(later[single].pick(one))[0]
    return {
        "chosen_on_origins": early,
        "scored_on_origins": origins - early,
        "per_segment": choice,
        "best_single_model": single,
        "wql_of_champions": _ratio(loss, demand),
        "wql_of_best_single_model": _ratio(single_loss, demand),
        "wql_of_each_model": {name: _ratio(*loss_and_demand(sums)) for name, sums in later.items()},
    }
