"""A distribution for items that hardly sold yet, from what comparable items sell, sharper with each day.

The unknown log level of an item is a point on a grid around what price and factors let expect. Its prior is a
mixture of the levels of the items in its category, in the category above, and so on: a hierarchical Dirichlet
prior (Teh et al. 2006, JASA 101). Each open day in stock multiplies it by the likelihood of what was sold; a
day with a stock-out says nothing. The forecast mixes the distributions of all levels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from batch.forecaster.items import Floats, ItemFactors, Items, category_levels, centred_logs
from batch.forecaster.mixture_quantiles import MAX_EXPONENT, count_quantiles, fractional_quantiles
from batch.forecaster.seasonality import log_index
from batch.forecaster.windows import DemandWindow
from infra.contracts.demand import QUANTILE_LEVELS, Copula

OFFSETS = np.linspace(-5.0, 5.0, 81)
"""Points of the log level, around the expected one."""

HANDOVER_DAYS = 56
"""Known open days from which on the network forecasts a series; see ADR 14."""

MAX_CORRELATION = 0.99
LEAST_PROBABILITY = 1e-12
LEAST_UNITS = 1e-4
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class DayDistribution:
    """The distribution of a day's demand at log levels, linear between `log_level` (knots,), flat outside.

    Whole units: negative binomial with dispersion exp(`log_k`). Fractional: nothing with probability
    `nothing`; otherwise Weibull with scale level x index x exp(`shift`), and `shape`.
    """

    counts: bool
    log_level: Floats
    log_k: Floats
    nothing: Floats
    shift: Floats
    shape: Floats

    def log_likelihood(self, log_level: Floats, log_index: Floats, units: Floats) -> Floats:
        """(n, points) of one day's units (n,)."""
        location = log_level + log_index[:, None]
        if self.counts:
            return _count_likelihood(location, self._at(self.log_k, log_level), units[:, None])
        nothing, shape = self._at(self.nothing, log_level), self._at(self.shape, log_level)
        log_units = np.log(np.maximum(units, LEAST_UNITS))[:, None]
        z = (log_units - location - self._at(self.shift, log_level)) * shape
        some = np.log1p(-nothing) + np.log(shape) + z - np.exp(np.minimum(z, MAX_EXPONENT))
        likelihood: Floats = np.where(units[:, None] > 0, some, np.log(nothing))
        return likelihood

    def quantiles(self, log_level: Floats, log_index: Floats, weights: Floats) -> Floats:
        """(n, levels) at `QUANTILE_LEVELS` of the mixture over the points (n, points)."""
        wanted = np.array(QUANTILE_LEVELS)
        location = log_level + log_index[:, None]
        if self.counts:
            return count_quantiles(wanted, weights, np.exp(location), np.exp(self._at(self.log_k, log_level)))
        nothing = self._at(self.nothing, log_level)
        some = weights * (1 - nothing)
        total = some.sum(axis=1)
        scale = location + self._at(self.shift, log_level)
        shape = self._at(self.shape, log_level)
        return fractional_quantiles(wanted, 1 - total, some / total[:, None], scale, shape)

    def log_variance(self, log_level: Floats) -> Floats:
        """(n, points) of a day's log: of the Weibull's, or of the log-normal with the counts' two moments."""
        if not self.counts:
            return np.pi**2 / 6 / self._at(self.shape, log_level) ** 2
        variance: Floats = np.log1p(np.exp(-log_level) + np.exp(-self._at(self.log_k, log_level)))
        return variance

    def _at(self, values: Floats, log_level: Floats) -> Floats:
        there: Floats = np.interp(log_level, self.log_level, values)
        return there


def _count_likelihood(log_mean: Floats, log_k: Floats, units: Floats) -> Floats:
    k = np.exp(log_k)
    log_total = np.logaddexp(log_mean, log_k)
    counts = gammaln(units + k) - gammaln(k) - gammaln(units + 1)
    likelihood: Floats = counts + k * (log_k - log_total) + units * (log_mean - log_total)
    return likelihood


