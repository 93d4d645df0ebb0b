"""Which drivers moved a forecast, in units of demand: each is taken out, alone and together with the others.

A driver's contribution is its Shapley value: what it adds to the mean of summed demand, averaged over every
order in which the drivers could be put back (Shapley 1953; for predictions Lundberg and Lee 2017,
arXiv 1705.07874). With the reference, where all are neutral, contributions sum to the forecast.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import factorial

import numpy as np

from batch.forecaster.artifact import Weights
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.predictor import Predictor
from batch.forecaster.quantile_function import mean
from batch.forecaster.windows import (
    CALENDAR_FEATURES,
    OWN_FEATURES,
    WEEKDAYS,
    DemandWindow,
    Flags,
    Floats,
    demand_history,
    horizon_features,
)

RECENT_DAYS, USUAL_DAYS = 28, 112
LEVEL, PROMOTION, PRICE = "recent level", "promotion", "price"
STOCK_OUTS, OPEN_DAYS = "stock-outs", "open days ahead"
SEASON, CHRISTMAS, NETWORK = "weekday and season", "nearness of Christmas", "what the network adds"

Key = tuple[str, str]
Forecaster = Callable[[DemandWindow], Floats]
"""Mean demand (n, horizon) of each day ahead."""


@dataclass(frozen=True)
class Explanation:
    """Summed demand of days 1..`days`: `forecast` is `reference` plus all contributions, in units."""

    days: int
    reference: float
    contributions: Mapping[str, float]
    forecast: float


def explain_model(predictor: Predictor, window: DemandWindow, key: Key, days: int) -> Explanation:
    """Explains the mean of the network's forecast of one series.

    The reference is its usual level on as many open days as in the four weeks before, without promotions, at
    its usual price, taking sales on days with stock-outs for demand.

    Args:
        predictor: the model.
        window: of the one series, as the model reads it.
        key: its (sku, location).
        days: how many days ahead are summed.
    """
    drivers = (SEASON, CHRISTMAS, NETWORK)
    window = predictor.learned(window)
    forecasters = {
        on: _model_means(predictor, key, *on) for on in product((False, True), repeat=len(drivers))
    }
    return _explanation(drivers, forecasters, WINDOW_DRIVERS, window, days)


def explain_fallback(window: DemandWindow, days: int) -> Explanation:
    """Explains the empirical quantiles of the last 56 known open days, times the open days ahead."""
    neutral = {name: WINDOW_DRIVERS[name] for name in (LEVEL, STOCK_OUTS, OPEN_DAYS)}
    return _explanation((), {(): lambda each: mean(empirical_forecast(each))}, neutral, window, days)


def shapley_values(values: Floats) -> Floats:
    """(players,) Shapley values of a game; `values` has one axis of length 2, off and on, per player.

    >>> shapley_values(np.array([[0.0, 1.0], [2.0, 5.0]]))
    array([3., 2.])
    """
    players = values.ndim
    found = np.zeros(players)
    for player in range(players):
        gain = np.diff(values, axis=player).squeeze(player)
        for others in product((0, 1), repeat=players - 1):
            weight = factorial(sum(others)) * factorial(players - 1 - sum(others)) / factorial(players)
            found[player] += weight * gain[others]
    return found


def _explanation(
    drivers: Sequence[str],
    forecasters: Mapping[tuple[bool, ...], Forecaster],
    neutral: Mapping[str, Callable[[DemandWindow], DemandWindow]],
    window: DemandWindow,
    days: int,
) -> Explanation:
    subsets = list(product((False, True), repeat=len(neutral)))
    ablated = [_without(window, neutral, on) for on in subsets]
    stacked = _stacked(ablated)
    sums = np.stack([of(stacked)[:, :days].sum(axis=1) for of in forecasters.values()])
    values = sums.reshape((2,) * (len(drivers) + len(neutral)))
    contributions = dict(zip((*drivers, *neutral), map(float, shapley_values(values)), strict=True))
    return Explanation(days, float(values.flat[0]), contributions, float(values.flat[-1]))


def _without(
    window: DemandWindow,
    neutral: Mapping[str, Callable[[DemandWindow], DemandWindow]],
    on: tuple[bool, ...],
) -> DemandWindow:
    for taken_out, kept in zip(neutral.values(), on, strict=True):
        window = window if kept else taken_out(window)
    return window


def _stacked(windows: Sequence[DemandWindow]) -> DemandWindow:
    names = [name for name in vars(windows[0]) if name != "last_day"]
    arrays = {name: np.concatenate([getattr(each, name) for each in windows]) for name in names}
    return replace(windows[0], **arrays)


def _usual_level(window: DemandWindow) -> DemandWindow:
    """The last days scaled to the mean of the known days before; that mean itself where nothing was sold."""
    known = window.observed & window.open
    before = slice(-RECENT_DAYS - USUAL_DAYS, -RECENT_DAYS)
    usual, recent = (
        _mean_of_known(window.units, known, days) for days in (before, slice(-RECENT_DAYS, None))
    )
    units = window.units.copy()
    scaled = (
        units[:, -RECENT_DAYS:] * usual / recent if recent else np.where(known[:, -RECENT_DAYS:], usual, 0)
    )
    units[:, -RECENT_DAYS:] = scaled
    return replace(window, units=units)


def _mean_of_known(units: Floats, known: Flags, days: slice) -> float:
    chosen = units[:, days][known[:, days]]
    return float(chosen.mean()) if chosen.size else 0.0


def _usual_open_days(window: DemandWindow) -> DemandWindow:
    """The days ahead open as in the four weeks before."""
    steps = np.arange(window.future_open.shape[1])
    return replace(window, future_open=window.open[:, -RECENT_DAYS + steps % RECENT_DAYS])


WINDOW_DRIVERS: Mapping[str, Callable[[DemandWindow], DemandWindow]] = {
    LEVEL: _usual_level,
    PROMOTION: lambda window: replace(
        window,
        promotion=np.zeros_like(window.promotion),
        future_promotion=np.zeros_like(window.future_promotion),
    ),
    PRICE: lambda window: replace(
        window, price=np.ones_like(window.price), future_price=np.ones_like(window.future_price)
    ),
    STOCK_OUTS: lambda window: replace(window, observed=window.observed | window.open),
    OPEN_DAYS: _usual_open_days,
}
"""What makes a driver neutral."""


def _model_means(predictor: Predictor, key: Key, season: bool, christmas: bool, network: bool) -> Forecaster:
    weights = predictor.weights
    weights = weights if season else without_season(weights)
    weights = weights if christmas else without_christmas(weights)
    ablated = Predictor(predictor.config, weights)
    return (
        (lambda window: _network_mean(ablated, window, key))
        if network
        else (lambda window: _level_mean(ablated, window, key))
    )


def _network_mean(predictor: Predictor, window: DemandWindow, key: Key) -> Floats:
    return mean(predictor.predict(window, [key] * len(window.units)))


def _level_mean(predictor: Predictor, window: DemandWindow, key: Key) -> Floats:
    """Level times index on open days."""
    effects = predictor.effects([key] * len(window.units))
    level = demand_history(window.last_days(predictor.config.history_days), effects).level[:, -1:]
    index = np.exp(horizon_features(window, effects)[..., -1])
    expected: Floats = level * index * window.future_open
    return expected


def without_season(weights: Weights) -> Weights:
    """Weights of a network to which every day is the average weekday and time of the year."""
    effects = weights["effects"].copy()
    effects[:, :-2] = 0
    average = np.zeros(CALENDAR_FEATURES - 2)
    average[:WEEKDAYS] = 1 / WEEKDAYS
    return _with_constant_calendar(weights | {"effects": effects}, 0, average)


def without_christmas(weights: Weights) -> Weights:
    """Weights of a network to which Christmas is 90 days off or more."""
    return _with_constant_calendar(weights, CALENDAR_FEATURES - 2, np.array([1.0, 0.0]))


def _with_constant_calendar(weights: Weights, first: int, values: Floats) -> Weights:
    """The network that sees these values in some calendar features, whatever the day."""
    inputs = (
        ("encoder.weight_ih_l0", "encoder.bias_ih_l0", OWN_FEATURES + first),
        ("future.weight", "future.bias", first),
    )
    changed = dict(weights)
    for matrix, bias, start in inputs:
        columns = slice(start, start + len(values))
        changed[matrix] = weights[matrix].copy()
        changed[bias] = (weights[bias] + weights[matrix][:, columns] @ values).astype(np.float32)
        changed[matrix][:, columns] = 0
    return changed
