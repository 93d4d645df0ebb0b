"""What was sold on a day with stock-outs, hour by hour, had the stock lasted.

A day of a series has expected demand m, of which hour k has the share p_k. Sales so far tell of the rest of
the day: by an excess E over what was expected of the share P seen so far, the mean of hour k moves by
ρ_k · p_k · E / (φ / (m · v) + P). With ρ = 1 that is the Poisson hour whose day carries a gamma factor of
variance v; φ is the variance of hours per unit of demand, and ρ is learned. Given what was sold before it, an
hour in stock is a fair sample whatever the stock, as long as the stock did not foresee the day's demand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY_VARIANCE = 0.1
"""v, in squared units of the mean; ρ makes up for what a shop's days differ from it."""

LEAST_SHARE = 0.05
"""No hour's mean falls below this part of what the hour has on average."""


@dataclass(frozen=True)
class StockedHours:
    """Hours of days, shape (days, 24), and what is known of their demand.

    Attributes:
        sales: recorded units.
        exact: in stock all the hour: sales are demand.
        least: out of stock during the hour after sales: they are the least that demand was.
        free: out of stock, and nothing sold: nothing is known.
    """

    sales: Floats
    exact: Flags
    least: Flags
    free: Flags


@dataclass(frozen=True)
class DayModel:
    """What is expected of each day before any of its sales.

    Attributes:
        mean: m of each day, > 0, shape (days,).
        share: p of each hour, shape (days, 24), sums to 1.
        spread: φ of each day, shape (days,).
        unit: smallest step of sales of each day, at most φ, shape (days,).
        memory: ρ of each hour, shape (24,).
    """

    mean: Floats
    share: Floats
    spread: Floats
    unit: Floats
    memory: Floats


def expected_hours(hours: StockedHours, model: DayModel) -> tuple[Floats, Floats]:
    """Expected demand of every hour given all that was recorded, and the memory this implies.

    Returns:
        Demand of shape (days, 24), equal to the sales of hours in stock; and ρ of shape (24,).
    """
    mean = model.mean[:, None] * model.share
    surprise = np.where(hours.exact, hours.sales - mean, 0)
    seen = _before(np.where(hours.exact, model.share, 0))
    inertia = (model.spread / (model.mean * DAY_VARIANCE))[:, None]
    pull = model.share * _before(surprise) / (inertia + seen)
    demand = np.where(hours.exact, hours.sales, 0)
    demand[hours.least] = _at_least(
        hours, model, np.maximum(mean + model.memory * pull, LEAST_SHARE * mean), seen
    )
    known = hours.exact | hours.least
    surprise = np.where(known, demand - mean, 0)
    rest = _rest_of_day(hours, model, surprise, inertia)
    demand[hours.free] = (model.share * rest[:, None])[hours.free]
    return demand, _memory(surprise, np.where(known, pull, 0), mean * model.spread[:, None])


def mean_at_least(mean: Floats, variance: Floats, least: Floats) -> Floats:
    """E[X | X ≥ least] of a negative binomial count; `least` where its probability is 0 to the computer.

    Args:
        mean: of X, ≥ 0.
        variance: of X, at least the mean.
        least: whole numbers ≥ 1.
    """
    mean = np.maximum(mean, 1e-12)
    variance = np.maximum(variance, mean * (1 + 1e-6))
    size, chance = mean**2 / (variance - mean), 1 - mean / variance
    reached = betainc(least, size, chance)
    above = np.where(least > 1, betainc(np.maximum(least - 1, 1), size + 1, chance), 1.0)
    expected = np.divide(mean * above, reached, out=least.astype(float), where=reached > 1e-12)
    return np.maximum(expected, least)


def _at_least(hours: StockedHours, model: DayModel, mean: Floats, seen: Floats) -> Floats:
    """Expected demand of the hours in which stock ran out, in their order; `mean` is that before the hour."""
    day, _ = np.nonzero(hours.least)
    unit, spread, sold = model.unit[day], model.spread[day], hours.sales[hours.least]
    count = mean[hours.least] / unit
    known = seen[hours.least] * model.mean[day] * DAY_VARIANCE / spread
    variance = spread / unit * count + count**2 * DAY_VARIANCE / (1 + known)
    least = np.maximum(np.ceil(sold / unit - 1e-3), 1.0)
    return np.maximum(unit * mean_at_least(count, variance, least), sold)


def _rest_of_day(hours: StockedHours, model: DayModel, surprise: Floats, inertia: Floats) -> Floats:
    """Demand of the free hours per share of the day, shape (days,).

    Each hour's mean moves with the excess so far and adds to it, so the excess grows as a product over hours.
    """
    open_share = np.where(hours.free, model.share, 0)
    seen = np.where(hours.free, 0, model.share).sum(1, keepdims=True) + _before(open_share)
    growth = np.expm1(np.log1p(open_share * model.memory / (inertia + seen)).sum(1))
    share = open_share.sum(1)
    usual = model.mean * share
    rest = np.maximum(usual + surprise.sum(1) * growth, LEAST_SHARE * usual)
    return np.asarray(np.divide(rest, share, out=np.zeros_like(rest), where=share > 0))


def _memory(surprise: Floats, pull: Floats, variance: Floats) -> Floats:
    """Least squares of the surprise on the pull, per hour, drawn to 1 as by observations of weight 20."""
    weight = np.divide(pull, variance, out=np.zeros_like(pull), where=variance > 0)
    rho = ((surprise * weight).sum(0) + 20) / ((pull * weight).sum(0) + 20)
    return np.asarray(np.clip(rho, 0, 3))


def _before(values: Floats) -> Floats:
    """Sums of each day's hours before the hour."""
    return np.asarray(np.cumsum(values, axis=1) - values)
