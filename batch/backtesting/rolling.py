"""Origins that roll through a panel: what was known at each, and what came after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch.backtesting.forecaster import History
from batch.backtesting.scores import Outcome
from batch.forecaster.sales_panel import SalesPanel
from batch.forecaster.segmentation import Names, panel_segments
from batch.forecaster.windows import Flags, Floats
from infra.errors import StockstreamError

MIN_HISTORY_DAYS = 28
WEEK = 7
TAUS = (7, 14, 28)


@dataclass(frozen=True)
class Origins:
    """Columns of the last known days, ascending, and how far each forecast reaches."""

    columns: tuple[int, ...]
    horizon: int

    @property
    def taus(self) -> tuple[int, ...]:
        return tuple(tau for tau in TAUS if tau <= self.horizon) or (self.horizon,)


def rolling_origins(panel: SalesPanel, horizon: int, count: int, spacing: int) -> Origins:
    """The last `count` origins; each has a whole horizon before the panel ends.

    Raises:
        StockstreamError: the panel is too short, or nothing is known at the first origin; says what fits.
    """
    last = panel.days - 1 - horizon
    room = last - (MIN_HISTORY_DAYS - 1)
    if room < spacing * (count - 1):
        needed = MIN_HISTORY_DAYS + spacing * (count - 1) + horizon
        fitting = f"at most {room // spacing + 1} origins fit" if room >= 0 else "not even one origin fits"
        raise StockstreamError(
            f"panel has {panel.days} days: {count} origins {spacing} days apart with a horizon of {horizon}"
            f" days and {MIN_HISTORY_DAYS} days of history need {needed}; {fitting}"
        )
    columns = tuple(last - spacing * back for back in reversed(range(count)))
    if not launched(panel, columns[0]).any():
        day = panel.demand.day(columns[0])
        raise StockstreamError(f"no series has a day with known demand up to the first origin, {day}")
    return Origins(columns, horizon)


def launched(panel: SalesPanel, origin: int) -> Flags:
    """(n,) the series of which at least one day is known at an origin; only they are forecast and scored."""
    known = panel.demand.observed & panel.demand.open
    found: Flags = known[:, : origin + 1].any(axis=1)
    return found


def history_at(panel: SalesPanel, origin: int, horizon: int, taus: tuple[int, ...]) -> History:
    """What was known at the close of column `origin`.

    Open days ahead come from the column `open`; without one, a weekday on which the location was closed in
    each of the last eight weeks is closed.
    """
    rows = np.flatnonzero(launched(panel, origin))
    demand, ahead = panel.demand, slice(origin + 1, origin + 1 + horizon)
    past = demand.until(origin).rows(rows)
    known = (
        demand.location_open[rows, ahead] if panel.calendar_known else _as_before(past.location_open, horizon)
    )
    return History(
        panel=past,
        future_open=known,
        future_price=demand.price[rows, ahead],
        future_promotion=demand.promotion[rows, ahead],
        category=panel.category[rows],
        taus=taus,
    )


def _as_before(location_open: Flags, horizon: int) -> Flags:
    recent = location_open[:, -8 * WEEK :]
    recent = recent[:, recent.shape[1] % WEEK :]
    weekday_open = recent.reshape(len(recent), -1, WEEK).any(axis=1)
    ahead: Flags = weekday_open[:, np.arange(horizon) % WEEK]
    return ahead


def segments_at(panel: SalesPanel, origin: int) -> Names:
    """(n,) each series' segment by what was known at an origin; `new` if nothing was."""
    return panel_segments(panel.demand.until(origin))


def _money(panel: SalesPanel) -> Floats:
    """(n, days) price of a unit, 1 where there is none."""
    return np.ones(panel.demand.units.shape) if panel.price is None else np.nan_to_num(panel.price, nan=1.0)


def outcome_at(
    panel: SalesPanel, origin: int, origins: Origins, segment: Names, names: Sequence[str]
) -> Outcome:
    """What came after an origin; days out of stock, unrecorded or closed are not scored.

    A sum is scored if all its days are known or closed. Scales are those of M5 and of MASE with a week.
    """
    rows = launched(panel, origin)
    demand, ahead = panel.demand, slice(origin + 1, origin + 1 + origins.horizon)
    known = demand.observed & demand.open
    past, past_known = demand.units[rows, : origin + 1], known[rows, : origin + 1]
    units = np.where(known[rows, ahead], demand.units[rows, ahead], 0.0)
    settled = known[rows, ahead] | ~demand.location_open[rows, ahead]
    last = np.array(origins.taus) - 1
    recent = slice(max(0, origin - 27), origin + 1)
    sales = np.where(known, demand.units, 0.0)[rows, recent] * _money(panel)[rows, recent]
    return Outcome(
        units=units,
        scored=known[rows, ahead],
        sums=np.cumsum(units, axis=1)[:, last],
        sums_scored=np.logical_and.accumulate(settled, axis=1)[:, last],
        segment=np.searchsorted(np.array(names), segment[rows]),
        segments=len(names),
        squared_scale=_difference(past, past_known, 1, 2),
        absolute_scale=_difference(past, past_known, WEEK, 1),
        weight=sales.sum(axis=1),
        step=float(np.all(demand.units == np.floor(demand.units))),
        seed=origin,
    )


def _difference(units: Floats, known: Flags, lag: int, power: int) -> Floats:
    """(n,) mean of |units - units lag days before| ** power over the days where both are known."""
    both = known[:, lag:] & known[:, :-lag]
    total = np.where(both, np.abs(units[:, lag:] - units[:, :-lag]) ** power, 0.0).sum(axis=1)
    mean: Floats = total / np.maximum(both.sum(axis=1), 1)
    return mean
