"""Learns from the panel what items sell before they are known: levels by category, and days at a level."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.cold_start import OFFSETS, ColdStart, DayDistribution, level_design
from batch.forecaster.items import (
    Floats,
    ItemFactors,
    Items,
    category_levels,
    known_mean,
    ridge,
)
from batch.forecaster.panel import DemandPanel
from batch.forecaster.seasonality import (
    DAYS_FOR_A_YEAR,
    fit_seasonality,
    log_dispersion,
    log_index,
)
from batch.forecaster.windows import Flags
from infra.errors import StockstreamError

LEAST_KNOWN_DAYS = 10
SAMPLED_SERIES = 2000
LEVEL_BINS = 12
CONCENTRATION = 8.0
"""How many items' worth of belief a category takes over from the one above it."""
LOCATION_ITEMS = 5.0
"""How many of its items it takes until a location's effect is believed by half."""
BANDWIDTH = 0.35
"""Of the smoothed log levels: new items are not quite like old ones."""
LEAST_NEAR = 1e-6
"""What every level keeps of an item's share, so that none is impossible."""
LEAST_NOTHING, MOST_NOTHING = 1e-3, 0.95
LEAST_SPREAD = 0.05
WITHIN = 0.85
"""The shape of a day's distribution is that between this quantile and its mirror; the rest are outliers."""


def fit_cold_start(panel: DemandPanel, items: Items, factors: ItemFactors) -> ColdStart:
    """What the panel's series teach about new ones.

    Args:
        panel: only days that may be learned from.
        items: of the catalogue, in any order; a SKU of the panel that is not there has no attributes.
        factors: of the items that shoppers saw.

    Raises:
        StockstreamError: no series sold anything and was in stock on `LEAST_KNOWN_DAYS` open days.
    """
    known = panel.observed & panel.open
    usable = (known.sum(axis=1) >= LEAST_KNOWN_DAYS) & (np.where(known, panel.units, 0).sum(axis=1) > 0)
    if not usable.any():
        raise StockstreamError(
            f"no series sold anything in {LEAST_KNOWN_DAYS} days in stock: none to learn from"
        )
    rows = np.flatnonzero(usable)
    learned = panel.rows(rows)
    sample = learned.sample(SAMPLED_SERIES)
    effects = _shared_effects(sample)
    log_level = _log_levels(learned, _log_index(learned, effects))
    sku = np.array([sku for sku, _ in learned.series])
    locations = [location for _, location in learned.series]
    names, of_series = np.unique(sku, return_inverse=True)
    places, location_effects = _location_effects(log_level, of_series, locations)
    there = np.searchsorted(places, locations)
    attributes = items.picked(names.tolist())
    levels = _Levels(of_series, log_level - location_effects[there])
    number_mean = known_mean(np.log(attributes.numbers))
    design = level_design(attributes, factors, number_mean)
    coefficients, residuals = _expected_levels(design, levels)
    categories, prior = _category_priors(attributes.category, levels, residuals)
    return ColdStart(
        effects=effects,
        day=_day_distribution(sample, effects),
        factors=factors,
        number_mean=number_mean,
        coefficients=coefficients,
        locations=tuple(places.tolist()),
        location_effects=location_effects,
        categories=categories,
        prior=prior,
    )


@dataclass(frozen=True)
class _Levels:
    """Which item each series (n,) is of, and its log level where the location's effect is taken off."""

    item: NDArray[np.intp]
    log_level: Floats

    def mean(self) -> Floats:
        """(items,) over the locations of each."""
        return np.bincount(self.item, self.log_level) / np.bincount(self.item)


def _location_effects(
    log_level: Floats, item: NDArray[np.intp], locations: list[str]
) -> tuple[NDArray[np.str_], Floats]:
    """Locations, and how much more than the mean location each sells of the same items, shrunk to 0."""
    places, there = np.unique(np.array(locations), return_inverse=True)
    beyond = log_level - _Levels(item, log_level).mean()[item]
    effects: Floats = np.bincount(there, beyond) / (np.bincount(there) + LOCATION_ITEMS)
    return places, effects


def _expected_levels(design: Floats, levels: _Levels) -> tuple[Floats, Floats]:
    """Coefficients of the items' mean levels, and how far each series is from an outsider's guess.

    The guess for an item is made without it, as it is for a new one.
    """
    mean = levels.mean()
    weights = np.ones(len(mean))
    coefficients, left_out = ridge(design, mean[:, None], weights)
    residuals: Floats = levels.log_level - mean[levels.item] + left_out[levels.item, 0]
    return coefficients[:, 0], residuals


