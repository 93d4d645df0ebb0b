"""Online recalibration under drift: coverage error and pinball loss with it, over those without it.

Simulated: 100 series x 420 days of negative binomial demand (log base N(0, 1), weekly +-30 %, dispersion
exp(N(0.3, 0.5))) whose log rate walks by 0.02 a day and, from day 100 on, rises by 0.004 a day in all series:
demand doubles in half a year. With the walk alone the errors of rising and falling series cancel. Three
forecasters: one that knew rate and dispersion exactly at day 100 and never learned again, the fallback's
empirical quantiles of the last 56 days, and one that always knows the truth, which recalibration has to leave
alone. The constants of the recalibration were chosen on other seeds and without the common rise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import nbinom

from infra.contracts.demand import EVALUATED_DAYS, QUANTILE_LEVELS, DemandAccuracy, Score
from serving.calibration.recalibration import Floats, recalibrated
from serving.calibration.scores import mean_pinball, randomised_pit
from serving.forecast_feedback import ForecastFeedback
from tests.benchmarks.figures import Figure, measured

SEEDS = (101, 102, 103, 104, 105)
SERIES, DAYS, FIRST_ORIGIN, WALK, DRIFT = 100, 420, 100, 0.02, 0.004
EMPIRICAL_DAYS = 56
DAY_MS = 86_400_000
KEYS = [(f"S{number:03}", "shop") for number in range(SERIES)]
LEVELS = np.array(QUANTILE_LEVELS)

Forecaster = Callable[[int, int], Floats]
"""Quantiles (series, levels) of day `origin + horizon - 1`, from the days before `origin`."""


@dataclass(frozen=True)
class Demand:
    """Demand, its true rate (series, days), and its dispersion (series, 1)."""

    units: Floats
    rate: Floats
    dispersion: Floats

    def true_quantiles(self, day: int, weekday_of: int) -> Floats:
        """With the level of one day and the weekday of another."""
        rate = self.rate[:, day, None] / _week(day) * _week(weekday_of)
        found: Floats = nbinom.ppf(LEVELS, self.dispersion, self.dispersion / (self.dispersion + rate))
        return found


@dataclass(frozen=True)
class Result:
    """Coverage error of the 80 % and 95 % intervals, of all series and of each, and the pinball loss."""

    coverage_error: float
    coverage_error_of_a_series: float
    pinball: float


def _week(day: int) -> float:
    return 1 + 0.3 * float(np.sin(2 * np.pi * day / 7))


def simulated(seed: int) -> Demand:
    rng = np.random.default_rng(seed)
    base = np.exp(rng.normal(0, 1, (SERIES, 1)))
    walk = np.cumsum(rng.normal(0, WALK, (SERIES, DAYS)), axis=1)
    drift = DRIFT * np.maximum(np.arange(DAYS) - FIRST_ORIGIN, 0)
    rate = base * np.exp(walk + drift) * np.array([_week(day) for day in range(DAYS)])
    dispersion = np.exp(rng.normal(0.3, 0.5, (SERIES, 1)))
    units = rng.negative_binomial(dispersion, dispersion / (dispersion + rate)).astype(np.float64)
    return Demand(units, rate, dispersion)


def forecasters(demand: Demand) -> dict[str, Forecaster]:
    frozen = [demand.true_quantiles(FIRST_ORIGIN - 1, weekday) for weekday in range(7)]
    truth = [demand.true_quantiles(day, day) for day in range(DAYS)]

    def empirical(origin: int, horizon: int) -> Floats:
        recent = demand.units[:, origin - EMPIRICAL_DAYS : origin]
        found: Floats = np.quantile(recent, LEVELS, axis=1).T
        return found

    return {
        "frozen": lambda origin, horizon: frozen[(origin + horizon - 1) % 7],
        "empirical": empirical,
        "truth": lambda origin, horizon: truth[origin + horizon - 1],
    }


def results(demand: Demand, forecaster: Forecaster, seed: int) -> tuple[Result, Result]:
    """Without and with recalibration, by the Forecaster's own feedback: delays and all."""
    feedback, rng = ForecastFeedback(), np.random.default_rng(seed + 1)
    plain, moved = _Scores(), _Scores()
    for origin in range(FIRST_ORIGIN, DAYS - max(EVALUATED_DAYS)):
        shifts = feedback.shifts(KEYS, "model", (origin - 1) * DAY_MS)
        for anchor, horizon in enumerate(EVALUATED_DAYS):
            actual, draws = demand.units[:, origin + horizon - 1], rng.random(SERIES)
            quantiles = forecaster(origin, horizon)
            plain.add(horizon, quantiles, actual, draws)
            pit = moved.add(horizon, recalibrated(quantiles, shifts[:, anchor]), actual, draws)
            for scored in _records(origin, horizon, actual, pit):
                feedback.apply(scored)
    return plain.result(), moved.result()


