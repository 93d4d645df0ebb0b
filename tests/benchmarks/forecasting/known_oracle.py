"""Forecasters on simulated demand whose true distribution is known: what of the possible gain is reached?"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from batch.backtesting.forecaster import Forecast, History
from batch.backtesting.rolling import rolling_origins, segments_at
from batch.backtesting.runs import Task
from batch.backtesting.scores import ScoreSums
from batch.demand_generator import GeneratedDemand, GeneratorPlan, generate
from batch.forecaster.sales_panel import SalesPanel
from infra.contracts.demand import QUANTILE_LEVELS
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.forecasting.measured_runs import (
    CLASSICAL,
    OURS,
    contestants,
    coverage_errors,
    measured_runs,
    pooled,
    tail_coverage_error,
    tail_pinball,
    wql,
)

SEEDS = (1, 2, 3, 4, 5)
SERIES, ORIGINS, HORIZON = 1000, 6, 28
PATHS = 1000
LEARNING = ("lightgbm", "deepar")


class Oracle:
    """Knows the rate of every day ahead, its walk included, and the dispersion."""

    sums = f"{PATHS} draws from the true distributions"

    def __init__(self, generated: GeneratedDemand) -> None:
        self._generated = generated

    def fit(self, history: History) -> None:
        """Nothing is to be learned."""

    def forecast(self, history: History) -> Forecast:
        first = history.panel.units.shape[1]
        ahead = slice(first, first + history.horizon)
        daily = self._generated.oracle_quantiles(first, QUANTILE_LEVELS)[:, : history.horizon]
        k, rate = self._generated.dispersion, self._generated.rate[:, ahead]
        sums = np.zeros((len(rate), len(history.taus), len(QUANTILE_LEVELS)))
        rng = np.random.default_rng(first)
        for row in range(len(rate)):
            drawn = rng.negative_binomial(k[row], k[row] / (k[row] + rate[row]), (PATHS, history.horizon))
            totals = np.cumsum(drawn, axis=1)[:, np.array(history.taus) - 1]
            sums[row] = np.quantile(totals, QUANTILE_LEVELS, axis=0).T
        return Forecast(daily, sums)


def figures() -> list[Figure]:
    """All figures at full size."""
    return measure(SEEDS, SERIES, ORIGINS)


def measure(seeds: Sequence[int], series: int, origins: int) -> list[Figure]:
    """One panel a seed, models fitted once: scores of days at the first origin, of sums at all."""
    first: list[dict[str, ScoreSums]] = []
    every: list[dict[str, ScoreSums]] = []
    seconds: list[float] = []
    taus: tuple[int, ...] = ()
    for seed in seeds:
        generated = generate(GeneratorPlan(series=series, future_days=HORIZON * origins, seed=seed))
        task = _task(generated, origins)
        taus = task.origins.taus
        models = contestants(*CLASSICAL[1:], *LEARNING, OURS)
        models["oracle"] = partial(Oracle, generated)
        runs = measured_runs(f"known-oracle-{series}-{origins}-{seed}", task, models)
        first.append({name: made[0].sums for name, made in runs.items()})
        every.append(pooled(runs))
        seconds.append(runs[OURS][0].seconds)
    how = (
        f"simulated, {len(seeds)} seeds, {series} series x 730 days, h = {HORIZON}, models fitted once a seed"
    )
    return [
        *_daily(first, f"{how}; first origin"),
        *_summed(every, taus, f"{how}; {origins} origins"),
        measured("oracle_seconds_lstm", seconds, "s", f"{how}; a fit and its first forecasts, wall time"),
    ]


def _task(generated: GeneratedDemand, origins: int) -> Task:
    panel = SalesPanel(
        demand=generated.panel(),
        calendar_known=True,
        price=generated.price,
        facts={},
    )
    rolling = rolling_origins(panel, HORIZON, origins, HORIZON)
    return Task(panel, rolling, segments_at(panel, rolling.columns[0]), (0,), refit_every=origins)


def _daily(scores: Sequence[Mapping[str, ScoreSums]], how: str) -> list[Figure]:
    def ratio(other: str, name: str = OURS) -> list[float]:
        return [wql(one[name]) / wql(one[other]) for one in scores]

    peers = [*CLASSICAL, *LEARNING]
    tails = [tail_pinball(one[OURS]) / min(tail_pinball(one[name]) for name in peers) for one in scores]
    own_error = [tail_coverage_error(one[OURS]) for one in scores]
    best_error = [min(tail_coverage_error(one[name]) for name in peers) for one in scores]
    allowed = max(0.5 * float(np.median(best_error)), 0.5)
    losses = [
        measured(f"oracle_wql_{name}", [wql(one[name]) for one in scores], "", how) for name in scores[0]
    ]
    truth = f"{how}; the true distribution, which nobody can beat"
    bounds = [
        measured(f"oracle_wql_of_the_truth_by_{name}", ratio(name, "oracle"), "", truth) for name in LEARNING
    ]
    return [
        measured("oracle_gap_closed", [_gap(one) for one in scores], "", how, ">= 0.90", lambda v: v >= 0.90),
        measured("oracle_wql_by_lightgbm", ratio("lightgbm"), "", how, "<= 0.945", lambda v: v <= 0.945),
        measured("oracle_wql_by_deepar", ratio("deepar"), "", how, "<= 0.925", lambda v: v <= 0.925),
        measured(
            "oracle_tail_pinball", tails, "", f"{how}; .975 and .995, by the best peer",
            "<= 0.95", lambda v: v <= 0.95,
        ),
        measured(
            "oracle_tail_coverage_error", own_error, "points", f"{how}; share above the .975 quantile",
            f"<= {allowed:.2f}", lambda v: v <= allowed,
        ),
        measured("oracle_tail_coverage_error_best_peer", best_error, "points", how),
        *bounds,
        *losses,
    ]  # fmt: skip


def _gap(scores: Mapping[str, ScoreSums]) -> float:
    best = min(wql(scores[name]) for name in CLASSICAL)
    return (best - wql(scores[OURS])) / (best - wql(scores["oracle"]))


def _summed(scores: Sequence[Mapping[str, ScoreSums]], taus: Sequence[int], how: str) -> list[Figure]:
    made = []
    for place, tau in enumerate(taus):
        errors = [coverage_errors(one[OURS], taus)[tau] for one in scores]
        peers = [name for name in scores[0] if name not in (OURS, "oracle")]
        ratios = [wql(one[OURS], place) / min(wql(one[name], place) for name in peers) for one in scores]
        made += [
            measured(
                f"oracle_coverage_error_{tau}_days", errors, "points",
                f"{how}; worst of 50, 80, 95 %, randomised PIT", "<= 2", lambda v: v <= 2,
            ),
            measured(
                f"oracle_pinball_{tau}_days", ratios, "", f"{how}; by the best peer", "<= 1", lambda v: v <= 1
            ),
        ]  # fmt: skip
    return made
