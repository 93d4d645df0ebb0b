"""What each series' week, year, promotions and prices multiply its demand by.

A log-linear model of the mean with one vector of effects per series, drawn from a normal distribution that
is estimated too: a series with little demand gets the effects of all. Fitted by EM with Newton steps on the
negative binomial quasi-likelihood (penalised quasi-likelihood, Breslow & Clayton 1993); a slow level takes
the rest.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WEEK_WAVES, YEAR_WAVES = 3, 2
EFFECTS = 2 * (WEEK_WAVES + YEAR_WAVES) + 2
"""Sines and cosines of week and year, promotion, log of the relative price."""

DAYS_OF_A_YEAR = 365

DAYS_FOR_A_YEAR = 600
"""A year's pattern is not told from a trend in a shorter panel."""

MAX_LOG_INDEX = 2.0
MIN_MEAN = 1e-3
ITERATIONS = 12
LOG_DISPERSIONS = np.linspace(np.log(0.05), np.log(50.0), 15)
START_VARIANCE = 0.1
PRIOR_SCALE = 1e-4


@dataclass(frozen=True)
class SeasonalEffects:
    """Effects (series + 1, EFFECTS), log dispersions k (series + 1,); row 0 is for an unknown series.

    Fitted on so many `days`.
    """

    effects: Floats
    log_dispersion: Floats
    days: int

    @property
    def saw_a_year(self) -> bool:
        """Whether any time of the year that may be ahead had been seen."""
        return self.days >= DAYS_OF_A_YEAR


def calendar_waves(days: NDArray[np.datetime64]) -> Floats:
    """(days, 10): the harmonics of the week, then those of the year."""
    number = days.astype("datetime64[D]").astype(np.float64)
    angles = [number * wave / 7 for wave in range(1, WEEK_WAVES + 1)]
    angles += [number * wave / 365.25 for wave in range(1, YEAR_WAVES + 1)]
    turns = 2 * np.pi * np.stack(angles, axis=1)
    waves: Floats = np.stack([np.sin(turns), np.cos(turns)], axis=2).reshape(len(days), -1)
    return waves


def log_index(effects: Floats, days: NDArray[np.datetime64], price: Floats, promotion: Floats) -> Floats:
    """(series, days) log of what the season, promotions and prices multiply the level by.

    Args:
        effects: (series, EFFECTS).
        days: the calendar days.
        price: (series, days) in multiples of the usual price.
        promotion: (series, days) from 0 to 1.
    """
    waves = calendar_waves(days)
    # Added one by one: a matrix product's last bits depend on how many series there are.
    index = effects[:, -2, None] * promotion + effects[:, -1, None] * log_price(price)
    for number in range(waves.shape[1]):
        index = index + effects[:, number, None] * waves[:, number]
    bounded: Floats = np.clip(index, -MAX_LOG_INDEX, MAX_LOG_INDEX)
    return bounded


def log_price(price: Floats) -> Floats:
    """Log of the relative price, within a factor of e of the usual one."""
    clipped: Floats = np.clip(np.log(np.maximum(price, MIN_MEAN)), -1.0, 1.0)
    return clipped


def fit_seasonality(
    units: Floats, known: Flags, first_day: date, price: Floats, promotion: Floats, yearly: bool
) -> SeasonalEffects:
    """Estimates the effects from all known days of a panel; without the year's waves unless `yearly`.

    Arrays are (series, days).
    """
    fit = _Fit(units, known, first_day, price, promotion, yearly)
    for _ in range(ITERATIONS):
        fit.iterate()
    dispersion = log_dispersion(units, known, fit.mean())
    pooled = dispersion.mean(keepdims=True)
    return SeasonalEffects(
        np.concatenate([fit.shared[None], fit.effects]),
        np.concatenate([pooled, dispersion]),
        units.shape[1],
    )


def log_dispersion(units: Floats, known: Flags, mean: Floats) -> Floats:
    """(series,) posterior mean of the log of k; the prior is what all series say together."""
    likelihood = np.stack([_log_likelihood(units, known, mean, k) for k in np.exp(LOG_DISPERSIONS)], axis=1)
    prior = np.full(len(LOG_DISPERSIONS), 1 / len(LOG_DISPERSIONS))
    for _ in range(ITERATIONS):
        posterior = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * prior
        posterior /= posterior.sum(axis=1, keepdims=True)
        prior = posterior.mean(axis=0)
    expected: Floats = (posterior * LOG_DISPERSIONS).sum(axis=1)
    return expected


def _log_likelihood(units: Floats, known: Flags, mean: Floats, k: float) -> Floats:
    """(series,) of the negative binomial, without what does not depend on k."""
    terms = gammaln(units + k) - gammaln(k) + k * np.log(k / (k + mean)) - units * np.log(k + mean)
    likelihood: Floats = np.where(known, terms, 0.0).sum(axis=1)
    return likelihood