class _Scores:
    def __init__(self) -> None:
        self._pits: dict[int, list[Floats]] = {horizon: [] for horizon in EVALUATED_DAYS}
        self._pinball = 0.0

    def add(self, horizon: int, quantiles: Floats, actual: Floats, draws: Floats) -> Floats:
        pit = randomised_pit(quantiles, actual, np.zeros(SERIES, dtype=np.bool_), draws)
        self._pits[horizon].append(pit)
        self._pinball += float(mean_pinball(quantiles, actual).sum())
        return pit

    def result(self) -> Result:
        errors = [
            (np.abs(np.array(pits) - 0.5) <= share / 2).mean(axis=0) - share
            for pits in self._pits.values()
            for share in (0.8, 0.95)
        ]
        pooled = float(np.mean([abs(of_series.mean()) for of_series in errors]))
        return Result(pooled, float(np.abs(errors).mean()), self._pinball)


def _records(origin: int, horizon: int, actual: Floats, pit: Floats) -> Iterable[DemandAccuracy]:
    for row, (sku, location) in enumerate(KEYS):
        score = Score(
            actual=float(actual[row]),
            censored=False,
            pit=float(pit[row]),
            covered_80=None,
            covered_95=None,
            pinball=None,
            bias=None,
            scored=1,
            cfe=0.0,
            mean_absolute_error=None,
            tracking_signal=None,
        )
        yield DemandAccuracy(
            sku=sku,
            location=location,
            origin_ms=origin * DAY_MS,
            matured_ms=(origin + horizon) * DAY_MS,
            horizon_days=horizon,
            forecaster="lstm",
            model_id="model",
            served=True,
            day=score,
            total=None,
        )


def figures() -> list[Figure]:
    errors: dict[str, list[float]] = {}
    of_series: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    for seed in SEEDS:
        demand = simulated(seed)
        for name, forecaster in forecasters(demand).items():
            before, after = results(demand, forecaster, seed)
            print(seed, name, before, after, flush=True)
            errors.setdefault(name, []).append(after.coverage_error / before.coverage_error)
            ratio = after.coverage_error_of_a_series / before.coverage_error_of_a_series
            of_series.setdefault(name, []).append(ratio)
            losses.setdefault(name, []).append(after.pinball / before.pinball)
    days = DAYS - FIRST_ORIGIN
    how = f"simulated, {SERIES} series x {days} days, log walk {WALK} and drift {DRIFT} a day, 4 horizons"
    made = []
    for name in ("frozen", "empirical"):
        coverage = f"recalibration, {name}: coverage error / without"
        made.append(measured(coverage, errors[name], "ratio", how, "<= 0.5", lambda value: value <= 0.5))
        single = f"recalibration, {name}: coverage error of one series / without"
        made.append(measured(single, of_series[name], "ratio", how))
        pinball = f"recalibration, {name}: pinball / without"
        made.append(measured(pinball, losses[name], "ratio", how, "<= 1", lambda value: value <= 1))
    untouched = "recalibration, the truth: pinball / without"
    return [*made, measured(untouched, losses["truth"], "ratio", how)]