@dataclass(frozen=True)
class ColdStart:
    """What is known of items before they sell.

    Attributes:
        effects: (EFFECTS,) of season, promotion and price that all items share.
        day: the distribution of a day at a level.
        factors: of the items that shoppers saw.
        number_mean: mean logs of `NUMBERS`.
        coefficients: (1 + NUMBERS + rank,) of the log level.
        locations: names, and by how much each sells more than others of the same item (log).
        location_effects: likewise.
        categories: levels of the category paths; the first holds all items.
        prior: (categories, OFFSETS) probabilities.
    """

    effects: Floats
    day: DayDistribution
    factors: ItemFactors
    number_mean: Floats
    coefficients: Floats
    locations: tuple[str, ...]
    location_effects: Floats
    categories: tuple[str, ...]
    prior: Floats

    def log_levels(self, items: Items, locations: Sequence[str]) -> Floats:
        """(n, OFFSETS) the points of each series' log level."""
        design = level_design(items, self.factors, self.number_mean)
        effect = dict(zip(self.locations, self.location_effects.tolist(), strict=True))
        expected = (design * self.coefficients).sum(axis=1)
        expected = expected + np.array([effect.get(location, 0.0) for location in locations])
        points: Floats = expected[:, None] + OFFSETS
        return points

    def log_prior(self, items: Items) -> Floats:
        """(n, OFFSETS) of the narrowest level of each item's category that training knows."""
        place = {category: row for row, category in enumerate(self.categories)}
        rows = [
            next(place[level] for level in reversed(category_levels(category)) if level in place)
            for category in items.category
        ]
        logs: Floats = np.log(np.maximum(self.prior, LEAST_PROBABILITY))[rows]
        return logs

    def forecast(
        self, window: DemandWindow, items: Items, locations: Sequence[str]
    ) -> tuple[Floats, list[Copula]]:
        """Quantiles (n, horizon, levels) in units, and the dependence between the days.

        The quantiles are finite, not negative and ascend; a series is forecast the same alone or not.
        """
        levels = self.log_levels(items, locations)
        weights = normalised(self.log_prior(items) + self.evidence(window, levels))
        first = np.datetime64(window.last_day, "D") + 1
        days = np.arange(first, first + window.future_open.shape[1])
        ahead = log_index(self._shared(len(levels)), days, window.future_price, window.future_promotion)
        made = [self._mixed(levels, ahead[:, step], weights) for step in range(len(days))]
        quantiles: Floats = np.stack(made, axis=1) * window.future_open[:, :, None]
        return quantiles, self.copulas(levels, weights)

    def evidence(self, window: DemandWindow, levels: Floats) -> Floats:
        """(n, OFFSETS) log likelihood of all days that the window knows of a series."""
        total = np.zeros_like(levels)
        for column, index in self._open_days(window):
            total += self.day_evidence(levels, index, window, column)
        return total

    def day_evidence(self, levels: Floats, index: Floats, window: DemandWindow, column: int) -> Floats:
        """(n, OFFSETS) log likelihood of one day (a column); 0 where it was closed or a stock-out."""
        likelihood = self.day.log_likelihood(levels, index, np.maximum(window.units[:, column], 0.0))
        known = window.open[:, column] & window.observed[:, column]
        counted: Floats = np.where(known[:, None], likelihood, 0.0)
        return counted

    def copulas(self, levels: Floats, weights: Floats) -> list[Copula]:
        """Days share the unknown level: its part of the variance of a day's log, at posterior `weights`."""
        mean = (weights * levels).sum(axis=1, keepdims=True)
        between = (weights * (levels - mean) ** 2).sum(axis=1)
        within = (weights * self.day.log_variance(levels)).sum(axis=1)
        shares = np.minimum(between / (between + within), MAX_CORRELATION)
        return [Copula(level=round(share, 4), decay=0.0) for share in shares.tolist()]

    def _open_days(self, window: DemandWindow) -> Iterator[tuple[int, Floats]]:
        """Columns on which any series was open, and the log index of every series there."""
        last = np.datetime64(window.last_day, "D")
        count = window.units.shape[1]
        for column in np.flatnonzero(window.open.any(axis=0)).tolist():
            day = np.array([last - (count - 1 - column)])
            price, promotion = window.price[:, [column]], window.promotion[:, [column]]
            yield column, log_index(self._shared(len(price)), day, price, promotion)[:, 0]

    def _shared(self, series: int) -> Floats:
        return np.broadcast_to(self.effects, (series, len(self.effects)))

    def _mixed(self, levels: Floats, log_index: Floats, weights: Floats) -> Floats:
        parts = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(levels), ROWS_AT_ONCE)]
        return np.concatenate([self.day.quantiles(levels[at], log_index[at], weights[at]) for at in parts])


def level_design(items: Items, factors: ItemFactors, number_mean: Floats) -> Floats:
    """(n, 1 + NUMBERS + rank) that the expected log level is linear in."""
    ones = np.ones((len(items.sku), 1))
    return np.concatenate([ones, centred_logs(items.numbers, number_mean), factors.of(items)], axis=1)


def normalised(log_weights: Floats) -> Floats:
    """Probabilities (n, points) that sum to 1."""
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def known_days(window: DemandWindow) -> NDArray[np.intp]:
    """(n,) open days in stock all day."""
    days: NDArray[np.intp] = (window.observed & window.open).sum(axis=1)
    return days