class _Fit:
    """The state of the EM iterations; the design (series, days, EFFECTS) is never held whole."""

    def __init__(
        self, units: Floats, known: Flags, first_day: date, price: Floats, promotion: Floats, yearly: bool
    ) -> None:
        series, days = units.shape
        self.waves = calendar_waves(np.datetime64(first_day, "D") + np.arange(days))
        self.waves[:, 2 * WEEK_WAVES :] *= yearly
        self.half_window = 182 if yearly else 56
        self.own = promotion, log_price(price)
        self.known = known
        self.units = np.where(known, np.minimum(units, _ceiling(units, known)), 0.0)
        self.shared = np.zeros(EFFECTS)
        self.effects = np.zeros((series, EFFECTS))
        self.variance = np.full(EFFECTS, START_VARIANCE)
        self.overdispersion = np.ones(series)
        self.shared_overdispersion = 1.0

    def iterate(self) -> None:
        """Level, dispersion, one Newton step of the shared and of each series' effects, their variance."""
        mean = self.mean()
        self._estimate_dispersion(mean)
        weight = np.where(self.known, 1 / (1 + mean * self.overdispersion[:, None]), 0.0)
        score = self._projected(weight * (self.units - mean))
        information = self._information(weight * mean)
        ridge = np.eye(EFFECTS) * max(1.0, 1e-6 * float(np.trace(information.sum(axis=0))))
        step = np.linalg.solve(information.sum(axis=0) + ridge, score.sum(axis=0))
        self.shared = self.shared + step
        self.effects = self.effects + step
        score = score - information @ step
        prior = np.diag(1 / np.maximum(self.variance, PRIOR_SCALE))
        pull = (self.effects - self.shared) @ prior
        posterior = np.linalg.inv(information + prior)
        self.effects = np.clip(self.effects + np.einsum("nfg,ng->nf", posterior, score - pull), -3, 3)
        spread = (self.effects - self.shared) ** 2 + np.einsum("nff->nf", posterior)
        self.variance = np.mean(spread, axis=0)

    def _projected(self, values: Floats) -> Floats:
        """(series, EFFECTS) sums over the days of values (series, days) times the design."""
        own = [(values * each).sum(axis=1) for each in self.own]
        return np.concatenate([values @ self.waves, np.stack(own, axis=1)], axis=1)

    def _information(self, weight: Floats) -> Floats:
        """(series, EFFECTS, EFFECTS) sums over the days of weight times the outer product of the design."""
        waves = self.waves.shape[1]
        products = np.einsum("tf,tg->tfg", self.waves, self.waves).reshape(len(self.waves), -1)
        information = np.empty((len(weight), EFFECTS, EFFECTS))
        information[:, :waves, :waves] = (weight @ products).reshape(-1, waves, waves)
        for place, each in enumerate(self.own, waves):
            information[:, place] = self._projected(weight * each)
            information[:, :, place] = information[:, place]
        return information

    def mean(self) -> Floats:
        """(series, days) fitted means."""
        index = np.exp(self._log_index())
        sold = _centred_sum(self.units, self.half_window)
        expected = _centred_sum(np.where(self.known, index, 0.0), self.half_window)
        mean: Floats = np.maximum(sold / np.maximum(expected, 1.0), MIN_MEAN) * index
        return mean

    def _log_index(self) -> Floats:
        promotion, price = self.own
        index = self.effects[:, :-2] @ self.waves.T
        index += self.effects[:, -2:-1] * promotion + self.effects[:, -1:] * price
        bounded: Floats = np.clip(index, -MAX_LOG_INDEX, MAX_LOG_INDEX)
        return bounded

    def _estimate_dispersion(self, mean: Floats) -> None:
        """Excess of the squared error over the mean, in mean ** 2, drawn to that of all series."""
        mean = np.where(self.known, mean, 0.0)
        squares = np.maximum((mean**2).sum(axis=1), MIN_MEAN)
        excess = ((self.units - mean) ** 2 - mean).sum(axis=1) * self.known.any(axis=1)
        self.shared_overdispersion = float(np.clip(np.median(excess / squares), 0.05, 20.0))
        noise = 2 * ((mean + self.shared_overdispersion * mean**2) ** 2).sum(axis=1) / squares**2
        trust = self.shared_overdispersion**2 / (self.shared_overdispersion**2 + noise)
        own = self.shared_overdispersion + trust * (excess / squares - self.shared_overdispersion)
        self.overdispersion = np.clip(own, 0.02, 50.0)


def _ceiling(units: Floats, known: Flags) -> Floats:
    """(series, 1) twice the 99.5 % quantile of known days, so that one bulk order does not make a season."""
    some = known | ~known.any(axis=1, keepdims=True)
    quantile = np.nanquantile(np.where(some, units, np.nan), 0.995, axis=1)
    ceiling: Floats = np.maximum(2 * quantile[:, None], 1.0)
    return ceiling


def _centred_sum(values: Floats, half: int) -> Floats:
    total = np.cumsum(np.pad(values, ((0, 0), (half + 1, half))), axis=1)
    total[:, -half:] = total[:, [-half - 1]] if half else total[:, -half:]
    summed: Floats = total[:, 2 * half + 1 :] - total[:, : -2 * half - 1]
    return summed
