"""The censored-truth panel: real days without stock-out, cut by a made stock, so that the truth is known.

Stock-outs depend on demand, so days hidden at random would prove nothing: here a day is hidden because its
demand reached its stock.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from batch.latent_demand import RecordedDays
from batch.stockout_day import Flags, Floats, Ints

MIN_DAYS = 30
MIN_MEAN = 0.1


@dataclass(frozen=True)
class CensoredTruth:
    """What an estimator may see, and the demand it is to find.

    Attributes:
        days: cut sales and status.
        truth: recorded sale of 24 hours of each day before the cut.
    """

    days: RecordedDays
    truth: Floats


def is_development(series_id: str) -> bool:
    """Whether a series serves to develop an estimator: its CRC-32 is even. The others only evaluate."""
    return zlib.crc32(series_id.encode()) % 2 == 0


def censored_truth(
    sales: Floats, stockout_hours: Ints, first_day: int, factor: float, rng: np.random.Generator
) -> CensoredTruth:
    """Hides what a made stock would not have sold.

    Only days without stock-out exist, of series with at least 30 of them and a mean sale above 0.1 on them.
    Opening stock is factor x series mean x exp(z / 2), with z standard normal, a day each. From the hour in
    which the sales so far reach it on, the hour is out of stock, and sales end at the stock.

    Args:
        sales: recorded sales, shape (series, days, 24).
        stockout_hours: hours out of stock between 6 and 22, shape (series, days).
        first_day: the first day, in days since 1970-01-01.
        factor: of the stock.
        rng: draws z for the existing days, series by series in order of days.

    Returns:
        The existing days; series are numbered anew in their order.
    """
    exists = existing_days(sales.sum(2), stockout_hours)
    kept = np.flatnonzero(exists.any(1))
    series, day = np.nonzero(exists[kept])
    whole = sales[kept[series], day]
    truth = whole.sum(1)
    mean = np.bincount(series, truth) / np.bincount(series)
    stock = factor * mean[series] * np.exp(0.5 * rng.standard_normal(len(series)))
    so_far = np.minimum(np.cumsum(whole, axis=1), stock[:, None])
    out = so_far == stock[:, None]
    return CensoredTruth(
        RecordedDays(series, day + first_day, np.diff(so_far, axis=1, prepend=0), out), truth
    )


def existing_days(total: Floats, stockout_hours: Ints) -> Flags:
    """(series, days) those without stock-out, of series with at least 30 of them and a mean sale above 0.1.

    Args:
        total: recorded sales, shape (series, days).
        stockout_hours: hours out of stock between 6 and 22, shape (series, days).
    """
    full = stockout_hours == 0
    count = full.sum(1)
    mean = np.where(full, total, 0).sum(1) / np.maximum(count, 1)
    return np.asarray(full & ((count >= MIN_DAYS) & (mean > MIN_MEAN))[:, None])


def bias(estimate: Floats, truth: Floats) -> float:
    """Σ(estimate − truth) / Σ truth."""
    return float((estimate - truth).sum() / truth.sum())


def wape(estimate: Floats, truth: Floats) -> float:
    """Σ|estimate − truth| / Σ truth."""
    return float(np.abs(estimate - truth).sum() / truth.sum())


def recorded_only(days: RecordedDays) -> Floats:
    """Doing nothing: what was sold is taken for demand."""
    return days.recorded


def mean_of_full_days(days: RecordedDays) -> Floats:
    """Dropping days: a day with stock-out counts as the mean of its series' days without, if any."""
    full = np.where(days.censored, 0, 1)
    size = np.bincount(days.series, full)
    mean = np.bincount(days.series, days.recorded * full) / np.maximum(size, 1)
    filled = np.where(size > 0, mean, 0)[days.series]
    usable = days.censored & (size > 0)[days.series]
    return np.where(usable, filled, days.recorded)


def profile_fill(days: RecordedDays) -> Floats:
    """Hours out of stock get the series' rate in stock times the share of demand all series have in the hour.

    The hour in which stock ran out counts as what it sold, if that is more.
    """
    rate = _rate(days.sales, days.out)
    share = rate / rate.sum()
    stocked = np.where(days.out, 0, days.sales).sum(1)
    exposure = np.where(days.out, 0, share).sum(1)
    level = np.bincount(days.series, stocked) / np.maximum(np.bincount(days.series, exposure), 1e-9)
    fill = level[days.series, None] * share
    filled: Floats = np.where(days.out, np.maximum(fill, days.sales), days.sales)
    return np.asarray(filled.sum(1))


def _rate(sales: Floats, out: Flags) -> Floats:
    """Mean sale of each hour in stock."""
    return np.asarray(np.where(out, 0, sales).sum(0) / np.maximum((~out).sum(0), 1))
