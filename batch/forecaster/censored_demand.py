"""What demand may have been on days that a stock-out cut: draws, given that it was at least what was sold.

For about four months at a time, demand of a series on days with any, over its index, is taken for Weibull,
with a scale and a shape of its own. Shapes, and scales over what was sold, come from distributions that all
series share and that are estimated with them (empirical Bayes by EM).

A network that is only told that demand was at least what was sold forecasts too much. Stock follows a series'
true level, of which the network sees an estimate; given that, more stock means more demand, so days with
stock left do not stand for the others (ADR 23).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.panel import DemandPanel, thinned

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
ScalarT = TypeVar("ScalarT", np.float64, np.bool_)

BLOCK_DAYS = 112
"""A scale and a shape are of about so many days."""

SHAPES = np.exp(np.linspace(np.log(0.4), np.log(6.0), 14))
LOG_SCALES = np.arange(-1.0, 3.0, 0.08)
"""Logs of the scale over the mean of what was sold on days with any."""

ROUNDS = 25
BLOCKS_FOR_PRIOR = 2000
LEAST_SPREAD, LEAST_CHANCE = 0.1, 1e-6


@dataclass(frozen=True)
class _Days:
    """Blocks of days (blocks, days) in multiples of their index.

    Attributes:
        least: what demand was at least. floor: the least that demand of a day with any can be.
        known: days with demand of which all is known. cut: days of which it is not.
    """

    least: Floats
    floor: Floats
    known: Flags
    cut: Flags

    def blocks(self, rows: NDArray[np.intp]) -> "_Days":
        return _Days(**{name: values[rows] for name, values in vars(self).items()})

    @property
    def mean_sold(self) -> Floats:
        """(blocks,) on days with any."""
        sold = self.known | self.cut
        mean: Floats = np.where(sold, self.least, 0.0).sum(axis=1) / np.maximum(sold.sum(axis=1), 1)
        return mean


class CensoredDemand:
    """Demand of a panel of whose cut days only a lower bound is known."""

    def __init__(self, panel: DemandPanel, index: Floats, counts: bool) -> None:
        """Finds what is cut.

        Args:
            panel: the days to learn from.
            index: (n, days) what season, promotion and price multiply demand by.
            counts: whether demand is whole units.
        """
        self._panel, self._index, self._counts = panel, index, counts
        self._cut = panel.open & ~panel.observed & (panel.units > 0)
        self._rows = np.flatnonzero(_in_blocks(self._cut, False).any(axis=1))

    @property
    def is_known(self) -> bool:
        """Whether nothing is cut."""
        return not len(self._rows)

    def drawn(self, rng: np.random.Generator) -> DemandPanel:
        """The panel with a draw for each cut day, which counts as observed then.

        A day without stock on which nothing was sold stays unobserved: its bound says nothing.
        """
        if self.is_known:
            return self._panel
        units = _in_blocks(self._panel.units, 0.0)
        drawn = self._draw(rng) * _in_blocks(self._index, 1.0)[self._rows]
        if self._counts:
            drawn = np.round(drawn)
        sold = units[self._rows]
        units[self._rows] = np.where(self._days.cut, np.maximum(drawn, sold), sold)
        days = self._panel.units.shape[1]
        whole = units.reshape(len(self._panel.units), -1)[:, -days:]
        return replace(self._panel, units=whole, observed=self._panel.observed | self._cut)

    def _draw(self, rng: np.random.Generator) -> Floats:
        """(blocks, days) at least `least`: inverts the survival function of a cell drawn for each block."""
        least, sums = self._days.least, np.cumsum(self._chances.reshape(len(self._rows), -1), axis=1)
        cell = np.minimum((sums < rng.random((len(sums), 1))).sum(axis=1), sums.shape[1] - 1)
        shape = SHAPES[cell // len(LOG_SCALES), None]
        scale = (self._days.mean_sold * np.exp(LOG_SCALES[cell % len(LOG_SCALES)]))[:, None]
        drawn: Floats = scale * ((least / scale) ** shape + rng.exponential(size=least.shape)) ** (1 / shape)
        return drawn

    @cached_property
    def _days(self) -> _Days:
        """The blocks with cut days. A count stands for the unit around it: its bound is half a unit less."""
        panel, half = self._panel, 0.5 if self._counts else 0.0
        least = np.where(self._cut, np.maximum(panel.units - half, half), panel.units)
        known = panel.open & panel.observed & (panel.units > 0)
        return _Days(
            least=_in_blocks(least / self._index, 0.0),
            floor=_in_blocks(half / self._index, 0.0),
            known=_in_blocks(known, False),
            cut=_in_blocks(self._cut, False),
        ).blocks(self._rows)

    @cached_property
    def _chances(self) -> Floats:
        """(blocks, shapes, scales) posterior of each block."""
        likelihood = _log_likelihood(self._days)
        log_prior = _log_prior(likelihood[thinned(len(likelihood), BLOCKS_FOR_PRIOR)])
        return _normalised(likelihood + log_prior)


def _in_blocks(values: NDArray[ScalarT], fill: float | bool) -> NDArray[ScalarT]:
    """(n * blocks, days of a block) of values (n, days); what the first block lacks is filled in front."""
    series, days = values.shape
    count = max(1, round(days / BLOCK_DAYS))
    lacking = -days % count
    padded = np.pad(values, ((0, 0), (lacking, 0)), constant_values=fill)
    return padded.reshape(series * count, -1)


def _log_likelihood(days: _Days) -> Floats:
    """(blocks, shapes, scales), from sums over the days: Weibull above the floor, cut days by survival."""
    mean = np.maximum(days.mean_sold, np.finfo(np.float64).tiny)[:, None]
    least, floor = days.least / mean, days.floor / mean
    sold, count = days.known | days.cut, days.known.sum(axis=1)[:, None, None]
    logs = np.log(least, out=np.zeros_like(least), where=days.known).sum(axis=1)[:, None, None]
    powers = np.stack(
        [np.where(sold, least**shape - floor**shape, 0.0).sum(axis=1) for shape in SHAPES], axis=1
    )
    shape = SHAPES[:, None]
    density = count * (np.log(shape) - shape * LOG_SCALES) + (shape - 1) * logs
    likelihood: Floats = density - powers[:, :, None] * np.exp(-shape * LOG_SCALES)
    return likelihood


def _log_prior(likelihood: Floats) -> Floats:
    """(shapes, scales) logs: any distribution of shapes, a normal one of log scales, both by EM."""
    chance: Floats = np.full(len(SHAPES), 1 / len(SHAPES))
    middle, spread = 0.3, 1.0
    for _ in range(ROUNDS):
        log_prior: Floats = np.log(chance)[:, None] - 0.5 * ((LOG_SCALES - middle) / spread) ** 2
        posterior = _normalised(likelihood + log_prior).mean(axis=0)
        chance = np.maximum(posterior.sum(axis=1), LEAST_CHANCE)
        of_scale = posterior.sum(axis=0)
        middle = float(of_scale @ LOG_SCALES)
        spread = max(float(np.sqrt(of_scale @ (LOG_SCALES - middle) ** 2)), LEAST_SPREAD)
    return log_prior


def _normalised(logs: Floats) -> Floats:
    """Chances (blocks, shapes, scales), summing to 1 in each block, from logs up to a constant."""
    chances: Floats = np.exp(logs - logs.max(axis=(1, 2), keepdims=True))
    chances /= chances.sum(axis=(1, 2), keepdims=True)
    return chances
