"""Scores as sums, so that origins, horizons and segments can be added up in any way afterwards."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from batch.backtesting.calibration import randomised_pit
from batch.backtesting.forecaster import Forecast
from batch.forecaster.quantile_function import mean
from batch.forecaster.scores import pinball
from batch.forecaster.windows import Flags, Floats
from infra.contracts.demand import QUANTILE_LEVELS

PIT_BINS = 40
CENTRAL = ((0.25, 0.75), (0.1, 0.9), (0.025, 0.975))
ROWS = 2048
"""Series scored at once, to bound memory."""

_LEVELS = np.array(QUANTILE_LEVELS)
_MEDIAN = QUANTILE_LEVELS.index(0.5)
_ENDS = [[QUANTILE_LEVELS.index(level) for level in ends] for ends in CENTRAL]


@dataclass(frozen=True)
class Outcome:
    """What came after an origin, and what the scores of its n series are measured by.

    Attributes:
        units: (n, horizon) demand. scored: (n, horizon) where it is known and the day open.
        sums: (n, taus) demand of the first tau days. sums_scored: (n, taus) where all their days are known.
        segment: (n,) index of the series' segment; segments: how many there are.
        squared_scale: (n,) mean squared difference of days in the history (RMSSE); 0 where there is none.
        absolute_scale: (n,) mean absolute difference of the same weekdays (MASE); 0 where there is none.
        weight: (n,) recent sales (WRMSSE).
        step: 1 if demand comes in whole units, else 0. seed: of the randomised PIT.
    """

    units: Floats
    scored: Flags
    sums: Floats
    sums_scored: Flags
    segment: NDArray[np.int64]
    segments: int
    squared_scale: Floats
    absolute_scale: Floats
    weight: Floats
    step: float
    seed: int


@dataclass(frozen=True)
class ScoreSums:
    """Sums over the series of each segment: axes segments, then horizon (`daily_`) or taus (`sum_`)."""

    daily_pinball: Floats
    daily_demand: Floats
    daily_count: Floats
    daily_error: Floats
    daily_absolute: Floats
    daily_squared: Floats
    daily_covered: Floats
    daily_pit: Floats
    sum_pinball: Floats
    sum_demand: Floats
    sum_count: Floats
    sum_covered: Floats
    sum_pit: Floats
    rmsse: Floats
    rmsse_weight: Floats
    mase: Floats
    mase_count: Floats

    def __add__(self, other: "ScoreSums") -> "ScoreSums":
        return ScoreSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def pick(self, segments: NDArray[np.intp]) -> "ScoreSums":
        """The sums of some segments."""
        return ScoreSums(*(getattr(self, f.name)[segments] for f in fields(self)))


def score(forecast: Forecast, outcome: Outcome) -> ScoreSums:
    """Scores a forecast, some thousand series at a time."""
    rng = np.random.default_rng(outcome.seed)
    daily_uniform, sum_uniform = (
        np.asarray(rng.random(outcome.units.shape)),
        np.asarray(rng.random(outcome.sums.shape)),
    )
    total: ScoreSums | None = None
    for start in range(0, len(outcome.units), ROWS):
        rows = slice(start, start + ROWS)
        part = _score_rows(forecast, outcome, rows, daily_uniform[rows], sum_uniform[rows])
        total = part if total is None else total + part
    if total is None:
        raise ValueError("no series to score")
    return total


def _score_rows(
    forecast: Forecast, outcome: Outcome, rows: slice, daily_uniform: Floats, sum_uniform: Floats
) -> ScoreSums:
    member = np.eye(outcome.segments)[outcome.segment[rows]].T

    def by_segment(values: Floats) -> Floats:
        flat = member @ values.reshape(len(values), -1)
        sums: Floats = flat.reshape(outcome.segments, *values.shape[1:])
        return sums

    daily = _Marginal(forecast.daily[rows], outcome.units[rows], outcome.scored[rows])
    sums = _Marginal(forecast.cumulative[rows], outcome.sums[rows], outcome.sums_scored[rows])
    error, absolute = daily.error(), daily.absolute()
    rmsse, weight = _scaled(error**2, daily.scored, outcome.squared_scale[rows])
    mase, measured = _scaled(absolute, daily.scored, outcome.absolute_scale[rows])
    weight *= outcome.weight[rows]
    return ScoreSums(
        daily_pinball=by_segment(daily.pinball()),
        daily_demand=by_segment(daily.demand()),
        daily_count=by_segment(daily.scored.astype(float)),
        daily_error=by_segment(error),
        daily_absolute=by_segment(absolute),
        daily_squared=by_segment(error**2),
        daily_covered=by_segment(daily.covered()),
        daily_pit=by_segment(daily.pit(outcome.step, daily_uniform)),
        sum_pinball=by_segment(sums.pinball()),
        sum_demand=by_segment(sums.demand()),
        sum_count=by_segment(sums.scored.astype(float)),
        sum_covered=by_segment(sums.covered()),
        sum_pit=by_segment(sums.pit(outcome.step, sum_uniform)),
        rmsse=by_segment(np.sqrt(rmsse) * weight),
        rmsse_weight=by_segment(weight),
        mase=by_segment(mase),
        mase_count=by_segment(measured),
    )


@dataclass(frozen=True)
class _Marginal:
    """Quantiles (n, k, levels) of values (n, k), of which `scored` count; what does not is 0."""

    quantiles: Floats
    actual: Floats
    scored: Flags

    def demand(self) -> Floats:
        return np.where(self.scored, self.actual, 0.0)

    def pinball(self) -> Floats:
        return pinball(self.quantiles, self.actual, _LEVELS) * self.scored[..., None]

    def error(self) -> Floats:
        return np.where(self.scored, mean(self.quantiles) - self.actual, 0.0)

    def absolute(self) -> Floats:
        return np.where(self.scored, np.abs(self.quantiles[..., _MEDIAN] - self.actual), 0.0)

    def covered(self) -> Floats:
        inside = [
            (self.quantiles[..., low] <= self.actual) & (self.actual <= self.quantiles[..., high])
            for low, high in _ENDS
        ]
        return np.stack(inside, axis=-1) & self.scored[..., None]

    def pit(self, step: float, uniform: Floats) -> Floats:
        """(n, k, bins) counts."""
        value = randomised_pit(self.quantiles, self.actual, step, uniform)
        place = np.minimum((value * PIT_BINS).astype(np.intp), PIT_BINS - 1)
        counted: Floats = np.eye(PIT_BINS, dtype=np.bool_)[place] & self.scored[..., None]
        return counted


def _scaled(losses: Floats, scored: Flags, scale: Floats) -> tuple[Floats, Floats]:
    """(n,) mean loss over scored days by the scale, and 1 where there is one, else 0 and 0."""
    count = scored.sum(axis=1)
    usable = (count > 0) & (scale > 0)
    ratio = np.divide(losses.sum(axis=1), count * scale, out=np.zeros(len(losses)), where=usable)
    return ratio, usable.astype(np.float64)