def _category_priors(
    categories: tuple[str, ...], levels: _Levels, residuals: Floats
) -> tuple[tuple[str, ...], Floats]:
    """Every level of the categories, wider ones first, and its (OFFSETS,) mixture of smoothed residuals."""
    near = np.exp(-0.5 * ((OFFSETS - residuals[:, None]) / BANDWIDTH) ** 2) + LEAST_NEAR
    near /= near.sum(axis=1, keepdims=True)
    size = np.bincount(levels.item).astype(float)
    own = np.zeros((len(size), len(OFFSETS)))
    np.add.at(own, levels.item, near)
    own /= size[:, None]
    members: dict[str, list[int]] = defaultdict(list)
    for item, category in enumerate(categories):
        for level in category_levels(category):
            members[level].append(item)
    made: dict[str, Floats] = {}
    for level in sorted(members, key=lambda name: (len(category_levels(name)) if name else 0, name)):
        mixed = own[members[level]].mean(axis=0)
        if level:
            above = made[category_levels(level)[-2]]
            count = len(members[level])
            mixed = (count * mixed + CONCENTRATION * above) / (count + CONCENTRATION)
        made[level] = mixed
    return tuple(made), np.stack(list(made.values()))


def _shared_effects(sample: DemandPanel) -> Floats:
    known = sample.observed & sample.open
    yearly = sample.units.shape[1] >= DAYS_FOR_A_YEAR
    seasons = fit_seasonality(sample.units, known, sample.first_day, sample.price, sample.promotion, yearly)
    effects: Floats = seasons.effects[0]
    return effects


def _log_index(panel: DemandPanel, effects: Floats) -> Floats:
    days = np.datetime64(panel.first_day, "D") + np.arange(panel.units.shape[1])
    return log_index(
        np.broadcast_to(effects, (len(panel.series), len(effects))), days, panel.price, panel.promotion
    )


def _log_levels(panel: DemandPanel, index: Floats) -> Floats:
    """(n,) log of units per unit of index over the known days; half a day more at the mean of all."""
    known = panel.observed & panel.open
    sold, expected = (np.where(known, each, 0.0).sum(axis=1) for each in (panel.units, np.exp(index)))
    usual = sold.sum() / expected.sum()
    levels: Floats = np.log((sold + 0.5 * usual) / (expected + 0.5))
    return levels


def _day_distribution(sample: DemandPanel, effects: Floats) -> DayDistribution:
    index = _log_index(sample, effects)
    log_level = _log_levels(sample, index)
    known = sample.observed & sample.open
    counts = bool((sample.units == np.round(sample.units)).all())
    bins = np.array_split(np.argsort(log_level, kind="stable"), min(LEVEL_BINS, len(log_level)))
    knots = np.array([log_level[rows].mean() for rows in bins])
    location = log_level[:, None] + index
    log_k = np.zeros(len(log_level))
    if counts:
        log_k = log_dispersion(sample.units, known, np.exp(location))
    parts = [_logs(sample.units[rows], known[rows], location[rows]) for rows in bins]
    nothing, shift, shape = np.array(parts).T
    by_bin = np.array([log_k[rows].mean() for rows in bins])
    return DayDistribution(counts, knots, by_bin, nothing, shift, shape)


def _logs(units: Floats, known: Flags, location: Floats) -> tuple[float, float, float]:
    """Share of known days without demand; Weibull log scale and shape of the others, from the level."""
    sold = known & (units > 0)
    nothing = float(np.clip(1 - sold.sum() / known.sum(), LEAST_NOTHING, MOST_NOTHING))
    low, middle, high = np.quantile(np.log(units[sold]) - location[sold], (1 - WITHIN, 0.5, WITHIN))
    spread = max(float(high - low), LEAST_SPREAD)
    shape = (_log_weibull(WITHIN) - _log_weibull(1 - WITHIN)) / spread
    return nothing, float(middle) - _log_weibull(0.5) / shape, shape


def _log_weibull(probability: float) -> float:
    """Log of the quantile of the Weibull distribution with scale and shape 1."""
    return float(np.log(-np.log1p(-probability)))
